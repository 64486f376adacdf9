/// How a picture becomes the input of a network: the short side is resized, the centre cut out, and the bytes
/// made numbers.
///
/// It belongs to the weights, which know only pictures that were prepared like this, and therefore travels with
/// them as JSON.
public struct Preprocessing: Hashable, Sendable {
    /// In which order a network reads the colours of a pixel.
    public enum Channels: String, Codable, CaseIterable, Sendable {
        /// Red first or blue first.
        case rgb, bgr
        /// Pillow's `L`: 0.299 red + 0.587 green + 0.114 blue.
        case grey

        /// Numbers of a pixel.
        public var count: Int { self == .grey ? 1 : 3 }
    }

    /// What a byte becomes before the mean is subtracted.
    public enum ValueRange: String, Codable, CaseIterable, Sendable {
        /// 0…1.
        case unit
        /// 0…255.
        case byte
    }

    /// What a picture is of, where it is found and brought into a form of its own first.
    public enum Subject: String, Codable, CaseIterable, Sendable {
        /// See `Pixels.garment`.
        case garment
    }

    /// The largest size that is allowed, in pixels.
    public static let maximumSize = 8192

    /// The length of the resized picture's shorter side, in pixels.
    public let resize: Int
    /// The width and height of the square in the middle that is kept.
    public let size: Int
    /// Which colours the network reads, in which order.
    public let channels: Channels
    /// Which numbers stand for black and white before `mean` and `std`.
    public let range: ValueRange
    /// Subtracted from each channel, in the order of `channels`.
    public let mean: [Float]
    /// Divides each channel after that.
    public let std: [Float]
    /// What is looked for in a picture before anything else is done; nil for nothing: it is taken as it is.
    public let subject: Subject?

    /// - Throws: `PreprocessingError` if a value is out of range or the counts do not fit the channels.
    public init(
        resize: Int, size: Int, channels: Channels, range: ValueRange, mean: [Float], std: [Float],
        subject: Subject? = nil
    ) throws(PreprocessingError) {
        guard (1...Self.maximumSize).contains(resize), (1...resize).contains(size) else {
            throw .sizes(resize: resize, size: size)
        }
        guard mean.count == channels.count, std.count == channels.count else {
            throw .counts(channels: channels.count, mean: mean.count, std: std.count)
        }
        // What any byte becomes must be a number, too.
        guard mean.allSatisfy(\.isFinite), std.allSatisfy({ $0.isFinite && $0 > 0 }),
            zip(mean, std).allSatisfy({ ((255 - $0) / $1).isFinite && ($0 / $1).isFinite })
        else { throw .numbers }
        self.init(
            checkedResize: resize, size: size, channels: channels, range: range, mean: mean, std: std,
            subject: subject)
    }

    private init(
        checkedResize resize: Int, size: Int, channels: Channels, range: ValueRange, mean: [Float],
        std: [Float], subject: Subject? = nil
    ) {
        self.resize = resize
        self.size = size
        self.channels = channels
        self.range = range
        self.mean = mean
        self.std = std
        self.subject = subject
    }

    /// torchvision's for its ImageNet weights: 256 and 224 pixels, 0…1, normalised.
    public static let imageNet = Preprocessing(
        checkedResize: 256, size: 224, channels: .rgb, range: .unit, mean: [0.485, 0.456, 0.406],
        std: [0.229, 0.224, 0.225])

    /// That of the original Caffe weights, and of Keras: 256 and 224 pixels, blue first, 0…255, less the mean.
    public static let caffe = Preprocessing(
        checkedResize: 256, size: 224, channels: .bgr, range: .byte, mean: [103.939, 116.779, 123.68],
        std: [1, 1, 1])

    /// 0…1 and nothing else, with the whole of the shorter side: what `vgg train` gives a network.
    /// - Throws: `PreprocessingError` if the size is out of range.
    public static func plain(_ size: Int, channels: Channels = .rgb) throws(PreprocessingError)
        -> Preprocessing
    {
        try Preprocessing(
            resize: size, size: size, channels: channels, range: .unit,
            mean: Array(repeating: 0, count: channels.count), std: Array(repeating: 1, count: channels.count))
    }

    /// Whether it is `plain` of some size.
    public var isPlain: Bool {
        resize == size && range == .unit && channels != .bgr && subject == nil && mean.allSatisfy { $0 == 0 }
            && std.allSatisfy { $0 == 1 }
    }

    /// The same for another size of the square; the resized picture keeps its proportion to it.
    /// - Throws: `PreprocessingError` if the size is out of range.
    public func resized(to size: Int) throws(PreprocessingError) -> Preprocessing {
        guard (1...Self.maximumSize).contains(size) else { throw .sizes(resize: size, size: size) }
        return try Preprocessing(
            resize: (size * resize + self.size / 2) / self.size, size: size, channels: channels,
            range: range, mean: mean, std: std, subject: subject)
    }

    /// The same of pictures in which this is looked for first.
    public func looking(for subject: Subject) -> Preprocessing {
        Preprocessing(
            checkedResize: resize, size: size, channels: channels, range: range, mean: mean, std: std,
            subject: subject)
    }
}

/// Why a picture cannot be prepared as asked.
public enum PreprocessingError: Error, Hashable, CustomStringConvertible {
    /// A size is out of range, or the square is larger than the resized picture.
    case sizes(resize: Int, size: Int)
    /// There are not as many means or deviations as channels.
    case counts(channels: Int, mean: Int, std: Int)
    /// A mean or a deviation is not finite, or a deviation not positive.
    case numbers

    public var description: String {
        switch self {
        case .sizes(let resize, let size):
            """
            pictures cannot be resized to \(resize) and cut to \(size) pixels: both must be from 1 to \
            \(Preprocessing.maximumSize), and the second not the larger one
            """
        case .counts(let channels, let mean, let std):
            "\(channels) channels need as many means and standard deviations, not \(mean) and \(std)"
        case .numbers:
            "means and standard deviations must be finite, and standard deviations above 0 (and not next to it)"
        }
    }
}

extension Preprocessing: Codable {
    private enum CodingKeys: String, CodingKey { case resize, size, channels, range, mean, std, subject }

    /// - Throws: `DecodingError`, also for values that `init` refuses.
    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        do {
            try self.init(
                resize: try values.decode(Int.self, forKey: .resize),
                size: try values.decode(Int.self, forKey: .size),
                channels: try values.decode(Channels.self, forKey: .channels),
                range: try values.decode(ValueRange.self, forKey: .range),
                mean: try values.decode([Float].self, forKey: .mean),
                std: try values.decode([Float].self, forKey: .std),
                subject: try values.decodeIfPresent(Subject.self, forKey: .subject))
        } catch let error as PreprocessingError {
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: "\(error)"))
        }
    }
}
