extension Preprocessing {
    /// How many numbers one picture becomes.
    public var count: Int { size * size * channels.count }

    /// The network's input for one picture: `[size, size, channels]`.
    ///
    /// Every number is bit for bit that of torchvision's `Resize`, `CenterCrop`, `ToTensor` and `Normalize`.
    public func input(from image: RGBImage) -> [Float] {
        [Float](unsafeUninitializedCapacity: count) { numbers, initialized in
            write(image, to: numbers)
            initialized = count
        }
    }

    /// Writes the network's input for one picture to memory for `count` numbers.
    package func write(_ image: RGBImage, to numbers: UnsafeMutableBufferPointer<Float>) {
        precondition(numbers.count >= count, "there is no room for \(count) numbers")
        let resized = pixels(of: image)
        let tables = channelTables
        for (channel, table) in tables.enumerated() {
            let source = channels == .bgr ? 2 - channel : channel
            table.withUnsafeBufferPointer { table in
                for place in 0..<size * size {
                    numbers[place * tables.count + channel] =
                        table[Int(resized[place * tables.count + source])]
                }
            }
        }
    }

    /// The square of a picture that the network sees, as a picture.
    public func crop(_ image: RGBImage) -> RGBImage {
        let resampler = resampler(height: image.height, width: image.width, channels: 3)
        return RGBImage(width: size, height: size, pixels: resampler.resize(image.pixels))
    }

    /// The part of a picture that a network sees, as bytes: `[size, size, channels]`, red first or grey.
    package func pixels(of image: RGBImage) -> [UInt8] {
        resampler(height: image.height, width: image.width, channels: channels.count).resize(
            channels == .grey ? image.grey : image.pixels)
    }

    /// From the whole picture to the square in the middle of the resized one.
    private func resampler(height: Int, width: Int, channels: Int) -> Resampler {
        // torchvision's sizes: the longer side is cut to a whole number.
        let isTall = width <= height
        let long = resize * max(height, width) / min(height, width)
        let (newHeight, newWidth) = isTall ? (long, resize) : (resize, long)
        return Resampler(
            height: height, width: width, toHeight: newHeight, width: newWidth, channels: channels,
            rows: centre(of: newHeight), columns: centre(of: newWidth))
    }

    /// `size` of `length` pixels. Halves are rounded to even, as Python does and torchvision with it.
    private func centre(of length: Int) -> Range<Int> {
        let start = Int((Double(length - size) / 2).rounded(.toNearestOrEven))
        return start..<start + size
    }

    /// What each byte becomes, channel by channel: as torch does it, a division for the range and then the
    /// difference and a division for the mean and the standard deviation.
    private var channelTables: [[Float]] {
        zip(mean, std).map { mean, std in
            (0...255).map { byte in
                let value: Float = range == .unit ? Float(byte) / 255 : Float(byte)
                return (value - mean) / std
            }
        }
    }
}

extension RGBImage {
    /// `[height, width]`: Pillow's `convert("L")`, ITU-R 601-2's luma in 16 bits of fraction.
    public var grey: [UInt8] {
        pixels.withUnsafeBufferPointer { pixels in
            (0..<width * height).map { place in
                let red = UInt32(pixels[3 * place])
                let green = UInt32(pixels[3 * place + 1])
                let blue = UInt32(pixels[3 * place + 2])
                return UInt8((red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16)
            }
        }
    }
}
