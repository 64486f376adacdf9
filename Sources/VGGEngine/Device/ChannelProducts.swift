/// What is made of the channels of a batch's maps, by its definition: for devices that have nothing faster.
struct ChannelProducts {
    /// [count, channels, pixels].
    private let values: [Float]
    private let channels: Int
    private let count: Int
    private let pixels: Int

    init(_ values: [Float], channels: Int, count: Int) {
        self.values = values
        self.channels = channels
        self.count = count
        pixels = values.count / (channels * count)
    }

    /// The pixels of a channel.
    private func map(_ image: Int, _ channel: Int) -> ArraySlice<Float> {
        let start = (image * channels + channel) * pixels
        return values[start..<start + pixels]
    }

    /// [count, channels, channels]: of every two channels the sum of their products over the pixels.
    var gram: [Float] {
        var gram = [Float](repeating: 0, count: count * channels * channels)
        for image in 0..<count {
            for row in 0..<channels {
                for column in 0...row {
                    let sum = zip(map(image, row), map(image, column)).reduce(0.0) {
                        $0 + Double($1.0) * Double($1.1)
                    }
                    gram[(image * channels + row) * channels + column] = Float(sum)
                    gram[(image * channels + column) * channels + row] = Float(sum)
                }
            }
        }
        return gram
    }

    /// [count, channels, pixels]: each pixel multiplied by its image's matrix.
    /// - Parameter matrices: [count, channels, channels].
    func multiplied(by matrices: [Float]) -> [Float] {
        var product: [Float] = []
        product.reserveCapacity(values.count)
        for image in 0..<count {
            for row in 0..<channels {
                var sums = [Double](repeating: 0, count: pixels)
                for column in 0..<channels {
                    let factor = Double(matrices[(image * channels + row) * channels + column])
                    for (pixel, value) in map(image, column).enumerated() {
                        sums[pixel] += factor * Double(value)
                    }
                }
                product += sums.map(Float.init)
            }
        }
        return product
    }

    /// [count, channels, pixels]: each channel times a factor, where wanted after each pixel was divided by its length.
    func scaled(by factors: [Float], isNormalized: Bool) -> [Float] {
        var scaled = values
        for image in 0..<count {
            for pixel in 0..<pixels {
                let places = (0..<channels).map { (image * channels + $0) * pixels + pixel }
                let squares = places.reduce(0) { $0 + values[$1] * values[$1] }
                let length = isNormalized ? squares.squareRoot() + 1e-10 : 1
                for (place, factor) in zip(places, factors) {
                    scaled[place] = values[place] / length * factor
                }
            }
        }
        return scaled
    }
}
