import VGGEngine
import VGGModel

/// Where every tensor of a network lies in one flat buffer. The trained ones come first, so that gradients and
/// the optimiser's state are buffers of the same shape; of these the weights of linear layers come last, which may be
/// updated as their gradients are made (see `LinearStep`). What an optimiser treats alike lies together.
struct ParameterMap: Sendable {
    struct Entry: Sendable {
        let layout: ParameterLayout
        let offset: Int
    }

    /// Trained tensors that an optimiser treats alike.
    struct Part: Sendable {
        let group: ParameterGroup
        /// Whether a backward pass with an optimiser updates them itself.
        let isUpdatedAtOnce: Bool
        /// Where in the buffer they lie.
        let range: Range<Int>
    }

    /// In the order of `network.parameters`.
    let entries: [Entry]
    /// Of the trained tensors, in the order of the buffer.
    let trainedParts: [Part]
    /// Floats of the trained tensors that are updated after the backward pass.
    let updatedAfterwards: Int
    /// Floats of the trained tensors.
    let trained: Int
    /// Floats of all tensors.
    let total: Int

    init(_ plan: LaidOutPlan) {
        let layouts = plan.steps.flatMap(\.parameterLayouts)
        let parameters = plan.plan.parameters
        func isUpdatedAtOnce(_ index: Int) -> Bool {
            guard case .linear = plan.steps[parameters[index].step].operation else { return false }
            return !parameters[index].group.isVector
        }
        var entries = layouts.map { Entry(layout: $0, offset: 0) }
        var total = 0
        /// Puts tensors behind those that have their places.
        func place(_ chosen: [Int]) -> Range<Int> {
            let start = total
            for index in chosen {
                entries[index] = Entry(layout: layouts[index], offset: total)
                total += layouts[index].count
            }
            return start..<total
        }
        var parts: [Part] = []
        for isAtOnce in [false, true] {
            let chosen = parameters.indices.filter {
                parameters[$0].isTrained && isUpdatedAtOnce($0) == isAtOnce
            }
            for group in ParameterGroup.all {
                let range = place(chosen.filter { parameters[$0].group == group })
                parts.append(Part(group: group, isUpdatedAtOnce: isAtOnce, range: range))
            }
        }
        trainedParts = parts.filter { !$0.range.isEmpty }
        updatedAfterwards = trainedParts.last { !$0.isUpdatedAtOnce }?.range.upperBound ?? 0
        trained = total
        _ = place(parameters.indices.filter { !parameters[$0].isTrained })
        self.total = total
        self.entries = entries
    }
}
