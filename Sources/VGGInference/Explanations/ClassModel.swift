import VGGModel

extension LogitGradients {
    /// The image that a network finds most like a class: the highest logit, less a penalty on the image's size (Simonyan et al.
    /// 2014, "Deep Inside Convolutional Networks", equation 1), found by gradient ascent.
    /// - Parameters:
    ///   - label: 0 ..< classes.
    ///   - start: one image to begin with; nil for zeros.
    ///   - penalty: of the sum of the image's squares.
    ///   - progress: gets the number of the step, counted from 0, and the logit before it.
    /// - Returns: an image as the network takes it, [channels, height, width].
    public func classModel(
        of label: Int, from start: ImageBatch? = nil, steps: Int = 100, learningRate: Float = 1,
        penalty: Float = 0.01,
        progress: (_ step: Int, _ logit: Float) throws -> Void = { _, _ in }
    ) throws -> Tensor {
        try start?.check(fits: input)
        var values = start?.values ?? [Float](repeating: 0, count: input.count)
        for step in 0..<steps {
            let image = try ImageBatch(values, shape: input)
            try progress(step, try logits(image)[label])
            let gradient = try gradient(of: image, class: label).values
            for (place, slope) in gradient.enumerated() {
                values[place] += learningRate * (slope - 2 * penalty * values[place])
            }
        }
        return Tensor(shape: input.dimensions, values: values)
    }
}
