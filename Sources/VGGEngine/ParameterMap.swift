import VGGModel

/// Where every tensor of a network lies in one flat buffer: the trained ones first, so that gradients and
/// the optimiser's state are buffers of the same shape and an update is one walk.
struct ParameterMap: Sendable {
    struct Entry: Sendable {
        let layout: ParameterLayout
        let offset: Int
    }

    /// In the order of `network.parameters`.
    let entries: [Entry]
    /// Floats of the trained tensors.
    let trained: Int
    /// Floats of all tensors.
    let total: Int

    init(steps: [PlannedStep]) {
        let layouts = steps.flatMap { step in
            step.parameterLayouts.enumerated().map { (layout: $1, isTrained: $0 < 2) }
        }
        var trained = 0
        var total = layouts.filter(\.isTrained).map(\.layout.count).reduce(0, +)
        self.trained = total
        entries = layouts.map { layout, isTrained in
            let entry = Entry(layout: layout, offset: isTrained ? trained : total)
            if isTrained { trained += layout.count } else { total += layout.count }
            return entry
        }
        self.total = total
    }
}
