import VGGEngine

/// How the update after a backward pass is cut into tasks. Decided here alone.
struct UpdateTasks {
    struct Piece {
        let group: ParameterGroup
        /// Of the flat buffer.
        let range: Range<Int>
    }

    /// A task each.
    let pieces: [Piece]

    init(_ parts: [ParameterMap.Part], threads: Int) {
        let count = parts.map(\.range.count).reduce(0, +)
        let grain = TaskRanges(over: count, grain: 4096, least: panel, threads: threads).grain
        pieces = parts.flatMap { part in
            stride(from: part.range.lowerBound, to: part.range.upperBound, by: grain).map {
                Piece(group: part.group, range: $0..<min($0 + grain, part.range.upperBound))
            }
        }
    }
}
