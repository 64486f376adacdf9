import VGGEngine
import VGGModel

/// Where every tensor of a network lies in one flat buffer. The trained ones come first, so that gradients and
/// the optimiser's state are buffers of the same shape; of these the weights of linear layers come last, which
/// are updated as their gradients are made (see `LinearStep`), so that the rest is updated in one walk.
struct ParameterMap: Sendable {
    struct Entry: Sendable {
        let layout: ParameterLayout
        let offset: Int
        /// Whether the tensor has a gradient; frozen ones and running statistics have none.
        let isTrained: Bool
    }

    private enum Section: Int, CaseIterable {
        case updatedAfterwards, updatedAtOnce, notTrained
    }

    /// In the order of `network.parameters`.
    let entries: [Entry]
    /// Floats of the trained tensors that are updated after the backward pass.
    let updatedAfterwards: Int
    /// The bias of the last linear layer: the last of these.
    let headBias: Range<Int>
    /// Floats of the trained tensors.
    let trained: Int
    /// Floats of all tensors.
    let total: Int

    init(steps: [LaidOutStep]) {
        let tensors = steps.flatMap { step in
            step.parameterLayouts.enumerated().map { index, layout in
                (layout: layout, section: Self.section(of: step, index))
            }
        }
        var next: [Int] = []
        var total = 0
        for section in Section.allCases {
            next.append(total)
            total += tensors.filter { $0.section == section }.map(\.layout.count).reduce(0, +)
        }
        updatedAfterwards = next[Section.updatedAtOnce.rawValue]
        trained = next[Section.notTrained.rawValue]
        self.total = total
        entries = tensors.map { layout, section in
            defer { next[section.rawValue] += layout.count }
            return Entry(
                layout: layout, offset: next[section.rawValue], isTrained: section != .notTrained)
        }
        let head = updatedAfterwards > 0 ? entries.last?.layout.count ?? 0 : 0
        headBias = updatedAfterwards - head..<updatedAfterwards
    }

    private static func section(of step: LaidOutStep, _ tensor: Int) -> Section {
        switch step.operation {
        case _ where step.mode == .inference: .notTrained
        case .batchNorm where tensor >= 2: .notTrained
        case .linear where tensor == 0: .updatedAtOnce
        default: .updatedAfterwards
        }
    }
}
