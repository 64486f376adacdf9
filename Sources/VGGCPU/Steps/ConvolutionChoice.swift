import CVGGKernels
import VGGEngine
import VGGModel

/// How a convolution's passes are computed. Decided here alone, from the shape and the precision; the step, its scratch
/// memory and the names of its kernels read it.
struct ConvolutionChoice: Hashable, Sendable {
    enum Algorithm: Hashable, Sendable {
        /// By its definition.
        case direct
        /// In single precision F(4×4, 3×3), a quarter of the multiplications (Lavin & Gray 2016), and F(2×2, 5×5); in mixed
        /// precision F(2×2, 3×3).
        case winograd
        /// Of gradients under a fused pool, three quarters of which are zero: from the pooled gradient and its winners.
        case pooled
        /// The same by Winograd's algorithm.
        case pooledWinograd
        /// Of square maps of a few pixels, whose images are rows of matrices: fewer multiplications still, and the weights
        /// are read once for the whole batch. In single precision always; mixed precision makes copies for it.
        case smallMap

        var isPooled: Bool { self == .pooled || self == .pooledWinograd }
        var isWinograd: Bool { self == .winograd || self == .pooledWinograd }
    }

    /// Whether the convolution itself pools what it makes; after a batch norm the norm does.
    let pool: Bool
    /// Whether what a batch norm reads of the convolution is not kept, but made again, image by image, by each of the passes that
    /// read it: where a number of it is so few products that they take no longer than fetching it from memory.
    let remakesZ: Bool
    /// Of the output.
    let forward: Algorithm
    /// Of the weights' gradient; nil where there is none.
    let weightGradient: Algorithm?
    /// Of the input's; nil where nobody needs it.
    let inputGradient: Algorithm?
    /// Of the tree that the gradients of the weights are summed along: more where these are few, and so are the tasks that
    /// their panels make. An addition then costs little.
    let leaves: Int

    /// - Parameter pool: whether a 2×2 max pool is fused into the step.
    init(_ planned: LaidOutStep, _ convolution: Convolution, norm: BatchNorm?, pool: Bool) {
        let pool = pool && norm == nil
        self.pool = pool
        // As many as 3×3 takes of a picture in colours; with so few, forward passes are direct.
        remakesZ = norm != nil && convolution.kernel * convolution.kernel * convolution.inChannels <= 27
        var leaves = SumTree.shards
        while leaves * convolution.outChannels.panels < SumTree.mostLeaves { leaves *= 2 }
        let isThree = convolution.kernel == 3 && convolution.stride == 1
        let isFive = convolution.kernel == 5 && convolution.stride == 1 && !pool
        let training = planned.trainsParameters
        let needsInput = planned.mode.hasBackward && planned.needsInputGradient
        let (inputs, outputs) = (convolution.inChannels, convolution.outChannels)
        let least = min(inputs, outputs)
        let side = planned.input.height
        let isSmall =
            isThree && convolution.padding == 1 && convolution.borders == .zero && least >= panel
            && side == planned.input.width && side <= Int(VGG_SMALL_MAP)
        // Every leaf of small maps is transformed, and inputs are tasks enough.
        self.leaves = isSmall ? SumTree.shards : leaves
        switch planned.precision {
        case .fp32:
            // Few channels make the transforms dearer than the multiplications they save.
            func algorithm(reading channels: Int) -> Algorithm {
                (isThree || isFive) && channels >= panel ? .winograd : .direct
            }
            if isSmall {
                forward = .smallMap
                weightGradient = training ? .smallMap : nil
                inputGradient = needsInput ? .smallMap : nil
                return
            }
            forward = algorithm(reading: inputs)
            let gradient = algorithm(reading: least)
            let pooled: Algorithm = gradient == .winograd ? .pooledWinograd : .pooled
            weightGradient = training ? (pool && isThree ? pooled : gradient) : nil
            inputGradient = needsInput ? algorithm(reading: outputs) : nil
        case .bf16:
            // Maps of 4×4 fill tiles of 2×2 outputs, whose products are 64 where these are 36, in half the time each.
            let isSmallest = isSmall && side < 4
            func canTransform(_ channels: Int) -> Bool {
                channels >= 2 * panel && planned.input.element == .bfloat16
            }
            func algorithm(reading channels: Int) -> Algorithm {
                isSmallest ? .smallMap : isThree && canTransform(channels) ? .winograd : .direct
            }
            forward = algorithm(reading: inputs)
            // Of small maps three quarters are soon multiplied, but their rows fill no tile of registers.
            let full = convolution.output(of: planned)
            let isPooled =
                pool && isThree && convolution.padding == 1 && min(full.height, full.width) >= 8
            // Where it is dense, the products are those of single precision: of a quarter as many they take half the time.
            let dense: Algorithm =
                isSmall ? .smallMap : (isThree || isFive) && canTransform(least) ? .winograd : .direct
            weightGradient = training ? (isPooled ? .pooled : dense) : nil
            // Bands of a map, where weights have no gradient, are made by the definition.
            inputGradient =
                !needsInput ? nil : !training ? .direct : isPooled ? .pooled : algorithm(reading: outputs)
        }
    }

    /// Whether a pass is computed by whole images.
    var hasSmallMap: Bool { [forward, weightGradient, inputGradient].contains(.smallMap) }
    var hasSmallMapGradient: Bool { [weightGradient, inputGradient].contains(.smallMap) }

    /// Whether the weights' gradients are sums of leaves that tasks walk along.
    var sumsInParts: Bool { weightGradient != nil && weightGradient != .smallMap }

    /// Whether a worker makes images' gradients before a pool at full resolution, a few at a time.
    var needsMaps: Bool {
        [weightGradient, inputGradient].contains { $0?.isPooled == false && $0 != .smallMap }
    }
}

extension ConvolutionChoice {
    /// The kernels that do most of the work.
    func kernelNames(
        _ convolution: Convolution, precision: Precision
    ) -> (forward: String, backward: String) {
        let fused = pool ? "_relu_pool" : ""
        let five = convolution.kernel == 5 ? "five_" : ""
        let smallOutput = forward == .smallMap ? "product" : nil
        switch precision {
        case .fp32:
            let winograd = "\(five)winograd"
            let output =
                smallOutput ?? (forward == .winograd ? "\(winograd)_convolution" : "convolution") + fused
            let weight: String? =
                switch weightGradient {
                case nil: nil
                case .direct: "convolution_weight_gradient"
                case .winograd: "\(winograd)_weight_gradient"
                case .pooled: "pooled_weight_gradient"
                case .pooledWinograd: "winograd_pooled_weight_gradient"
                case .smallMap: "small_map_weight_gradient"
                }
            let input = inputGradient.map {
                switch $0 {
                case .smallMap: "product"
                case .winograd: "\(winograd)_convolution"
                default: "convolution"
                }
            }
            return (output, [weight, input].compactMap(\.self).joined(separator: ", "))
        case .bf16:
            let output =
                smallOutput
                ?? (forward == .winograd ? "bf16_winograd_convolution" : "bf16_convolution\(fused)")
            let weight = weightGradient.map {
                switch $0 {
                case .smallMap: "small_map_weight_gradient"
                case .winograd: "\(five)winograd_weight_gradient"
                case .pooled: "bf16_pooled_weight_gradient"
                default: "bf16_weight_gradient"
                }
            }
            let input = inputGradient.map {
                switch $0 {
                case .smallMap: "product"
                case .pooled: "bf16_pooled_input_gradient"
                case .winograd: "bf16_winograd_convolution"
                default: "bf16_convolution"
                }
            }
            return (output, [weight, input].compactMap(\.self).joined(separator: ", "))
        }
    }
}
