import VGGModel

extension Preprocessing {
    /// The network's input for one picture.
    public func input(from image: RGBImage) -> ImageBatch { Preparation(self).input(from: Pixels(image)) }

    /// The square of a picture that the network sees, as a picture.
    public func crop(_ image: RGBImage) -> RGBImage {
        let preparation = Preparation(self)
        let framed = preparation.framed(preparation.staged(Pixels(image))).with(channels: 3)
        return RGBImage(width: size, height: size, pixels: Array(framed.bytes))
    }
}
