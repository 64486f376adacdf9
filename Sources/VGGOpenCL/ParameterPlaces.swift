import VGGEngine
import VGGModel

/// Where a plan's parameters lie in one buffer, each as PyTorch has it. The trained ones come first, so that gradients and what
/// the optimiser keeps are buffers of the same shape; of these the weights of linear layers come last, which are updated as their
/// gradients are made where nobody wants to see these. What an optimiser treats alike lies together.
struct ParameterPlaces: Sendable {
    /// Trained parameters that an optimiser treats alike.
    struct Part: Sendable {
        let group: ParameterGroup
        let isUpdatedAtOnce: Bool
        /// Numbers of the buffer.
        let range: Range<Int>
    }

    /// Numbers before each parameter, in the order of `network.parameters`.
    private(set) var offsets: [Int]
    let counts: [Int]
    private(set) var parts: [Part] = []
    /// Numbers of the trained parameters that are updated after the backward pass, of all that are trained, and of all.
    private(set) var updatedAfterwards = 0
    let trained: Int
    private(set) var total = 0

    /// - Parameter alignment: bytes that each parameter begins at a multiple of.
    init(_ plan: Plan, alignment: Int) {
        // Also the copies in 16 bits, which lie alike.
        let unit = alignment / (plan.precision == .bf16 ? Element.bfloat16 : .float32).size
        let parameters = plan.parameters
        counts = parameters.map { $0.description.shape.reduce(1, *) }
        offsets = Array(repeating: 0, count: parameters.count)
        let isAtOnce = parameters.map { parameter in
            if case .linear = plan.steps[parameter.step].operation {
                !parameter.group.isVector
            } else {
                false
            }
        }
        for atOnce in [false, true] {
            for group in ParameterGroup.all {
                let start = total
                for index in parameters.indices
                where parameters[index].isTrained && isAtOnce[index] == atOnce
                    && parameters[index].group == group
                {
                    offsets[index] = total
                    total += counts[index].roundedUp(to: unit)
                }
                if total > start {
                    parts.append(Part(group: group, isUpdatedAtOnce: atOnce, range: start..<total))
                }
            }
            if !atOnce { updatedAfterwards = total }
        }
        trained = total
        for index in parameters.indices where !parameters[index].isTrained {
            offsets[index] = total
            total += counts[index].roundedUp(to: unit)
        }
    }
}
