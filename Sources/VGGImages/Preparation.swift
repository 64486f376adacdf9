import VGGModel

/// How the pixels of a picture become a network's input, in training or in testing: a frame is taken of it, an
/// augmentation may change that, and its bytes become numbers.
public struct Preparation: Sendable {
    /// What is taken of a picture.
    private enum Frame: Sendable {
        /// All of it, stretched to the size.
        case whole
        /// The shorter side is resized to so many pixels, and the middle kept.
        case middle(resize: Int)
    }

    /// Of what comes out, in pixels.
    public let height: Int
    /// Of what comes out, in pixels.
    public let width: Int
    /// Of what comes out: 1 for grey, 3 for colours.
    public let channels: Int
    private let frame: Frame
    /// What is looked for before a frame is taken; nil for nothing.
    package let subject: Preprocessing.Subject?
    private let isBlueFirst: Bool
    /// For each channel what a byte becomes.
    private let numbers: [[Float]]
    /// Of a training alone; nil for none.
    public var augmentation: Augmentation?

    /// As `preprocessing` says: every number is bit for bit that of torchvision's `Resize`, `CenterCrop`, `ToTensor` and
    /// `Normalize`.
    public init(_ preprocessing: Preprocessing) {
        (height, width) = (preprocessing.size, preprocessing.size)
        channels = preprocessing.channels.count
        frame = .middle(resize: preprocessing.resize)
        subject = preprocessing.subject
        isBlueFirst = preprocessing.channels == .bgr
        // As torch does it: a division for the range (not a product with the rounded 1/255), and then the difference and
        // a division for the mean and the standard deviation.
        numbers = zip(preprocessing.mean, preprocessing.std).map { mean, std in
            (0...255).map { byte in
                ((preprocessing.range == .unit ? Float(byte) / 255 : Float(byte)) - mean) / std
            }
        }
    }

    /// The whole of each picture, stretched, as 0…1: torchvision's `Resize((height, width))` and `ToTensor`.
    /// - Precondition: all are positive.
    public init(stretchingTo height: Int, _ width: Int, channels: Int) {
        precondition(min(height, width, channels) > 0, "an image has at least one pixel")
        (self.height, self.width, self.channels) = (height, width, channels)
        frame = .whole
        subject = nil
        isBlueFirst = false
        numbers = Array(repeating: (0...255).map { Float($0) / 255 }, count: channels)
    }

    /// How photos are to be read for it.
    public var alpha: RGBImage.Alpha { subject == nil ? .dropped : .blended }

    /// Of one prepared picture.
    public var shape: Shape { .map(channels: channels, height: height, width: width) }

    /// The network's input for one picture.
    /// - Parameter draw: what an augmentation draws from; nil for none.
    public func input(from pixels: Pixels, draw: ExampleDraw? = nil) -> ImageBatch {
        let values = [Float](unsafeUninitializedCapacity: shape.count) { values, count in
            write(pixels, to: values, draw: draw)
            count = shape.count
        }
        return ImageBatch(checked: values, count: 1, shape: shape, labels: nil)
    }

    /// Writes the network's input for one picture, `[channels, height, width]`, to memory for as many numbers.
    /// - Parameters:
    ///   - resampler: of a picture of this size with the network's channels, where many have the same and nothing is
    ///     looked for in them.
    ///   - draw: what an augmentation draws from; nil for none.
    package func write(
        _ pixels: Pixels, to values: UnsafeMutableBufferPointer<Float>, by resampler: Resampler? = nil,
        draw: ExampleDraw? = nil
    ) {
        precondition(values.count >= shape.count, "there is no room for \(shape.count) numbers")
        var framed = staged(pixels).with(channels: channels)
        if let augmentation, let draw {
            framed = augmentation.picture(of: framed, height: height, width: width, draw) {
                self.framed($0, by: resampler)
            }
        } else {
            framed = self.framed(framed, by: resampler)
        }
        framed.bytes.withUnsafeBufferPointer { bytes in
            for (channel, table) in numbers.enumerated() {
                let source = isBlueFirst ? channels - 1 - channel : channel
                table.withUnsafeBufferPointer { table in
                    for place in 0..<height * width {
                        values[channel * height * width + place] =
                            table[Int(bytes[place * channels + source])]
                    }
                }
            }
        }
        if let augmentation, let draw {
            var span = MutableSpan(_unsafeElements: values.extracting(0..<shape.count))
            augmentation.erase(from: &span, channels: channels, height: height, width: width, draw)
        }
    }

    /// What is looked for in a picture, in its own form; the picture itself where nothing is.
    package func staged(_ pixels: Pixels) -> Pixels {
        switch subject {
        case .garment: pixels.garment
        case nil: pixels
        }
    }

    /// The part of such a picture that the network sees, in the picture's own colours.
    package func framed(_ pixels: Pixels, by resampler: Resampler? = nil) -> Pixels {
        let resampler =
            resampler
            ?? self.resampler(height: pixels.height, width: pixels.width, channels: pixels.channels)
        return pixels.making(height: height, width: width) { resampler.resize($0, into: $1) }
    }

    /// From a whole picture of this size to the frame.
    package func resampler(height: Int, width: Int, channels: Int) -> Resampler {
        guard case .middle(let resize) = frame else {
            return Resampler(
                height: height, width: width, toHeight: self.height, width: self.width, channels: channels)
        }
        // torchvision's sizes: the longer side is cut to a whole number.
        let long = resize * max(height, width) / min(height, width)
        let (newHeight, newWidth) = width <= height ? (long, resize) : (resize, long)
        return Resampler(
            height: height, width: width, toHeight: newHeight, width: newWidth, channels: channels,
            rows: Self.middle(self.height, of: newHeight), columns: Self.middle(self.width, of: newWidth))
    }

    /// `size` of `length` pixels. Halves are rounded to even, as Python does and torchvision with it.
    private static func middle(_ size: Int, of length: Int) -> Range<Int> {
        let start = Int((Double(length - size) / 2).rounded(.toNearestOrEven))
        return start..<start + size
    }
}
