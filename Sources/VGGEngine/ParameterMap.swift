import VGGModel

/// Where every tensor of a network lies in one flat buffer. The trained ones come first, so that gradients and
/// the optimiser's state are buffers of the same shape; of these the weights of linear layers come last, which
/// are updated as their gradients are made (see `LinearStep`), so that the rest is updated in one walk.
struct ParameterMap: Sendable {
    struct Entry: Sendable {
        let layout: ParameterLayout
        let offset: Int
    }

    private enum Section: Int, CaseIterable {
        case updatedAfterwards, updatedAtOnce, running
    }

    /// In the order of `network.parameters`.
    let entries: [Entry]
    /// Floats of the trained tensors that are updated after the backward pass.
    let updatedAfterwards: Int
    /// Floats of the trained tensors.
    let trained: Int
    /// Floats of all tensors.
    let total: Int

    init(steps: [PlannedStep]) {
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
        trained = next[Section.running.rawValue]
        self.total = total
        entries = tensors.map { layout, section in
            defer { next[section.rawValue] += layout.count }
            return Entry(layout: layout, offset: next[section.rawValue])
        }
    }

    private static func section(of step: PlannedStep, _ tensor: Int) -> Section {
        switch step.operation {
        case .batchNorm where tensor >= 2: .running
        case .linear where tensor == 0: .updatedAtOnce
        default: .updatedAfterwards
        }
    }
}
