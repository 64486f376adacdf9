import ArgumentParser
import VGGKit

extension Optimizer.Kind: ExpressibleByArgument {}

/// What is done with the gradients.
struct OptimizerOptions: ParsableArguments {
    @Option(help: "How weights are updated by their gradients (default: sgd).")
    var opt: Optimizer.Kind?

    @Option(
        parsing: .unconditional, help: "The learning rate (default: 0.05; of --opt adam and adamw 0.001).")
    var lr: Float?

    @Option(
        parsing: .unconditional,
        help: "The learning rate of the last linear layer, the head (default: that of --lr).")
    var lrHead: Float?

    @Option(
        parsing: .unconditional,
        help: "What the learning rate of batch norm's biases is multiplied by (default: 1).")
    var bnBiasLrScale: Float?

    @Option(parsing: .unconditional, help: "The momentum of SGD (default: 0).")
    var momentum: Float?

    @Option(parsing: .unconditional, help: "How much of a gradient does not come into it (default: 0).")
    var dampening: Float?

    @Flag(help: "Use Nesterov's momentum.")
    var nesterov = false

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "How much Adam keeps of its averages of gradients and of their squares (default: 0.9,0.999).",
            valueName: "beta,beta"))
    var optBetas: NumberList<Double>?

    @Option(parsing: .unconditional, help: "What Adam adds to the root of the latter (default: 1e-8).")
    var optEps: Double?

    @Option(parsing: .unconditional, help: "The weight decay (default: 0; of --opt adamw 0.01).")
    var weightDecay: Float?

    @Flag(help: "No weight decay of biases and of batch norm's scales and shifts.")
    var noNormDecay = false

    @Flag(
        inversion: .prefixedNo,
        help: "Keep a moving average of the weights, test it, and save it as the model (default: no).")
    var modelEma: Bool?

    @Option(parsing: .unconditional, help: "How much of it stays at each step (default: 0.9998).")
    var modelEmaDecay: Double?

    @Flag(help: "That share begins at 0 and rises.")
    var modelEmaWarmup = false

    /// The optimiser with what was given.
    func applied(to base: Optimizer) -> Optimizer {
        var result = base
        if let opt, opt != base.kind {
            // What was said of another one says nothing of this one.
            result = .usual(opt)
            result.average = base.average
        }
        if let lr { result.learningRate = lr }
        if let lrHead { result.headLearningRate = lrHead }
        if let bnBiasLrScale { result.bnBiasLrScale = bnBiasLrScale }
        if let momentum { result.momentum = momentum }
        if let dampening { result.dampening = dampening }
        if nesterov { result.nesterov = true }
        if let optBetas { result.betas = optBetas.numbers }
        if let optEps { result.eps = optEps }
        if let weightDecay { result.weightDecay = weightDecay }
        if noNormDecay { result.vectorWeightDecay = 0 }
        if modelEma == false { result.average = nil }
        if modelEma == true || modelEmaDecay != nil || modelEmaWarmup {
            var average = result.average ?? WeightAverage()
            if let modelEmaDecay { average.decay = modelEmaDecay }
            if modelEmaWarmup { average.usesWarmup = true }
            result.average = average
        }
        return result
    }

    /// What a new run is told of an average that it is not told to keep.
    func validateAnew() throws {
        guard modelEma != true else { return }
        if modelEmaDecay != nil { throw ValidationError("--model-ema-decay needs --model-ema") }
        if modelEmaWarmup { throw ValidationError("--model-ema-warmup needs --model-ema") }
    }
}
