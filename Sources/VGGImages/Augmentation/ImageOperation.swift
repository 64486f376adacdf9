/// One change of a picture with all that was drawn for it; the bytes are those of torchvision on Pillow's pictures.
public enum ImageOperation: Hashable, Sendable {
    /// Nothing is changed.
    case identity
    /// By how many columns a row moves against the one before; black comes in.
    case shearX(Double)
    /// By how many rows a column moves against the one before.
    case shearY(Double)
    /// By how many pixels the picture moves to the right; black comes in.
    case translateX(Int)
    /// By how many pixels the picture moves down.
    case translateY(Int)
    /// In degrees, counterclockwise; black comes in.
    case rotate(Double)
    /// 0 is black, 1 the picture.
    case brightness(Double)
    /// The saturation: 0 is grey, 1 the picture.
    case color(Double)
    /// 0 is one grey, 1 the picture.
    case contrast(Double)
    /// 0 is blurred, 1 the picture.
    case sharpness(Double)
    /// By which part of the colour circle colours move, -0.5…0.5.
    case hue(Double)
    /// How many bits of each byte stay.
    case posterize(Int)
    /// Bytes from this one on are inverted.
    case solarize(Double)
    /// Each channel is stretched over all 256 values.
    case autoContrast
    /// Each channel's values become as frequent as each other, as far as that goes.
    case equalize
}

extension Pixels {
    /// The picture with a change made, of the same size; grey ones keep what a change of colours would do.
    public func applying(_ operation: ImageOperation) -> Pixels {
        switch operation {
        case .identity: self
        case .shearX(let amount): transformed(by: .shear(x: amount))
        case .shearY(let amount): transformed(by: .shear(y: amount))
        case .translateX(let pixels):
            cropped(to: Window(top: 0, left: -pixels, height: height, width: width))
        case .translateY(let pixels):
            cropped(to: Window(top: -pixels, left: 0, height: height, width: width))
        case .rotate(let degrees):
            transformed(by: .rotation(degrees: degrees, height: height, width: width))
        case .brightness(let factor): brightness(factor)
        case .color(let factor): color(factor)
        case .contrast(let factor): contrast(factor)
        case .sharpness(let factor): sharpness(factor)
        case .hue(let shift): hue(shift)
        case .posterize(let bits): posterized(bits: bits)
        case .solarize(let threshold): solarized(threshold: threshold)
        case .autoContrast: autoContrast()
        case .equalize: equalized()
        }
    }
}
