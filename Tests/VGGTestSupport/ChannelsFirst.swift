/// Numbers in PyTorch's order, [count, channels, height, width], of those of images whose channels come last.
public func channelsFirst(_ values: some Collection<Float>, channels: Int, pixels: Int) -> [Float] {
    let values = Array(values)
    return values.indices.map { place in
        let (plane, pixel) = place.quotientAndRemainder(dividingBy: pixels)
        let (image, channel) = plane.quotientAndRemainder(dividingBy: channels)
        return values[(image * pixels + pixel) * channels + channel]
    }
}
