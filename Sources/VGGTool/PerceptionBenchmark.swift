import Foundation
import VGGKit

/// Measures style transfer and distances of pictures, with synthetic pictures and random weights.
struct PerceptionBenchmark {
    enum Work: String, Encodable {
        /// A step of Adam, with the default layers.
        case stylize
        /// Pairs of pictures by LPIPS, with linear weights of one.
        case distance
    }

    /// What `vgg bench` says.
    struct Result: Encodable {
        var mode: Work
        /// Channels, height and width.
        var input: [Int]
        var precision: Precision
        /// Pairs, of distances; of style transfer one.
        var batchSize: Int
        var device: String
        var threads: Int
        var kernels: String
        /// The median; pairs, of distances.
        var imagesPerSec: Double
        var stepMs: [Double]
        var peakRssMb: Double

        var text: String {
            """
            \(mode == .stylize ? "steps of style transfer" : "distances of \(Text.count(batchSize, "pair"))") of pictures of \
            \(input.map(String.init).joined(separator: "×")), \(precision.rawValue), device: \(device), threads: \(threads), \
            kernels: \(kernels)
            \(Text.fixed(stepMs.median, 1)) ms each, the median of \(stepMs.count) (\(Text.fixed(stepMs.min() ?? 0, 1)) to \
            \(Text.fixed(stepMs.max() ?? 0, 1)) ms)
            \(ReadableNumber.bytes(Int(peakRssMb * 1e6))) of memory at most
            """
        }
    }

    private static let warmUp = 2

    var work: Work
    /// Without a classifier.
    var network: Network
    /// Of the network's arithmetic.
    var precision: Precision
    var size: Int
    var batchSize: Int
    var device: Device

    /// - Parameter steps: to measure, positive; two more come before.
    /// - Throws: `PlanError`, and what the network has no layers for.
    func run(steps: Int) throws -> Result {
        let weights = try randomWeights()
        let seconds =
            switch work {
            case .stylize: try stylize(weights, steps: steps)
            case .distance: try distances(weights, steps: steps)
            }
        let measured = Array(seconds.dropFirst(Self.warmUp))
        return Result(
            mode: work, input: [3, size, size], precision: precision, batchSize: batchSize,
            device: device.name, threads: device.threads, kernels: device.kernels,
            imagesPerSec: Double(batchSize) / measured.median, stepMs: measured.map { 1e3 * $0 },
            peakRssMb: Double(Benchmark.peakResidentBytes) / 1e6)
    }

    /// Of the layers that are measured.
    private func randomWeights() throws -> [String: Tensor] {
        let layers = work == .stylize ? ["relu5_1"] : LPIPSWeights.layers
        let last = try layers.map { try network.layerIndex(named: $0) }.max() ?? 0
        // Weights do not depend on the size.
        let small = try network.maps(upTo: last, height: 32, width: 32)
        let executor = try Executor(
            plan: Plan(small, batchSize: 1, mode: .inference, keeping: [last]), device: device)
        executor.initialize(.kaiming, seed: 0)
        return executor.weights
    }

    /// With a prime for the period, no two pictures are the same.
    private func picture(_ number: Int) -> RGBImage {
        RGBImage(
            width: size, height: size,
            pixels: (0..<3 * size * size).map { UInt8(($0 + 17 * number) * (number + 1) % 251) })
    }

    private func stylize(_ weights: [String: Tensor], steps: Int) throws -> [Double] {
        var settings = StylizationSettings()
        settings.precision = precision
        settings.scales = [.init(size: size, steps: Self.warmUp + steps)]
        let stylization = Stylization(
            network, weights: weights, preprocessing: .imageNet, settings: settings, device: device)
        let clock = ContinuousClock()
        var (seconds, last) = ([Double](), clock.now)
        _ = try stylization.picture(of: picture(0), inTheMannerOf: [(picture(1), 1)]) { _ in
            seconds.append((clock.now - last) / .seconds(1))
            last = clock.now
            return true
        }
        return seconds
    }

    private func distances(_ weights: [String: Tensor], steps: Int) throws -> [Double] {
        let ones = try LPIPSWeights.layers.enumerated().map { index, name in
            let channels = try network.layers[network.layerIndex(named: name)].output.dimensions[0]
            return (
                "lin\(index).model.1.weight",
                Tensor(shape: [1, channels, 1, 1], values: [Float](repeating: 1, count: channels))
            )
        }
        let linear = try LPIPSWeights(Dictionary(ones) { first, _ in first })
        let pair = 2 * 3 * size * size * MemoryLayout<Float>.stride
        if let free = FreeMemory.bytes, batchSize * pair > free {
            throw PlanError.tooLarge(
                batchSize: batchSize, bytes: batchSize * pair, free: free,
                largestBatch: free >= pair ? free / pair : nil)
        }
        let colours = PictureColours(.imageNet)
        let inputs = try (0..<2 * batchSize).map { number in
            try colours.input(of: colours.numbers(of: picture(number)), height: size, width: size).values
        }
        let metric = try PerceptualDistance(
            .lpips(linear), network, weights: weights, height: size, width: size,
            batchSize: min(PictureComparison.defaultBatchSize, 2 * batchSize), precision: precision,
            device: device)
        let clock = ContinuousClock()
        return try (0..<Self.warmUp + steps).map { _ in
            let begin = clock.now
            for first in stride(from: 0, to: inputs.count, by: metric.batchSize) {
                let part = inputs[first..<min(first + metric.batchSize, inputs.count)]
                let batch = try ImageBatch(part.flatMap(\.self), count: part.count, shape: metric.input)
                _ = try metric.distances(ofPairs: batch)
            }
            return (clock.now - begin) / .seconds(1)
        }
    }
}
