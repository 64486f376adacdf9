/// Changes the examples of a training as they are made.
///
/// What it does depends on the draw and on nothing else, so that no thread, no order and no interruption changes an
/// example. It stands between the two halves of a `Preparation`: pixels that have their size, and numbers that are
/// normalised.
public protocol Augmentation: Sendable {
    /// - Parameter pixels: keep their height, width and channels.
    func change(_ pixels: inout Pixels, _ draw: ExampleDraw)

    /// - Parameter values: `[channels, height, width]`.
    func change(_ values: inout MutableSpan<Float>, _ draw: ExampleDraw)
}

extension Augmentation {
    public func change(_ pixels: inout Pixels, _ draw: ExampleDraw) {}
    public func change(_ values: inout MutableSpan<Float>, _ draw: ExampleDraw) {}
}

/// What the random numbers of an example are drawn from.
public struct ExampleDraw: Hashable, Sendable {
    public let seed: UInt64
    public let epoch: Int
    /// Its number in the data set.
    public let example: Int

    public init(seed: UInt64, epoch: Int, example: Int) {
        self.seed = seed
        self.epoch = epoch
        self.example = example
    }
}
