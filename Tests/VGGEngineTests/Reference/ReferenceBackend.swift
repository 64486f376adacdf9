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
    let threads = 1
    let kernels = "double"
    let preferredPrecision = Precision.fp32
    let freeMemory: Int? = nil

    func measuredPeak(_ precision: Precision) -> Double { 0 }
    func memory(of plan: Plan, optimizer: SGD?) -> PlanMemory {
        PlanMemory(parameters: 0, gradients: 0, optimizerState: 0, activations: 0, scratch: 0)
    }
    func steps(of plan: Plan) -> [StepDescription] { [] }
    func bind(_ plan: Plan) throws(PlanError) -> any BoundPlan { ReferencePlan(plan) }
    func bind(_ plan: Plan, sharing weights: any SharedWeights) throws(PlanError) -> any BoundPlan {
        let bound = ReferencePlan(plan)
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
    private let plan: Plan
    private var layers: [ReferenceLayer]
    private var momentum: [[Double]]
    /// Before each layer, and after the last.
    private var activations: [ReferenceBatch]
    /// Of each step's output.
    private var stepGradients: [ReferenceBatch]

    init(_ plan: Plan) {
        self.plan = plan
        layers = plan.network.layers.map { placed in
            ReferenceLayer(
                placed,
                values: placed.parameters.map { Array(repeating: 0, count: $0.shape.reduce(1, *)) })
        }
        momentum = layers.flatMap(\.values)
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

    func loss(labels: [Int32], _ pass: Pass) -> BatchMetrics {
        var metrics = BatchMetrics(lossSum: 0, correct: 0, count: labels.count)
        var gradient: ReferenceBatch = []
        for (logits, label) in zip(activations[layers.count], labels.map(Int.init)) {
            let top = logits.max()!
            let exponentials = logits.map { exp($0 - top) }
            let sum = exponentials.reduce(0, +)
            let share = Double(pass.smoothing) / Double(logits.count)
            let targets = logits.indices.map { share + ($0 == label ? 1 - Double(pass.smoothing) : 0) }
            metrics.lossSum += zip(targets, logits).reduce(0) { $0 + $1.0 * (log(sum) - ($1.1 - top)) }
            if logits.indices.max(by: { logits[$0] < logits[$1] }) == label { metrics.correct += 1 }
            gradient.append(
                zip(exponentials, targets).map { ($0 / sum - $1) / Double(pass.node.batch) })
        }
        if pass.isTraining { stepGradients[plan.steps.count - 1] = gradient }
        return metrics
    }

    func setGradient(ofLogit logit: Int) {
        stepGradients[plan.steps.count - 1] = [
            (0..<plan.network.output.count).map { $0 == logit ? 1 : 0 }
        ]
    }

    func backward(_ step: Int, _ pass: Pass) {
        var gradient = stepGradients[step]
        for index in layers(of: step).reversed() {
            gradient =
                dropped(gradient, index, step, pass) ?? layers[index].backward(activations[index], gradient)
        }
        if step > 0 { stepGradients[step - 1] = gradient }
    }

    /// Dropout's draw for each number, counted along rows of pixels and their channels; nil for another layer.
    private func dropped(_ batch: ReferenceBatch, _ layer: Int, _ step: Int, _ pass: Pass) -> ReferenceBatch?
    {
        guard case .dropout(let probability) = layers[layer].placed.layer, pass.isTraining else { return nil }
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

    /// PyTorch's `torch.optim.SGD`.
    func update(with optimizer: SGD, after pass: Pass) {
        for parameter in trained {
            let rule = optimizer.rule(for: plan.parameters[parameter].group)
            let factor = Double(rule.momentum)
            let (layer, place) = place(of: parameter)
            for element in layers[layer].values[place].indices {
                let value = layers[layer].values[place][element]
                var change = layers[layer].gradients[place][element] + Double(rule.weightDecay) * value
                if factor != 0 {
                    momentum[parameter][element] = factor * momentum[parameter][element] + change
                    change =
                        momentum[parameter][element] * (rule.nesterov ? factor : 1)
                        + (rule.nesterov ? change : 0)
                }
                layers[layer].values[place][element] = value - Double(rule.learningRate) * change
            }
        }
    }

    func output(of step: Int, count: Int) -> [Float] {
        activations[plan.steps[step].layers.upperBound].flatMap { $0.map(Float.init) }
    }

    func gradient(of step: Int, count: Int) -> [Float] { stepGradients[step].flatMap { $0.map(Float.init) } }

    func read(_ content: ParameterContent, of parameter: Int) -> [Float] {
        let (layer, place) = place(of: parameter)
        let numbers =
            switch content {
            case .value: layers[layer].values[place]
            case .gradient: layers[layer].gradients[place]
            case .momentum: momentum[parameter]
            }
        return numbers.map(Float.init)
    }

    func write(_ tensor: Tensor, to content: ParameterContent, of parameter: Int) {
        let (layer, place) = place(of: parameter)
        let numbers = tensor.values.map(Double.init)
        switch content {
        case .value: layers[layer].values[place] = numbers
        case .momentum: momentum[parameter] = numbers
        case .gradient: Issue.record("nobody writes gradients")
        }
    }

    func shareWeights() -> any SharedWeights { ReferenceWeights(layers.map(\.values)) }

    fileprivate func copy(_ weights: ReferenceWeights) {
        for index in layers.indices { layers[index].values = weights.values[index] }
    }

    func clearMomentum() { momentum = momentum.map { $0.map { _ in 0 } } }

    /// Which layer's tensor a parameter is.
    private func place(of parameter: Int) -> (layer: Int, place: Int) {
        let places = layers.enumerated().flatMap { layer, reference in
            reference.values.indices.map { (layer, $0) }
        }
        return places[parameter]
    }
}
