extension Pixels {
    /// Pillow's `ImageEnhance.Brightness`: from black (0) by way of the picture (1) to white.
    func brightness(_ factor: Double) -> Pixels {
        let alpha = Float(factor)
        return mapped { blend(0, UInt8($0), alpha) }
    }

    /// Pillow's `ImageEnhance.Contrast`: from a grey as bright as the mean (0) by way of the picture (1).
    func contrast(_ factor: Double) -> Pixels {
        let alpha = Float(factor)
        let luma = with(channels: 1).bytes
        let sum = luma.reduce(0) { $0 + Int($1) }
        let mean = UInt8(Double(sum) / Double(luma.count) + 0.5)
        return mapped { blend(mean, UInt8($0), alpha) }
    }

    /// Pillow's `ImageEnhance.Color`, the saturation: from grey (0) by way of the picture (1) to garish.
    func color(_ factor: Double) -> Pixels {
        guard channels == 3 else { return self }
        let alpha = Float(factor)
        let luma = with(channels: 1).bytes
        return making { input, output in
            for (pixel, grey) in luma.enumerated() {
                for place in 3 * pixel..<3 * pixel + 3 { output[place] = blend(grey, input[place], alpha) }
            }
        }
    }

    /// Pillow's `ImageEnhance.Sharpness`: from blurred (0) by way of the picture (1) to sharper.
    ///
    /// The blur is Pillow's `SMOOTH`, a mean of nine pixels in which the middle one counts five times; what lies at the
    /// edges stays.
    func sharpness(_ factor: Double) -> Pixels {
        guard min(height, width) >= 3 else { return self }
        let alpha = Float(factor)
        let line = width * channels
        return making { input, output in
            _ = output.initialize(from: input)
            for row in 1..<height - 1 {
                for place in row * line + channels..<(row + 1) * line - channels {
                    var sum = 4 * Int32(input[place])
                    for start in [place - line, place, place + line] {
                        sum += Int32(input[start - channels]) + Int32(input[start])
                        sum += Int32(input[start + channels])
                    }
                    // Rounded; a half cannot occur.
                    output[place] = blend(UInt8((2 * sum + 13) / 26), input[place], alpha)
                }
            }
        }
    }

    /// Pillow's `ImageOps.posterize`: the upper bits of each byte.
    func posterized(bits: Int) -> Pixels { mapped { UInt8($0 & ~((1 << (8 - bits)) - 1)) } }

    /// Pillow's `ImageOps.solarize`: bytes from the threshold on are inverted.
    func solarized(threshold: Double) -> Pixels {
        mapped { Double($0) < threshold ? UInt8($0) : UInt8(255 - $0) }
    }

    /// Pillow's `ImageOps.autocontrast`: each channel's darkest byte becomes 0, its brightest 255.
    func autoContrast() -> Pixels {
        mapped(
            histograms.map { counts in
                guard let low = counts.firstIndex(where: { $0 > 0 }),
                    let high = counts.lastIndex(where: { $0 > 0 }), high > low
                else { return Array(0...255) }
                let scale = 255 / Double(high - low)
                let offset = -Double(low) * scale
                return (0...255).map { UInt8(min(max(Double($0) * scale + offset, 0), 255)) }
            })
    }

    /// Pillow's `ImageOps.equalize`: each channel's bytes become about equally frequent.
    func equalized() -> Pixels {
        mapped(
            histograms.map { counts in
                let last = counts.last { $0 > 0 } ?? 0
                let step = (height * width - last) / 255
                guard step > 0 else { return Array(0...255) }
                var sum = step / 2
                return counts.map { count in
                    defer { sum += count }
                    return UInt8(min(sum / step, 255))
                }
            })
    }

    /// How often each byte occurs in each channel.
    private var histograms: [[Int]] {
        var counts = [[Int]](repeating: Array(repeating: 0, count: 256), count: channels)
        for (place, byte) in bytes.enumerated() { counts[place % channels][Int(byte)] += 1 }
        return counts
    }

    /// The picture with each byte replaced.
    private func mapped(_ value: (Int) -> UInt8) -> Pixels {
        let table = (0...255).map(value)
        return making { input, output in
            table.withUnsafeBufferPointer { table in
                for (place, byte) in input.enumerated() { output[place] = table[Int(byte)] }
            }
        }
    }

    /// The picture with each byte replaced, by a table a channel.
    private func mapped(_ tables: [[UInt8]]) -> Pixels {
        making { input, output in
            for (channel, table) in tables.enumerated() {
                for place in stride(from: channel, to: input.count, by: tables.count) {
                    output[place] = table[Int(input[place])]
                }
            }
        }
    }
}

/// Pillow's `Image.blend` of two bytes: in single precision, and what lies behind the point dropped.
@inline(__always)
private func blend(_ from: UInt8, _ to: UInt8, _ alpha: Float) -> UInt8 {
    UInt8(min(max(Float(from) + alpha * Float(Int32(to) - Int32(from)), 0), 255))
}
