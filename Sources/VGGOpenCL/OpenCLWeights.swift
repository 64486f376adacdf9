import VGGEngine

/// A plan's parameters in a device's memory. Plans for inference may share them; nobody writes them any more then.
final class OpenCLWeights: SharedWeights {
    let places: ParameterPlaces
    let values: OpenCLBuffer
    /// Each of them.
    let parameters: [OpenCLBuffer]

    init(_ plan: Plan, _ queue: OpenCLQueue) throws(PlanError) {
        let context = queue.context
        let places = ParameterPlaces(plan, alignment: context.device.alignment)
        let values = try OpenCLBuffer(bytes: places.total * 4, context, queue)
        self.places = places
        self.values = values
        parameters = try places.parts(of: values)
    }
}

extension ParameterPlaces {
    /// Each parameter's part of a buffer of numbers like those of all parameters.
    func parts(of buffer: OpenCLBuffer) throws(PlanError) -> [OpenCLBuffer] {
        var parts: [OpenCLBuffer] = []
        for (offset, count) in zip(offsets, counts) {
            guard let part = OpenCLBuffer(buffer, offset: offset * 4, bytes: count * 4) else {
                throw .outOfMemory(bytes: count * 4)
            }
            parts.append(part)
        }
        return parts
    }
}
