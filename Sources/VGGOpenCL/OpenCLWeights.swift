import VGGEngine

/// A plan's parameters in a device's memory. Plans for inference may share them; nobody writes them any more then.
final class OpenCLWeights: SharedWeights {
    let places: ParameterPlaces
    let values: OpenCLBuffer
    /// Each of them.
    let parameters: [OpenCLBuffer]
    /// In mixed precision, copies in 16 bits, which products read; none of a parameter else.
    let copies: OpenCLBuffer?
    let copiedParameters: [OpenCLBuffer]

    init(_ plan: Plan, _ queue: OpenCLQueue) throws(PlanError) {
        let context = queue.context
        let places = ParameterPlaces(plan, alignment: context.device.alignment)
        let values = try OpenCLBuffer(bytes: places.bytes(of: .float32), context, queue)
        self.places = places
        self.values = values
        parameters = try places.parts(of: values, .float32)
        guard plan.precision == .bf16 else {
            copies = nil
            copiedParameters = []
            return
        }
        let rounded = try OpenCLBuffer(bytes: places.bytes(of: .bfloat16), context, queue)
        copies = rounded
        copiedParameters = try places.parts(of: rounded, .bfloat16)
    }

    /// Makes the copies what the parameters are.
    func copy(by queue: OpenCLQueue) {
        guard let copies else { return }
        queue.numbers("round_numbers", places.total, UInt64(places.total), values, copies)
    }
}

extension ParameterPlaces {
    func bytes(of element: Element) -> Int { total * element.size }

    /// Each parameter's part of a buffer of numbers like those of all parameters.
    func parts(of buffer: OpenCLBuffer, _ element: Element) throws(PlanError) -> [OpenCLBuffer] {
        var parts: [OpenCLBuffer] = []
        for (offset, count) in zip(offsets, counts) {
            let bytes = count * element.size
            guard let part = OpenCLBuffer(buffer, offset: offset * element.size, bytes: bytes) else {
                throw .outOfMemory(bytes: bytes)
            }
            parts.append(part)
        }
        return parts
    }
}
