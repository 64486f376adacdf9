import VGGEngine

/// Where a plan's maps lie. A training goes through its steps twice, and what a step makes is in use until the last step
/// that reads it: after that others lie there.
extension LaidOutPlan {
    /// In bytes of one piece of memory.
    struct Places: Sendable {
        /// The input, then every step's output.
        let activations: [Int]
        /// Of their gradients; a training needs neither the input's nor those of what frozen steps make.
        let gradients: [Int]
        /// Of what each step keeps from the forward to the backward pass.
        let kept: [Int]
        let total: Int
    }

    /// In inference, and before the first step that is trained, only a step's input and output live at once.
    var places: Places {
        let maps = [steps[0].input] + steps.map(\.output)
        let sizes = maps.map { ($0.imageStride * plan.batchSize + slack) * $0.element.size }
        guard plan.mode.hasBackward else {
            let turns = Self.takingTurns(sizes)
            return Places(
                activations: turns.offsets, gradients: [], kept: steps.map { _ in 0 }, total: turns.total)
        }
        let frozen = plan.frozenSteps
        let turns = Self.takingTurns(Array(sizes.prefix(frozen)))
        let activations = maps.indices.dropFirst(frozen).map {
            MemoryPlaces.Item(bytes: sizes[$0], times: max(0, $0 - 1)...lastUse(ofActivation: $0))
        }
        let kept = steps.enumerated().map { index, step in
            MemoryPlaces.Item(
                bytes: step.kind.kept(batchSize: plan.batchSize), times: index...backwardTime(index))
        }
        let firstGradient = plan.mode == .inputGradient ? 0 : frozen + 1
        let gradients = maps.enumerated().map { index, map in
            let bytes = (map.gradientStride * plan.batchSize + slack) * map.element.size
            return MemoryPlaces.Item(
                bytes: index < firstGradient ? 0 : bytes, times: backwardTime(index)...backwardTime(index - 1)
            )
        }
        let ofFrozen = MemoryPlaces.Item(bytes: turns.total, times: 0...max(0, frozen - 1))
        let places = MemoryPlaces([ofFrozen] + activations + kept + gradients)
        let offsets = places.offsets.dropFirst()
        return Places(
            activations: turns.offsets.map { $0 + places.offsets[0] } + offsets.prefix(activations.count),
            gradients: Array(offsets.suffix(gradients.count)),
            kept: Array(offsets.dropFirst(activations.count).prefix(kept.count)), total: places.total)
    }

    /// Times are those of the steps' forward passes, then that of the loss, then those of the backward passes.
    private func backwardTime(_ step: Int) -> Int { 2 * steps.count - step }

    /// The backward pass of a step reads the step's input and may read its output.
    private func lastUse(ofActivation index: Int) -> Int {
        // What is made of a kept layer may read it until its gradient is passed on.
        guard plan.mode == .training else { return backwardTime(max(0, index - 1)) }
        if index > plan.frozenSteps, steps[index - 1].kind.readsOutputBackward {
            return backwardTime(index - 1)
        }
        return index < steps.count && steps[index].remakesInput ? index : backwardTime(index)
    }

    /// Two regions take turns, each as large as the largest that it holds.
    private static func takingTurns(_ sizes: [Int]) -> (offsets: [Int], total: Int) {
        let regions = (0..<2).map { turn in
            (sizes.indices.filter { $0 % 2 == turn }.map { sizes[$0] }.max() ?? 0).roundedUp(to: 64)
        }
        return (sizes.indices.map { $0 % 2 == 0 ? 0 : regions[0] }, regions[0] + regions[1])
    }
}
