import VGGModel

/// What a training does to its pictures, in timm's order: a part is taken, mirrored, its colours are changed, and after
/// its bytes became normalised numbers, rectangles are erased.
///
///     preparation.augmentation = Augmentation(crop: .padded(RandomCrop(padding: 2)), flip: RandomFlip())
///
/// What it does depends on the draw and on nothing else, so that no thread, no order and no interruption changes an
/// example.
public struct Augmentation: Hashable, Sendable {
    /// Which part of a picture is taken.
    public enum Crop: Hashable, Sendable {
        /// Of what the network would see, with a border around it.
        case padded(RandomCrop)
        /// Of the whole picture, in place of what the network would see.
        case resized(RandomResizedCrop)
    }

    /// nil for what the network would see.
    public var crop: Crop?
    /// nil for never.
    public var flip: RandomFlip?
    /// Whether one change of `TrivialAugmentWide` is made.
    public var usesTrivialAugment: Bool
    /// nil for colours as they are.
    public var jitter: ColorJitter?
    /// nil for nothing.
    public var erasing: RandomErasing?

    /// Without arguments nothing is changed.
    public init(
        crop: Crop? = nil, flip: RandomFlip? = nil, usesTrivialAugment: Bool = false,
        jitter: ColorJitter? = nil, erasing: RandomErasing? = nil
    ) {
        self.crop = crop
        self.flip = flip
        self.usesTrivialAugment = usesTrivialAugment
        self.jitter = jitter
        self.erasing = erasing
    }

    /// A picture of this size.
    /// - Parameter frame: what the network would see of a picture, of this size.
    func picture(
        of pixels: Pixels, height: Int, width: Int, _ draw: ExampleDraw, frame: (Pixels) -> Pixels
    ) -> Pixels {
        var picture: Pixels
        switch crop {
        case nil: picture = frame(pixels)
        case .padded(let crop):
            let window = crop.window(height: height, width: width, draw)
            picture = frame(pixels).cropped(to: window, beyond: crop.mode)
        case .resized(let crop):
            let window = crop.window(height: pixels.height, width: pixels.width, draw)
            picture = pixels.resized(window, toHeight: height, width: width)
        }
        if let (horizontally, vertically) = flip?.directions(draw) {
            picture = picture.flipped(horizontally: horizontally, vertically: vertically)
        }
        if usesTrivialAugment { picture = picture.applying(TrivialAugmentWide.operation(draw)) }
        return jitter?.operations(draw).reduce(picture) { $0.applying($1) } ?? picture
    }

    /// Erases from a network's input of this shape, `[channels, height, width]`.
    func erase(
        from input: inout MutableSpan<Float>, channels: Int, height: Int, width: Int, _ draw: ExampleDraw
    ) {
        guard let erasing else { return }
        for erasure in erasing.erasures(height: height, width: width, channels: channels, draw) {
            erasure.apply(to: &input, channels: channels, height: height, width: width)
        }
    }
}
