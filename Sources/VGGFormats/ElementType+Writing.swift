import VGGModel

extension ElementType {
    /// The types that weights are written as.
    static let written: Set<ElementType> = [.float32, .float16, .bfloat16]

    /// Calls `body` with the numbers as this type has them, little-endian, each the nearest one, of two as near the even one.
    /// - Precondition: it is one of `written`.
    func withBytes<Result>(
        of values: TensorValues, _ body: (UnsafeRawBufferPointer) throws -> Result
    ) rethrows -> Result {
        precondition(Self.written.contains(self), "nothing is written as \(self)")
        if self == .float32 { return try values.withUnsafeBytes(body) }
        let halves = values.withUnsafeBufferPointer { values in
            self == .float16
                ? values.map { $0.halfBits.littleEndian } : values.map { $0.brainBits.littleEndian }
        }
        return try halves.withUnsafeBytes(body)
    }

    /// Whether a number becomes an infinite one by being written as this type.
    func overflows(_ value: Float) -> Bool {
        switch self {
        case .float16: value.isFinite && value.halfBits & 0x7FFF == 0x7C00
        case .bfloat16: value.isFinite && value.brainBits & 0x7FFF == 0x7F80
        default: false
        }
    }
}

extension Float {
    /// The nearest IEEE 754 half-precision number. (`Float16` does not exist on every platform.)
    var halfBits: UInt16 {
        let sign = UInt16(truncatingIfNeeded: bitPattern >> 16) & 0x8000
        let magnitude = bitPattern & 0x7FFF_FFFF
        if magnitude > 0x7F80_0000 { return sign | 0x7E00 }
        // Below the normal halves all are whole numbers of the least one.
        if magnitude < 0x3880_0000 {
            return sign | UInt16((Float(bitPattern: magnitude) * 0x1p24).rounded(.toNearestOrEven))
        }
        // The exponent biases differ by 112. A carry out of the rounded digits goes into the exponent, where it belongs.
        let rounded = magnitude - (112 << 23) + 0xFFF + (magnitude >> 13 & 1)
        return sign | UInt16(min(rounded >> 13, 0x7C00))
    }

    /// The nearest number of Google Brain's format: a `Float` without its lower 16 bits.
    var brainBits: UInt16 {
        isNaN
            ? UInt16(bitPattern >> 16) | 0x40
            : UInt16((bitPattern + 0x7FFF + (bitPattern >> 16 & 1)) >> 16)
    }
}
