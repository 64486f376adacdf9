import VGGImages
import VGGModel

/// Pictures as numbers of 0 (dark) to 1 (bright), [channels, height, width], in the order in which a network reads colours:
/// what is optimised. The network's own numbers follow from them, a factor and a shift for each channel.
public struct PictureColours: Sendable {
    /// Of the network's input: 1 for grey, 3 for colours.
    public let channels: Int
    private let order: Preprocessing.Channels
    private let factors, shifts: [Float]

    /// Those that weights expect which were trained with this preparation.
    public init(_ preprocessing: Preprocessing) {
        order = preprocessing.channels
        channels = order.count
        let range: Float = preprocessing.range == .unit ? 1 : 255
        factors = preprocessing.std.map { range / $0 }
        shifts = zip(preprocessing.mean, preprocessing.std).map { -$0 / $1 }
    }

    /// Where red, green and blue are among the channels.
    private var places: [Int] {
        switch order {
        case .rgb: [0, 1, 2]
        case .bgr: [2, 1, 0]
        case .grey: [0, 0, 0]
        }
    }

    /// A picture's brightness of 0…1, [channels, height, width].
    public func numbers(of picture: RGBImage) -> [Float] {
        let pixels = Pixels(picture).with(channels: channels)
        let size = picture.width * picture.height
        var numbers = [Float](repeating: 0, count: channels * size)
        pixels.bytes.withUnsafeBufferPointer { bytes in
            for channel in 0..<channels {
                let place = places[channel]
                for pixel in 0..<size {
                    numbers[place * size + pixel] = Float(bytes[pixel * channels + channel]) / 255
                }
            }
        }
        return numbers
    }

    /// What is darker than 0 or brighter than 1 becomes black or full.
    public func picture(of numbers: [Float], height: Int, width: Int) -> RGBImage {
        let size = width * height
        var bytes = [UInt8](repeating: 0, count: 3 * size)
        for (channel, place) in places.enumerated() {
            for pixel in 0..<size {
                // Of what is not a number, nothing.
                let value = numbers[place * size + pixel]
                bytes[3 * pixel + channel] = value >= 0 ? UInt8((min(value, 1) * 255).rounded()) : 0
            }
        }
        return RGBImage(width: width, height: height, pixels: bytes)
    }

    /// The network's input.
    public func input(of numbers: [Float], height: Int, width: Int) throws(InputError) -> ImageBatch {
        var input = numbers
        for channel in 0..<channels {
            for place in channel * height * width..<(channel + 1) * height * width {
                input[place] = factors[channel] * numbers[place] + shifts[channel]
            }
        }
        return try ImageBatch(input, shape: .map(channels: channels, height: height, width: width))
    }

    /// The gradient with respect to the numbers here, from that with respect to the network's input.
    public func gradient(of inputGradient: TensorValues) -> [Float] {
        var gradient = inputGradient.array
        let size = gradient.count / channels
        for channel in 0..<channels {
            for place in channel * size..<(channel + 1) * size { gradient[place] *= factors[channel] }
        }
        return gradient
    }
}
