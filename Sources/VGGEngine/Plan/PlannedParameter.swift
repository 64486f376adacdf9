import VGGModel

/// A parameter of a plan: which step reads it, and whether it is trained.
package struct PlannedParameter: Sendable {
    /// Its name and shape.
    package let description: ParameterDescription
    /// The index of the step that reads it.
    package let step: Int
    /// Whether it has a gradient; frozen ones and running statistics have none.
    package let isTrained: Bool
    /// What an optimiser may tell it by.
    package let group: ParameterGroup

    /// In the order of `network.parameters`.
    static func parameters(of network: Network, _ steps: [PlannedStep]) -> [PlannedParameter] {
        steps.enumerated().flatMap { index, step in
            network.layers[step.layers].flatMap { placed in
                let isNorm = if case .batchNorm = placed.layer { true } else { false }
                return placed.parameters.map { description in
                    PlannedParameter(
                        description: description, step: index,
                        isTrained: step.mode == .training && description.isTrained,
                        group: ParameterGroup(
                            isOfHead: index == steps.count - 1 && network.head != nil,
                            isVector: description.shape.count == 1,
                            isShift: isNorm && description.name.hasSuffix(".bias")))
                }
            }
        }
    }
}
