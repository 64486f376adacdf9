import Foundation
import Testing
import VGGEngine
import VGGModel

extension Device {
    /// The slow reference, in double precision: what every other device is tested against.
    static let reference = Device(name: "reference", ReferenceBackend())
}

/// A backend that follows the definitions and nothing else; any precision is double precision here.
struct ReferenceBackend: Backend {
    /// What goes wrong as soon as a plan is bound, for tests of that.
    var failure: DeviceError?
    let threads = 1
    let kernels = "double"
    let preferredPrecision = Precision.fp32
    let freeMemory: Int? = nil
    /// In whatever number format, it computes in its own.
    let properties = DeviceProperties(
        kind: .cpu, hardware: "reference", memory: nil, units: 1, driver: "double",
        precisions: Precision.allCases)

    func measuredPeak(_ precision: Precision) -> Double { 0 }
    func measuredBandwidth() -> Double { 0 }
    func memory(of plan: Plan, optimizer: Optimizer?) -> PlanMemory {
        PlanMemory(parameters: 0, gradients: 0, optimizerState: 0, activations: 0, scratch: 0)
    }
    func steps(of plan: Plan) -> [StepDescription] { [] }
    func bind(_ plan: Plan) throws(PlanError) -> any BoundPlan { ReferencePlan(plan, failure) }
    func bind(_ plan: Plan, sharing weights: any SharedWeights) throws(PlanError) -> any BoundPlan {
        let bound = ReferencePlan(plan, failure)
        if let weights = weights as? ReferenceWeights { bound.copy(weights) }
        return bound
    }
}

/// The reference's weights are copied where they are shared: it is not for large networks.
final class ReferenceWeights: SharedWeights {
    fileprivate let values: [[[Double]]]

    fileprivate init(_ values: [[[Double]]]) { self.values = values }
}

/// A plan of the reference: the layers of each step, one after another.
final class ReferencePlan: BoundPlan {
    let failure: DeviceError?
    private let plan: Plan
    private var layers: [ReferenceLayer]
    private var momentum: [[Double]]
    private var secondMoment: [[Double]]
    private var average: [[Double]]
    /// Before each layer, and after the last.
    private var activations: [ReferenceBatch]
    /// Of each step's output, and of the input.
    private var stepGradients: [ReferenceBatch]
    private var inputGradient: ReferenceBatch = []

    init(_ plan: Plan, _ failure: DeviceError?) {
        self.failure = failure
        self.plan = plan
        layers = plan.network.layers.map { placed in
            ReferenceLayer(
                placed,
                values: placed.parameters.map { Array(repeating: 0, count: $0.shape.reduce(1, *)) })
        }
        momentum = layers.flatMap(\.values)
        (secondMoment, average) = (momentum, momentum)
        activations = Array(repeating: [], count: layers.count + 1)
        stepGradients = Array(repeating: [], count: plan.steps.count)
    }

    /// The layers that run with a step, and those behind the step before it that have none of their own.
    private func layers(of step: Int) -> Range<Int> {
        (step == 0 ? 0 : plan.steps[step - 1].layers.upperBound)..<plan.steps[step].layers.upperBound
    }

    func write(_ images: ImageBatch) {
        let size = images.shape.count
        activations[0] = (0..<images.count).map { image in
            images.values[image * size..<(image + 1) * size].map(Double.init)
        }
    }

    func forward(_ step: Int, _ pass: Pass) {
        for index in layers(of: step) {
            activations[index + 1] =
                dropped(activations[index], index, step, pass)
                ?? layers[index].forward(activations[index], isTraining: pass.isTraining)
        }
    }

    func loss(labels: [Int32], partners: [MixingPartner]?, _ pass: Pass) -> PendingMetrics {
        var metrics = BatchMetrics(lossSum: 0, correct: 0, count: labels.count)
        var gradient: ReferenceBatch = []
        let weights = pass.loss.classWeights?.map(Double.init)
        let scale =
            weights.map { weights in 1 / labels.map { weights[Int($0)] }.reduce(0, +) }
            ?? 1 / Double(pass.node.batch)
        for (image, logits) in activations[layers.count].enumerated() {
            let top = logits.max()!
            let exponentials = logits.map { exp($0 - top) }
            let sum = exponentials.reduce(0, +)
            let smoothing = Double(pass.loss.smoothing)
            var targets = logits.map { _ in smoothing / Double(logits.count) }
            let share = Double(partners?[image].share ?? 0)
            targets[Int(labels[image])] += (1 - smoothing) * (1 - share)
            if let partner = partners?[image] { targets[Int(partner.label)] += (1 - smoothing) * share }
            if let weights { targets = zip(targets, weights).map { $0 * $1 } }
            metrics.lossSum +=
                zip(targets, logits).reduce(0) { $0 + $1.0 * (log(sum) - ($1.1 - top)) }
                * (weights == nil ? 1 : scale * Double(labels.count))
            let expected = share > 0.5 ? partners![image].label : labels[image]
            if logits.indices.max(by: { logits[$0] < logits[$1] }) == Int(expected) { metrics.correct += 1 }
            let total = targets.reduce(0, +)
            gradient.append(zip(exponentials, targets).map { ($0 / sum * total - $1) * scale })
        }
        if pass.isTraining { stepGradients[plan.steps.count - 1] = gradient }
        return PendingMetrics(metrics)
    }

    func writeGradient(_ numbers: [Float], of step: Int, count: Int, adding: Bool) {
        let size = numbers.count / count
        let batch = (0..<count).map { image in numbers[image * size..<(image + 1) * size].map(Double.init) }
        stepGradients[step] =
            adding ? zip(stepGradients[step], batch).map { zip($0, $1).map { $0 + $1 } } : batch
    }

    func backward(_ step: Int, _ pass: Pass) {
        var gradient = stepGradients[step]
        for index in layers(of: step).reversed() {
            gradient =
                dropped(gradient, index, step, pass) ?? layers[index].backward(activations[index], gradient)
        }
        if step > 0 { stepGradients[step - 1] = gradient } else { inputGradient = gradient }
    }

    /// Dropout's draw for each number, counted along rows of pixels and their channels; nil for another layer.
    private func dropped(_ batch: ReferenceBatch, _ layer: Int, _ step: Int, _ pass: Pass) -> ReferenceBatch?
    {
        guard case .dropout(let probability) = layers[layer].placed.layer, pass.isTraining,
            plan.mode == .training
        else { return nil }
        let shape = plan.steps[step].output
        let philox = Philox(seed: pass.seed, stream: .dropout)
        let row = (shape.width * shape.channels + 3) / 4 * 4
        return batch.enumerated().map { image, numbers in
            numbers.enumerated().map { index, number in
                let (channel, pixel) = index.quotientAndRemainder(dividingBy: shape.height * shape.width)
                let (y, x) = pixel.quotientAndRemainder(dividingBy: shape.width)
                let place = pass.node.images.lowerBound + image
                let element = (place * shape.height + y) * row + x * shape.channels + channel
                let words = philox.words(
                    sequence: UInt32(pass.step), index: UInt64(layer) << 32 | UInt64(element / 4))
                return words[element % 4] < UInt32(probability * 0x1p32) ? 0 : number / (1 - probability)
            }
        }
    }

    func withGradients<Failure: Error>(
        _ body: (inout MutableSpan<Float>) throws(Failure) -> Void
    ) throws(Failure) {
        var flat = trained.flatMap { read(.gradient, of: $0) }
        var span = flat.mutableSpan
        try body(&span)
        var rest = flat[...]
        for parameter in trained {
            let (layer, place) = place(of: parameter)
            let count = layers[layer].values[place].count
            layers[layer].gradients[place] = rest.prefix(count).map(Double.init)
            rest = rest.dropFirst(count)
        }
    }

    private var trained: [Int] { plan.parameters.indices.filter { plan.parameters[$0].isTrained } }

    /// PyTorch's `torch.optim.SGD`, `Adam` and `AdamW`, and timm's average.
    func update(_ update: ParameterUpdate, after pass: Pass) {
        for parameter in trained {
            let rule = update.rule(for: plan.parameters[parameter].group)
            let (layer, place) = place(of: parameter)
            for element in layers[layer].values[place].indices {
                layers[layer].values[place][element] += change(
                    rule, update.number, parameter, element, of: layers[layer].values[place][element],
                    gradient: layers[layer].gradients[place][element])
            }
        }
        guard let share = update.averageShare else { return }
        for (parameter, values) in layers.flatMap(\.values).enumerated()
        where plan.steps[plan.parameters[parameter].step].mode == .training {
            average[parameter] = zip(average[parameter], values).map { $0 + share * ($1 - $0) }
        }
    }

    private func change(
        _ rule: ParameterUpdate.Rule, _ number: Int, _ parameter: Int, _ element: Int, of value: Double,
        gradient: Double
    ) -> Double {
        let decay = rule.weightDecay * value
        if rule.kind == .sgd {
            var change = gradient + decay
            guard rule.momentum != 0 else { return -rule.learningRate * change }
            let velocity = rule.momentum * momentum[parameter][element] + (1 - rule.dampening) * change
            momentum[parameter][element] = velocity
            change = rule.nesterov ? change + rule.momentum * velocity : velocity
            return -rule.learningRate * change
        }
        let gradient = gradient + (rule.kind == .adam ? decay : 0)
        let (first, second) = rule.betas
        momentum[parameter][element] = first * momentum[parameter][element] + (1 - first) * gradient
        secondMoment[parameter][element] =
            second * secondMoment[parameter][element] + (1 - second) * gradient * gradient
        let mean = momentum[parameter][element] / (1 - pow(first, Double(number)))
        let square = secondMoment[parameter][element] / (1 - pow(second, Double(number)))
        return -rule.learningRate
            * (mean / (square.squareRoot() + rule.eps) + (rule.kind == .adamw ? decay : 0))
    }

    func beginAverage() { average = layers.flatMap(\.values) }

    func exchangeAverage() {
        for parameter in average.indices {
            let (layer, place) = place(of: parameter)
            swap(&average[parameter], &layers[layer].values[place])
        }
    }

    func output(of step: Int, count: Int) -> [Float] {
        activations[plan.steps[step].layers.upperBound].flatMap { $0.map(Float.init) }
    }

    func gradient(of step: Int?, count: Int) -> [Float] {
        (step.map { stepGradients[$0] } ?? inputGradient).flatMap { $0.map(Float.init) }
    }

    func read(_ content: ParameterContent, of parameter: Int) -> [Float] {
        let (layer, place) = place(of: parameter)
        let numbers =
            switch content {
            case .value: layers[layer].values[place]
            case .gradient: layers[layer].gradients[place]
            case .momentum: momentum[parameter]
            case .secondMoment: secondMoment[parameter]
            case .average: average[parameter]
            }
        return numbers.map(Float.init)
    }

    func write(_ tensor: Tensor, to content: ParameterContent, of parameter: Int) {
        let (layer, place) = place(of: parameter)
        let numbers = tensor.values.map(Double.init)
        switch content {
        case .value: layers[layer].values[place] = numbers
        case .momentum: momentum[parameter] = numbers
        case .secondMoment: secondMoment[parameter] = numbers
        case .average: average[parameter] = numbers
        case .gradient: Issue.record("nobody writes gradients")
        }
    }

    func shareWeights() -> any SharedWeights { ReferenceWeights(layers.map(\.values)) }

    fileprivate func copy(_ weights: ReferenceWeights) {
        for index in layers.indices { layers[index].values = weights.values[index] }
    }

    func clearState() {
        momentum = momentum.map { $0.map { _ in 0 } }
        secondMoment = momentum
    }

    /// Which layer's tensor a parameter is.
    private func place(of parameter: Int) -> (layer: Int, place: Int) {
        let places = layers.enumerated().flatMap { layer, reference in
            reference.values.indices.map { (layer, $0) }
        }
        return places[parameter]
    }
}
