import VGGModel

/// Finds where the blocks of a VGG end, of which a file has only the convolutions: from their names, and from their
/// channels, where these are those of a known depth. What leaves more than one answer is refused.
struct BlockReader {
    private let network: StoredNetwork

    /// - Parameter network: whose rows are not known yet.
    init(_ network: StoredNetwork) { self.network = network }

    /// More pools than any VGG's.
    private static let maximumBlocks = 12

    private var convolutions: [StoredLayer] { network.convolutions }
    private var channels: [Int] { convolutions.map(\.outputs) }

    /// - Throws: `NotVGGError` if nothing, or more than one thing, is said.
    func rows() throws(NotVGGError) -> ConvArch {
        let known = Architecture.rows(ofChannels: channels)
        switch try LayerNumbering(convolutions, network.norms, from: network.prefix.count) {
        case .blocks(let numbers, let isCertain) where isCertain || say(blocks: numbers, known):
            return try agreed(ConvArch(channels, endingWhere: { numbers[$0] != numbers[$0 + 1] }), known)
        case .places(let places, let distance):
            return try rows(at: places, distance: distance, known)
        case .blocks, .none:
            if let rows = known
                ?? (!network.linear.isEmpty ? nil : Architecture.firstRows(ofChannels: channels))
            {
                return rows
            }
            throw NotVGGError(
                "the names from \(convolutions[0].fileName) on do not say where its blocks end", suggestion)
        }
    }

    /// Whether numbers say which block a convolution is in: where there is one a block, they may as well count the
    /// convolutions, unless the linear layer's number goes on from them, after flattening and perhaps a pool.
    private func say(blocks numbers: [Int], _ known: ConvArch?) -> Bool {
        let blocks = Set(numbers).count
        return blocks < numbers.count || blocks == 1
            || known == nil && network.linearPlace.map { [blocks + 1, blocks + 2].contains($0) } == true
    }

    /// The rows of convolutions that stand at these places of a Sequential, where `distance` is that of two with
    /// nothing but batch norm and ReLU between them.
    private func rows(at places: [Int], distance: Int, _ known: ConvArch?) throws(NotVGGError) -> ConvArch {
        let distances = zip(places, places.dropFirst()).map { $1 - $0 }
        let rows = ConvArch(channels, endingWhere: { distances[$0] > distance })
        if places[0] == 0, distances.allSatisfy({ $0 == distance || $0 == distance + 1 }),
            rows.blocks.count <= Self.maximumBlocks, !poolsMayBeElsewhere(rows)
        {
            let withDropout = merged(rows)
            guard rows == withDropout || rows == known || isPapers(rows) else {
                throw doubt(rows, known ?? withDropout, known == nil ? "dropout" : "other layers")
            }
            return try agreed(rows, known)
        }
        // Other layers stand between: for a known depth in the same way everywhere.
        if let known, places[0] == 0, known.isRegular(distances) { return known }
        throw NotVGGError(problem(places, distance), known ?? suggestion)
    }

    private func problem(_ places: [Int], _ distance: Int) -> String {
        guard places[0] == 0 else { return "something stands before \(convolutions[0].fileName)" }
        let next = places.indices.dropFirst().first {
            !(distance...distance + 1).contains(places[$0] - places[$0 - 1])
        }
        guard let next else {
            return "the numbers from \(convolutions[0].fileName) on leave no place for its pools"
        }
        return
            "\(convolutions[next - 1].fileName) and \(convolutions[next].fileName) are not as far apart as in a VGG"
    }

    /// Whether the numbers show no pool at all though the channels change.
    private func poolsMayBeElsewhere(_ rows: ConvArch) -> Bool {
        rows.blocks.count == 1 && Set(rows.channels).count > 1
    }

    /// The rows if every gap that may be dropout's is: a block has one number of channels, so that a gap where it
    /// changes is a pool's, and one where it stays says nothing.
    private func merged(_ rows: ConvArch) -> ConvArch {
        ConvArch(
            rows.blocks.dropFirst().reduce(into: Array(rows.blocks.prefix(1))) { blocks, block in
                if blocks.last?.last == block.first {
                    blocks[blocks.count - 1] += block
                } else {
                    blocks.append(block)
                }
            })
    }

    /// Whether the blocks have as many convolutions as those of one of the paper's configurations, whatever their
    /// widths, or of one that was cut in the last block. Dropout would have to stand just so.
    private func isPapers(_ rows: ConvArch) -> Bool {
        let counts = rows.blocks.map(\.count)
        return Self.papers.contains { paper in
            counts == paper
                || network.linear.isEmpty && counts.count == paper.count
                    && counts.dropLast() == paper.dropLast()
                    && counts[counts.count - 1] < paper[paper.count - 1]
        }
    }

    private static let papers = [[1, 1, 2, 2, 2], [2, 2, 2, 2, 2], [2, 2, 3, 3, 3], [2, 2, 4, 4, 4]]

    /// The rows that the names say, if they are not those of a known depth with other pools.
    private func agreed(_ rows: ConvArch, _ known: ConvArch?) throws(NotVGGError) -> ConvArch {
        guard let known, known != rows else { return rows }
        throw doubt(rows, known, "other layers")
    }

    private func doubt(_ rows: ConvArch, _ other: ConvArch, _ layers: String) -> NotVGGError {
        // Of the two, one that has no pool where its channels change is hardly meant.
        NotVGGError(
            "its names fit \(rows), and also \(other) with \(layers) between",
            poolsMayBeElsewhere(other) ? rows : other)
    }

    /// Rows that end where the channels change.
    private var suggestion: ConvArch {
        let channels = channels
        return ConvArch(channels, endingWhere: { channels[$0] != channels[$0 + 1] })
    }
}

extension ConvArch {
    /// - Parameter isEnd: whether a block ends with the convolution of this index, which is not the last.
    init(_ channels: [Int], endingWhere isEnd: (Int) -> Bool) {
        var blocks: [[Int]] = [[]]
        for (index, count) in channels.enumerated() {
            blocks[blocks.count - 1].append(count)
            if index < channels.count - 1, isEnd(index) { blocks.append([]) }
        }
        self.init(blocks)
    }

    /// Whether the distances between convolutions are alike within all blocks, and not shorter and alike between them.
    fileprivate func isRegular(_ distances: [Int]) -> Bool {
        var index = -1
        let ends = Set(
            blocks.map { block in
                index += block.count
                return index
            })
        let within = Set(distances.indices.filter { !ends.contains($0) }.map { distances[$0] })
        let between = Set(distances.indices.filter(ends.contains).map { distances[$0] })
        return within.count <= 1 && between.count <= 1 && (within.first ?? 1) > 0
            && (within.first ?? 1) <= (between.first ?? .max)
    }
}
