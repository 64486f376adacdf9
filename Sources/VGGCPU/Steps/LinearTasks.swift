import CVGGKernels
import VGGEngine

/// How the passes of a linear layer are cut into tasks, which changes no sum. Decided here alone.
struct LinearTasks {
    /// For two panels of outputs, some images.
    let forward: TaskGrid
    /// Some inputs; in mixed precision for both gradients at once.
    let inputGradient: TaskRanges
    /// For two panels of outputs, some inputs.
    let weightGradient: TaskGrid

    init(_ planned: LaidOutStep, inputs: Int, outputs: Int, count: Int, threads: Int) {
        let pairs = (outputs.panels + 1) / 2
        forward = TaskGrid(pairs, over: count, least: 1, threads: threads)
        inputGradient =
            planned.precision == .bf16
            ? TaskRanges(over: inputs, grain: Int(VGG_LINEAR_INPUTS), least: panel, threads: threads)
            : TaskRanges(over: inputs, grain: 56, least: 1, threads: threads)
        weightGradient = TaskGrid(pairs, over: inputs, least: panel, threads: threads)
    }
}
