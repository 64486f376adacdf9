import VGGModel

/// The number types of the safetensors format, under the format's names.
public enum ElementType: String, Hashable, Sendable, CustomStringConvertible {
    /// Truth values of a byte each.
    case bool = "BOOL"
    /// Whole numbers of 8 bits, without a sign.
    case uint8 = "U8"
    /// Whole numbers of 8 bits.
    case int8 = "I8"
    /// Floats of 8 bits, 5 of the exponent (Micikevicius et al. 2022, "FP8 formats for deep learning").
    case float8E5M2 = "F8_E5M2"
    /// Floats of 8 bits, 4 of the exponent (the same).
    case float8E4M3 = "F8_E4M3"
    /// Whole numbers of 16 bits, without a sign.
    case uint16 = "U16"
    /// Whole numbers of 16 bits.
    case int16 = "I16"
    /// IEEE 754's half precision.
    case float16 = "F16"
    /// The upper half of a `float32`.
    case bfloat16 = "BF16"
    /// Whole numbers of 32 bits, without a sign.
    case uint32 = "U32"
    /// Whole numbers of 32 bits.
    case int32 = "I32"
    /// IEEE 754's single precision.
    case float32 = "F32"
    /// Whole numbers of 64 bits, without a sign.
    case uint64 = "U64"
    /// Whole numbers of 64 bits.
    case int64 = "I64"
    /// IEEE 754's double precision.
    case float64 = "F64"

    /// Bytes a number.
    public var size: Int {
        switch self {
        case .bool, .uint8, .int8, .float8E5M2, .float8E4M3: 1
        case .uint16, .int16, .float16, .bfloat16: 2
        case .uint32, .int32, .float32: 4
        case .uint64, .int64, .float64: 8
        }
    }

    public var description: String { rawValue }

    /// Whether it has whole numbers alone.
    var isInteger: Bool {
        switch self {
        case .bool, .uint8, .int8, .uint16, .int16, .uint32, .int32, .uint64, .int64: true
        case .float8E5M2, .float8E4M3, .float16, .bfloat16, .float32, .float64: false
        }
    }

    /// Whether a tensor of this type and name is a convolution's or linear layer's weight without the scale that would make
    /// numbers of it.
    func isQuantized(_ name: String, _ shape: [Int]) -> Bool {
        isInteger && shape.count > 1 && LayerName.parse(name)?.role == .weight
    }

    /// The little-endian numbers in `bytes` as floats, rounded to nearest; nil for a type not converted.
    /// - Parameter file: what `bytes` belong to, if they stay where they are as long as it lives: numbers that
    ///   need no conversion, which nearly all files have, are then left there.
    func floats(_ bytes: UnsafeRawBufferPointer, in file: (any AnyObject & Sendable)?) -> TensorValues? {
        let count = bytes.count / size
        guard self == .float32, count > 0 else {
            return floats(bytes, at: 0..<count, count).map { TensorValues($0) }
        }
        let isAligned = Int(bitPattern: bytes.baseAddress) % MemoryLayout<Float>.alignment == 0
        if let file, isAligned {
            return TensorValues(borrowing: bytes.assumingMemoryBound(to: Float.self), from: file)
        }
        // One copy, without a pass over the numbers.
        let copy = [Float](unsafeUninitializedCapacity: count) { values, initialized in
            UnsafeMutableRawBufferPointer(values).copyMemory(from: bytes)
            initialized = count
        }
        return TensorValues(copy)
    }

    /// The numbers of `view` in the storage `bytes`; nil for a type not converted.
    func floats(
        _ bytes: UnsafeRawBufferPointer, _ view: StridedView, in file: (any AnyObject & Sendable)?
    ) -> TensorValues? {
        guard view.isContiguous else {
            return floats(bytes, at: view, view.count).map { TensorValues($0) }
        }
        let range = view.offset * size..<(view.offset + view.count) * size
        return floats(UnsafeRawBufferPointer(rebasing: bytes[range]), in: file)
    }

    @inline(__always)
    private func floats(_ bytes: UnsafeRawBufferPointer, at indices: some Sequence<Int>, _ count: Int)
        -> [Float]?
    {
        switch self {
        case .float32: converted(bytes, at: indices, count) { Float(bitPattern: UInt32(littleEndian: $0)) }
        case .float16: converted(bytes, at: indices, count) { Float(halfBits: UInt16(littleEndian: $0)) }
        case .bfloat16:
            converted(bytes, at: indices, count) { Float(bitPattern: UInt32(UInt16(littleEndian: $0)) << 16) }
        case .float64:
            converted(bytes, at: indices, count) { Float(Double(bitPattern: UInt64(littleEndian: $0))) }
        // Batch norm's `num_batches_tracked` in files of PyTorch, and whatever else is beside the weights.
        case .int64: converted(bytes, at: indices, count) { Float(Int64(littleEndian: $0)) }
        case .uint64: converted(bytes, at: indices, count) { Float(UInt64(littleEndian: $0)) }
        case .int32: converted(bytes, at: indices, count) { Float(Int32(littleEndian: $0)) }
        case .uint32: converted(bytes, at: indices, count) { Float(UInt32(littleEndian: $0)) }
        case .int16: converted(bytes, at: indices, count) { Float(Int16(littleEndian: $0)) }
        case .uint16: converted(bytes, at: indices, count) { Float(UInt16(littleEndian: $0)) }
        case .int8: converted(bytes, at: indices, count) { (number: Int8) in Float(number) }
        case .uint8, .bool: converted(bytes, at: indices, count) { (number: UInt8) in Float(number) }
        case .float8E5M2, .float8E4M3: nil
        }
    }

    /// - Precondition: the indices are `count` places in `bytes`; the arithmetic wraps, because checks of what
    ///   cannot overflow would keep a loop over a row from becoming vector code.
    @inline(__always)
    private func converted<Bits: FixedWidthInteger & BitwiseCopyable>(
        _ bytes: UnsafeRawBufferPointer, at indices: some Sequence<Int>, _ count: Int,
        _ convert: (Bits) -> Float
    ) -> [Float] {
        [Float](unsafeUninitializedCapacity: count) { values, initialized in
            var position = 0
            for index in indices {
                let bits = bytes.loadUnaligned(
                    fromByteOffset: index &* MemoryLayout<Bits>.size, as: Bits.self)
                values[position] = convert(bits)
                position &+= 1
            }
            initialized = position
        }
    }
}

extension Float {
    /// An IEEE 754 half-precision number, exactly. (`Float16` does not exist on every platform.)
    init(halfBits: UInt16) {
        let magnitude = UInt32(halfBits & 0x7FFF) << 13
        let isFinite = halfBits & 0x7C00 != 0x7C00
        // The exponent biases differ by 112; multiplying also makes normal numbers of subnormal halves.
        let value =
            isFinite ? Float(bitPattern: magnitude) * 0x1p112 : Float(bitPattern: magnitude | 0x7F80_0000)
        self = halfBits & 0x8000 == 0 ? value : -value
    }
}
