/// The number types of the safetensors format, under the format's names.
public enum ElementType: String, Hashable, Sendable, CustomStringConvertible {
    case bool = "BOOL"
    case uint8 = "U8"
    case int8 = "I8"
    case float8E5M2 = "F8_E5M2"
    case float8E4M3 = "F8_E4M3"
    case uint16 = "U16"
    case int16 = "I16"
    case float16 = "F16"
    case bfloat16 = "BF16"
    case uint32 = "U32"
    case int32 = "I32"
    case float32 = "F32"
    case uint64 = "U64"
    case int64 = "I64"
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

    /// The little-endian numbers in `bytes` as floats, rounded to nearest; nil for a type not converted.
    func floats(_ bytes: UnsafeRawBufferPointer) -> [Float]? {
        switch self {
        case .float32:
            // One copy, without a pass over the numbers: nearly all files are of this type.
            [Float](unsafeUninitializedCapacity: bytes.count / size) { values, count in
                UnsafeMutableRawBufferPointer(values).copyMemory(from: bytes)
                count = bytes.count / size
            }
        case .float16: converted(bytes) { Float(halfBits: UInt16(littleEndian: $0)) }
        case .bfloat16: converted(bytes) { Float(bitPattern: UInt32(UInt16(littleEndian: $0)) << 16) }
        case .float64: converted(bytes) { Float(Double(bitPattern: UInt64(littleEndian: $0))) }
        // Batch norm's `num_batches_tracked` in files of PyTorch.
        case .int64: converted(bytes) { Float(Int64(littleEndian: $0)) }
        default: nil
        }
    }

    private func converted<Bits: FixedWidthInteger & BitwiseCopyable>(
        _ bytes: UnsafeRawBufferPointer, _ convert: (Bits) -> Float
    ) -> [Float] {
        stride(from: 0, to: bytes.count, by: size).map {
            convert(bytes.loadUnaligned(fromByteOffset: $0, as: Bits.self))
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
