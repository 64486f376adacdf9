import VGGModel

extension Preprocessing {
    /// The network's input for one picture.
    public func input(from image: RGBImage) -> ImageBatch { Preparation(self).input(from: Pixels(image)) }

    /// The square of a picture that the network sees, as a picture.
    public func crop(_ image: RGBImage) -> RGBImage {
        RGBImage(
            width: size, height: size, pixels: Array(Preparation(self).framed(Pixels(image)).bytes))
    }
}
