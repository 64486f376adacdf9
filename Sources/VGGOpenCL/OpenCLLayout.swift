import VGGEngine
import VGGModel

/// What a plan takes of a device's memory beside its parameters.
struct OpenCLLayout {
    /// Regions of memory, in bytes, and which of them each activation is in: the input first, then every step's output.
    struct Regions {
        var sizes: [Int] = []
        var places: [Int?] = []
    }

    let plan: Plan
    let steps: [StepKind]

    init(_ plan: Plan) {
        self.plan = plan
        // Plans with others are refused (`OpenCLBackend.runs`).
        steps = plan.steps.compactMap { $0.kind(batchSize: plan.batchSize) }
    }

    private var activationSizes: [Int] {
        ([plan.steps[0].input] + plan.steps.map(\.output)).map { $0.bytes(plan.batchSize) }
    }

    /// In inference, and before the first step that is trained, only a step's input and output live at once.
    var activations: Regions {
        let sizes = activationSizes
        let taking = plan.mode == .inference ? sizes.count : plan.frozenSteps
        var regions = Self.takingTurns(sizes.prefix(taking).map { $0 })
        for size in sizes.dropFirst(taking) {
            regions.places.append(regions.sizes.count)
            regions.sizes.append(size)
        }
        return regions
    }

    /// Of the activations' gradients two live at once; a training needs neither the input's nor those of what is frozen.
    var gradients: Regions {
        let sizes = activationSizes
        guard plan.mode.hasBackward else {
            return Regions(places: sizes.map { _ in nil })
        }
        return Self.takingTurns(
            sizes.enumerated().map { index, size in
                index > 0 && index > plan.frozenSteps
                    || index < plan.steps.count && plan.steps[index].needsInputGradient ? size : nil
            })
    }

    /// Two regions, each as large as the largest that it holds.
    private static func takingTurns(_ sizes: [Int?]) -> Regions {
        let turns = (0..<2).map { turn in
            sizes.indices.filter { $0 % 2 == turn }.compactMap { sizes[$0] }.max()
        }
        let used = (0..<2).filter { turns[$0] != nil }
        return Regions(
            sizes: turns.compactMap(\.self),
            places: sizes.indices.map { sizes[$0] == nil ? nil : used.firstIndex(of: $0 % 2) })
    }

    var kept: Int { steps.flatMap(\.memory.kept).reduce(0, +) }
    /// A training adds up there how long its gradients are.
    var scratch: Int {
        let squares = plan.mode == .training ? SumParts.most * Element.float32.size : 0
        return steps.map(\.memory.scratch).reduce(squares, max)
    }
    /// Of a batch that comes while the last one is in use.
    var images: Int { plan.steps[0].input.count * plan.batchSize * Element.float32.size }
    /// Nil where the network has no classifier.
    var loss: OpenCLLoss.Layout? {
        plan.network.head.map { _ in
            OpenCLLoss.Layout(batchSize: plan.batchSize, classes: plan.network.output.count)
        }
    }
}

extension Activation {
    /// Bytes of a batch.
    func bytes(_ batchSize: Int) -> Int { (count * batchSize * element.size).roundedUp(to: 4) }
}

/// Bytes that a step needs beside its activations and parameters.
struct StepMemory {
    /// For as long as the plan lives, each of them.
    var kept: [Int] = []
    /// While the step runs.
    var scratch = 0
}

/// Into how many parts a sum is cut, each a group's: so many that there are groups enough, and each has enough to add. It
/// follows from the shape alone.
struct SumParts {
    /// What each part but the last adds up.
    let chunk: Int
    let count: Int
    static let most = 256

    /// - Parameters:
    ///   - total: what is added up.
    ///   - groups: those of each part.
    ///   - wanted: groups in all.
    ///   - least: the smallest chunk, of which others are multiples.
    init(_ total: Int, groups: Int, wanted: Int, least: Int) {
        let most = min(Self.most, max(1, wanted / groups))
        chunk = max(total.parts(of: most), least).roundedUp(to: least)
        count = total.parts(of: chunk)
    }
}
