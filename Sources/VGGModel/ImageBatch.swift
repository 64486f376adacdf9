/// Images that a network takes together, and their classes where these are known.
///
///     let batch = try ImageBatch(numbers, count: 2, shape: network.input, labels: [3, 9])
///     print(executor.logits(batch))
///
/// All that goes into a network and comes out of it lies in PyTorch's order, as its weights do: `[count, channels,
/// height, width]`, so that a tensor of PyTorch, ONNX or NumPy is a batch as it is. Only the bytes of pictures are
/// `[height, width, channels]`, as every decoder makes them. A `Preparation` leads from the one to the other, like
/// torchvision's `ToTensor`; how a device arranges numbers is its own affair.
public struct ImageBatch: Hashable, Sendable {
    /// Of one image.
    public let shape: Shape
    /// Images.
    public let count: Int
    /// `[count, channels, height, width]`, or `[count, features]` of vectors.
    public let values: [Float]
    /// One class an image; nil where they are not known.
    public let labels: [Int32]?
    /// What each image is mixed with, for a training; nil where none is.
    public let partners: [MixingPartner]?

    /// - Parameter shape: of one image.
    /// - Throws: `InputError` if these are not `count` images, at least one, or have not as many labels or partners.
    public init(
        _ values: [Float], count: Int = 1, shape: Shape, labels: [Int32]? = nil,
        partners: [MixingPartner]? = nil
    ) throws(InputError) {
        let (numbers, overflows) = max(count, 0).multipliedReportingOverflow(by: shape.count)
        guard count > 0, !overflows, values.count == numbers else {
            throw .numbers(images: count, expected: overflows ? .max : numbers, found: values.count)
        }
        if let labels, labels.count != count { throw .labels(images: count, found: labels.count) }
        if let partners, partners.count != count { throw .labels(images: count, found: partners.count) }
        self.init(checked: values, count: count, shape: shape, labels: labels, partners: partners)
    }

    /// - Precondition: what the other initialiser checks.
    package init(
        checked values: [Float], count: Int, shape: Shape, labels: [Int32]?, partners: [MixingPartner]? = nil
    ) {
        self.shape = shape
        self.count = count
        self.values = values
        self.labels = labels
        self.partners = partners
    }

    /// Some of the images.
    /// - Precondition: there are such, at least one.
    public subscript(range: Range<Int>) -> ImageBatch {
        precondition(!range.isEmpty && range.clamped(to: 0..<count) == range, "there are no images \(range)")
        guard range.count < count else { return self }
        return ImageBatch(
            checked: Array(values[range.lowerBound * shape.count..<range.upperBound * shape.count]),
            count: range.count, shape: shape, labels: labels.map { Array($0[range]) },
            partners: partners.map { Array($0[range]) })
    }

    /// - Throws: `InputError` if the images are no input of a network that takes this shape.
    package func check(fits input: Shape) throws(InputError) {
        guard shape == input else { throw .shape(shape, expected: input) }
    }
}

/// The image that another is mixed with: what a network is to say about the mixture is made of both their classes.
public struct MixingPartner: Hashable, Sendable {
    /// Its class.
    public let label: Int32
    /// How much of the target is this class's, 0 to 1; the rest is the image's own class's.
    public let share: Float

    /// An image's other class, and how much of the image is of it.
    public init(label: Int32, share: Float) {
        self.label = label
        self.share = share
    }

    /// Which of the two classes has the larger share, of equal ones the image's own.
    package func larger(than own: Int32) -> Int32 { share > 0.5 ? label : own }
}

/// Why images are refused.
public enum InputError: Error, Hashable, CustomStringConvertible {
    /// How many numbers so many images should have, and how many there are.
    case numbers(images: Int, expected: Int, found: Int)
    /// There are not as many labels or partners as images.
    case labels(images: Int, found: Int)
    /// They have another shape than what takes them.
    case shape(Shape, expected: Shape)

    public var description: String {
        switch self {
        case .numbers(let images, let expected, let found):
            images < 1
                ? "there must be at least one image, not \(images)"
                : "\(images == 1 ? "an image has" : "\(images) images have") \(expected) numbers, not \(found)"
        case .labels(let images, let found): "\(images) images have as many labels, not \(found)"
        case .shape(let shape, let expected): "images must be \(expected), not \(shape)"
        }
    }
}
