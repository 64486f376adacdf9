import VGGEngine
import VGGModel

/// What a step is before it has memory: all that plans ask about it.
struct StepKind {
    /// The kernels that do most of the work.
    let forward, backward: String
    var memory = StepMemory()
    /// Groups of work-items of the forward pass's main kernel; nil where each work-item makes a number.
    var groups: Int?
    let bound: (StepContext) -> any Step
}

extension PlannedStep {
    /// The one place that knows which steps there are; nil for what other devices alone have.
    func kind(batchSize: Int) -> StepKind? {
        let tile = KernelSizes.tile
        let dx = { (name: String) in needsInputGradient ? ", \(name)" : "" }
        switch operation {
        case .convolution(let layer, let norm, let relu, let pool):
            let pixels = batchSize * output.height * output.width * (pool ? 4 : 1)
            return StepKind(
                forward: norm == nil ? "convolution" : "convolution, norm_forward",
                backward: (norm == nil ? "" : "norm_gradient, ") + "convolution_weight_gradient"
                    + dx("convolution_input_gradient"),
                memory: ConvolutionStep.memory(self, layer, norm, pool: pool, batchSize: batchSize),
                groups: pixels.parts(of: tile) * layer.outChannels.parts(of: tile)
            ) { ConvolutionStep($0, layer, norm, relu: relu, pool: pool) }
        case .batchNorm(let norm, let relu):
            let memory = StepMemory(
                kept: [Normalization.coefficientBytes(norm)],
                scratch: Normalization.scratch(norm, count: batchSize))
            return StepKind(forward: "norm_forward", backward: "norm_gradient", memory: memory) {
                BatchNormStep($0, norm, relu: relu)
            }
        case .linear(let layer, let relu):
            return StepKind(
                forward: "linear", backward: "linear_weight_gradient" + dx("linear_input_gradient"),
                memory: StepMemory(
                    scratch: BiasGradient.scratch(channels: layer.outFeatures, total: batchSize)),
                groups: batchSize.parts(of: tile) * layer.outFeatures.parts(of: tile)
            ) { LinearStep($0, layer, relu: relu) }
        case .maxPool(let pool):
            let winners = mode.hasBackward ? [output.count * batchSize * 2] : []
            return StepKind(
                forward: "max_pool", backward: "max_pool_gradient", memory: StepMemory(kept: winners)
            ) { MaxPoolStep($0, pool) }
        case .averagePool(let rows, let columns):
            let windows = [AveragePoolStep.tableCount(self) * 8]
            return StepKind(
                forward: "average_pool", backward: "average_pool_gradient", memory: StepMemory(kept: windows)
            ) { AveragePoolStep($0, rows, columns) }
        case .relu: return StepKind(forward: "relu", backward: "relu_gradient") { ReLUStep($0) }
        case .dropout(let probability, let layer):
            return StepKind(forward: "dropout", backward: "dropout") {
                DropoutStep($0, probability: probability, layer: layer)
            }
        // A step that is new on the processor is none here, until somebody writes it.
        @unknown default: return nil
        }
    }
}
