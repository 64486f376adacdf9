extension Pixels {
    /// torchvision's `adjust_hue`: the colour circle turned by `shift` times its circumference, -0.5…0.5.
    ///
    /// It goes through Pillow's `HSV` of three bytes, which costs some colours some precision, and grey none.
    func hue(_ shift: Double) -> Pixels {
        guard channels == 3 else { return self }
        let turn = UInt8(truncatingIfNeeded: Int(shift * 255))
        return making { input, output in
            for pixel in stride(from: 0, to: input.count, by: 3) {
                var color = HSV(red: input[pixel], green: input[pixel + 1], blue: input[pixel + 2])
                color.hue &+= turn
                (output[pixel], output[pixel + 1], output[pixel + 2]) = color.rgb
            }
        }
    }
}

/// A colour as Pillow's mode `HSV` has it, with Pillow's roundings.
private struct HSV {
    var hue: UInt8
    var saturation: UInt8
    var value: UInt8

    init(red: UInt8, green: UInt8, blue: UInt8) {
        let (low, high) = (min(red, green, blue), max(red, green, blue))
        value = high
        guard high > low else {
            (hue, saturation) = (0, 0)
            return
        }
        let range = Float(high - low)
        let (r, g, b) = (Float(high - red) / range, Float(high - green) / range, Float(high - blue) / range)
        let sextant =
            if red == high {
                b - g
            } else if green == high {
                Float(2 + Double(r) - Double(b))
            } else {
                Float(4 + Double(g) - Double(r))
            }
        let turn = Float((Double(sextant) / 6 + 1).truncatingRemainder(dividingBy: 1))
        hue = UInt8(Double(turn) * 255)
        saturation = UInt8(Double(range / Float(high)) * 255)
    }

    var rgb: (UInt8, UInt8, UInt8) {
        guard saturation > 0 else { return (value, value, value) }
        let place = Double(hue) * 6 / 255
        let sextant = Int(place)
        let rest = Float(place - Double(sextant))
        let strength = Float(Double(saturation) / 255)
        func byte(_ share: Double) -> UInt8 { UInt8((Double(value) * share).rounded()) }
        let p = byte(1 - Double(strength))
        let q = byte(1 - Double(strength * rest))
        let t = byte(1 - Double(strength) * (1 - Double(rest)))
        return switch sextant % 6 {
        case 0: (value, t, p)
        case 1: (q, value, p)
        case 2: (p, value, t)
        case 3: (p, q, value)
        case 4: (t, p, value)
        default: (value, p, q)
        }
    }
}
