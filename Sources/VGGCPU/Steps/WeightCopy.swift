import VGGEngine

/// A copy of a step's weights as its kernels want them, made again when the parameters have changed.
final class WeightCopy {
    private let buffer: Buffer
    /// The version of the parameters that the copy is of.
    private var version = 0

    init(bytes: Int) throws(PlanError) {
        buffer = try Buffer(bytes: bytes)
    }

    /// The copy for the parameters as they are now; `make` writes it where it is out of date.
    func current<Number>(
        _ parameters: ParameterVersion, make: (UnsafeMutablePointer<Number>) -> Void
    ) -> UnsafeMutablePointer<Number> {
        let memory = buffer.memory.assumingMemoryBound(to: Number.self)
        if version != parameters.value {
            version = parameters.value
            make(memory)
        }
        return memory
    }
}
