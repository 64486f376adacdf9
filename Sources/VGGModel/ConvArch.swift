/// The rows of a VGG network, block by block: the channels that each of the block's convolutions makes.
///
/// `[(1, 64), (1, 128), (2, 256), (2, 512), (2, 512)]` is VGG-11, in convolutions and channels as the chapter's
/// `conv_arch` has them; the same as text is `1x64,1x128,2x256,2x512,2x512`. The convolutions of a block may also
/// make different numbers of channels: `32+128,128+384,384` has two blocks of two and one of one.
public struct ConvArch: Hashable, Sendable {
    /// For each block the channels of its convolutions; no block is empty.
    public private(set) var blocks: [[Int]]

    /// - Parameter blocks: for each block the channels of its convolutions; blocks without any are left out.
    public init(_ blocks: [[Int]]) { self.blocks = blocks.filter { !$0.isEmpty } }

    /// The channels of all convolutions, in order.
    public var channels: [Int] { blocks.flatMap(\.self) }

    /// Reads rows such as `1x64,1x128,2x256` or `32+128,128+384`.
    /// - Throws: `ModelError.invalidConvArch` if the text is anything else.
    public init(parsing text: String) throws(ModelError) {
        blocks = []
        for row in text.split(separator: ",", omittingEmptySubsequences: false) {
            var block: [Int] = []
            for part in row.split(separator: "+", omittingEmptySubsequences: false) {
                let numbers = part.split(separator: "x", omittingEmptySubsequences: false).map { Int($0) }
                guard (1...2).contains(numbers.count), let channels = numbers.last.flatMap(\.self),
                    let convolutions = numbers.count == 1 ? 1 : numbers[0]
                else {
                    throw .invalidConvArch(
                        text, reason: "'\(part)' is neither CONVOLUTIONSxCHANNELS nor CHANNELS")
                }
                guard (1...64).contains(convolutions), (1...8192).contains(channels) else {
                    throw .invalidConvArch(text, reason: "'\(part)' is out of range")
                }
                block += Array(repeating: channels, count: convolutions)
            }
            guard block.count <= 64 else {
                throw .invalidConvArch(text, reason: "'\(row)' is more than 64 convolutions")
            }
            blocks.append(block)
        }
    }

    /// The rows with so many times fewer channels; nil where a number of channels cannot be divided.
    package func divided(by divisor: Int) -> ConvArch? {
        guard divisor > 0, channels.allSatisfy({ $0 % divisor == 0 }) else { return nil }
        return ConvArch(blocks.map { $0.map { $0 / divisor } })
    }
}

extension ConvArch: ExpressibleByArrayLiteral {
    /// Rows of (convolutions, channels).
    public init(arrayLiteral rows: (convolutions: Int, channels: Int)...) {
        self.init(rows.map { Array(repeating: $0.channels, count: $0.convolutions) })
    }
}

extension ConvArch: CustomStringConvertible {
    /// What `init(parsing:)` reads.
    public var description: String {
        blocks.map { block in
            Set(block).count == 1
                ? "\(block.count)x\(block[0])" : block.map(String.init).joined(separator: "+")
        }.joined(separator: ",")
    }
}
