/// What the numbers in the convolutions' names say.
enum LayerNumbering {
    /// The block of each convolution, as in `2.0`, `block1_conv2` or `conv4_3`, the last of which is certain: it has a
    /// number for the convolution in its block, even where that is always the first.
    case blocks([Int], isCertain: Bool)
    /// The place of each convolution in one Sequential, as in `features.14`, and the distance of two that have nothing
    /// but batch norm and ReLU between them.
    case places([Int], distance: Int)
    /// Nothing: they count the convolutions, or the names are not alike.
    case none

    /// - Parameters:
    ///   - norms: one a convolution, or none.
    ///   - start: the first component that counts.
    /// - Throws: `NotVGGError` if a batch norm does not stand where a VGG's does.
    init(_ convolutions: [StoredLayer], _ norms: [StoredLayer], from start: Int) throws(NotVGGError) {
        let patterns = convolutions.map { Pattern($0.name, from: start) }
        guard let first = patterns.first, patterns.allSatisfy({ $0.texts == first.texts }) else {
            self = .none
            return
        }
        for (index, norm) in norms.enumerated() {
            // Of names that are alike the numbers are comparable.
            let (own, convolution) = (Pattern(norm.name, from: start), patterns[index])
            guard own.texts != convolution.texts || own.numbers == convolution.followingNumbers else {
                throw NotVGGError("\(norm.fileName) does not follow \(convolutions[index].fileName) at once")
            }
        }
        self.init(patterns, hasBatchNorm: !norms.isEmpty)
    }

    private init(_ patterns: [Pattern], hasBatchNorm: Bool) {
        let first = patterns[0]
        // What is the same in all, and last, is a layer's own place in a unit of convolution, batch norm and ReLU.
        var columns = first.numbers.count
        func column(_ index: Int) -> [Int] { patterns.map { $0.numbers[index] } }
        while columns > 1, !first.isOneWord(columns - 1), Set(column(columns - 1)).count == 1 { columns -= 1 }
        let isUnit = columns < first.numbers.count || first.texts[columns] != ""
        switch columns {
        case 1 where first.isWhole(0):
            let places = column(0)
            let distance = isUnit ? 1 : hasBatchNorm ? 3 : 2
            // Units that follow each other without a gap may have their pools inside.
            let hasGap = zip(places, places.dropFirst()).contains { $1 - $0 != 1 }
            self =
                isUnit && !hasGap ? .blocks(places, isCertain: false) : .places(places, distance: distance)
        case 2:
            let (outer, inner) = (column(0), column(1))
            if Set(outer).count == 1 {
                self = .none
            } else if first.isWhole(1), !isUnit, zip(inner, inner.dropFirst()).allSatisfy({ $0 < $1 }) {
                // Slices of one Sequential, whose places go on.
                self = .places(inner, distance: hasBatchNorm ? 3 : 2)
            } else {
                let areBlocks = Self.areBlocks(outer, inner, startingAt: first.isWhole(1) ? 0...0 : 0...1)
                self = areBlocks ? .blocks(outer, isCertain: first.isOneWord(1)) : .none
            }
        default: self = .none
        }
    }

    /// Whether the outer numbers go up evenly, and the inner ones evenly within each of them from the same start.
    private static func areBlocks(_ outer: [Int], _ inner: [Int], startingAt range: ClosedRange<Int>) -> Bool
    {
        guard range.contains(inner[0]) else { return false }
        var steps: Set<Int> = []
        var blockSteps: Set<Int> = []
        for index in outer.indices.dropFirst() {
            if outer[index] == outer[index - 1] {
                steps.insert(inner[index] - inner[index - 1])
            } else {
                blockSteps.insert(outer[index] - outer[index - 1])
                if inner[index] != inner[0] { return false }
            }
        }
        return steps.count <= 1 && blockSteps.count <= 1
    }
}

/// A name as texts and the numbers between them: `block1_conv2` is `block`, 1, `_conv`, 2 and an empty text.
private struct Pattern {
    /// One more than the numbers.
    var texts = [""]
    var numbers: [Int] = []

    init(_ name: LayerName, from start: Int) {
        for token in name.tokens(from: start) {
            switch token {
            case .text(let text): texts[texts.count - 1] += text
            case .number(let number):
                numbers.append(number)
                texts.append("")
            }
        }
    }

    /// Those of the layer after this one in a Sequential.
    var followingNumbers: [Int] { numbers.dropLast() + numbers.suffix(1).map { $0 + 1 } }

    /// Whether a number is a component of its own: a place in a Sequential, not a part of a word.
    func isWhole(_ index: Int) -> Bool {
        (texts[index].isEmpty && index == 0 || texts[index].hasSuffix("."))
            && (texts[index + 1].isEmpty || texts[index + 1].hasPrefix("."))
    }

    /// Whether a number and the one before are of one word, such as `conv4_3`.
    func isOneWord(_ index: Int) -> Bool { index > 0 && !texts[index].contains(".") }
}
