import CVGGKernels
import Foundation
import VGGEngine
import VGGModel

/// Which number format trains a network faster. Where bf16 is multiplied, a product takes half the time; but single precision
/// has Winograd's F(4×4, 3×3) where mixed precision has F(2×2, 3×3), and on the smallest maps both have the same products. So it depends on
/// what the steps are, and is known before anything runs.
extension CPUBackend {
    package func trainingPrecision(of network: Network) -> Precision {
        guard instructionSet.multipliesBF16,
            let single = cost(of: network, .fp32), let mixed = cost(of: network, .bf16)
        else { return preferredPrecision }
        return single < mixed ? .fp32 : .bf16
    }

    private func cost(of network: Network, _ precision: Precision) -> Double? {
        (try? Plan(network, batchSize: 1, mode: .training, precision: precision))
            .map { LaidOutPlan($0).steps.map(\.trainingCost).reduce(0, +) }
    }
}

extension LaidOutStep {
    /// About how long a training step spends here with an image, in products of single precision at the processor's peak. What
    /// share of its peak each kernel reaches was measured (docs/performance.md, "One step, measured", "Small maps" and
    /// "Mixed precision").
    fileprivate var trainingCost: Double {
        switch step.operation {
        case .convolution(let convolution, let norm, _, let pool):
            let choice = ConvolutionChoice(self, convolution, norm: norm, pool: pool)
            return [choice.forward, choice.inputGradient].compactMap(\.self)
                .reduce(0) { $0 + cost(of: convolution, by: $1) }
                + (choice.weightGradient.map { weightGradientCost(of: convolution, by: $0) } ?? 0)
        case .linear(let linear, _):
            let passes = step.needsInputGradient ? 3.0 : 2.0
            return passes * Double(linear.inFeatures * linear.outFeatures)
                * (step.precision == .fp32 ? 1 / 0.82 : 0.5 / 0.8)
        default: return 0
        }
    }

    private func cost(of convolution: Convolution, by algorithm: ConvolutionChoice.Algorithm) -> Double {
        let full = convolution.output(of: self)
        let pairs = Double(convolution.inChannels * convolution.outChannels)
        let direct = pairs * Double(full.height * full.width * convolution.kernel * convolution.kernel)
        // Short rows leave tiles of registers empty: as much as VGG-16 at 32×32 was slower for it.
        let unfilled = max(1, pow(8 / Double(full.width), 0.3))
        switch (step.precision, algorithm) {
        case (.fp32, .direct): return direct / 0.85
        case (.fp32, .pooled): return direct / 4 / 0.5
        case (.fp32, .winograd), (.fp32, .pooledWinograd):
            return pairs * Double(36 * full.tiles(kernel: convolution.kernel)) / 0.6
        case (_, .smallMap): return pairs * Double(vgg_small_map_products(full.height)) / 0.45
        case (.bf16, .pooled), (.bf16, .pooledWinograd): return direct / 4 * 0.5 / 0.38 * unfilled
        case (.bf16, .winograd): return pairs * Double(16 * full.mixedTiles) * 0.5 / 0.7
        case (.bf16, _): return direct * 0.5 / 0.85 * unfilled
        }
    }

    private func weightGradientCost(
        of convolution: Convolution, by algorithm: ConvolutionChoice.Algorithm
    ) -> Double {
        guard step.precision == .bf16, algorithm == .winograd else {
            return cost(of: convolution, by: algorithm)
        }
        // Winograd's are products of single precision, of copies.
        let full = convolution.output(of: self)
        let pairs = Double(convolution.inChannels * convolution.outChannels)
        return pairs * Double(36 * full.tiles(kernel: convolution.kernel)) / 0.5
    }
}
