import CVGGKernels
import Testing
import VGGCPU
import VGGModel

/// The conversions of mixed precision, number by number.
@Suite struct BFloat16Tests {
    /// Ties both ways, the largest number that does not become infinite and the next, zeros, infinities; then
    /// numbers of every size that is not below the normal ones. Their count is not a whole number of vectors.
    private let numbers: [Float] = {
        let special: [UInt32] = [
            0x3F80_8000, 0x3F81_8000, 0x3F80_7FFF, 0x3F80_8001, 0xBF81_8000, 0x3FFF_8000, 0x7F7F_7FFF,
            0x7F7F_8000, 0xFF7F_FFFF, 0x0000_0000, 0x8000_0000, 0x7F80_0000, 0xFF80_0000, 0x0080_0000,
        ]
        let philox = Philox(seed: 1, stream: .shuffle)
        let drawn = (0..<1000).map { philox.word(sequence: 0, element: $0) }
        return (special + drawn).map(Float.init(bitPattern:)).filter {
            $0.isNormal || $0 == 0 || $0.isInfinite
        }
    }()

    private func kernels(of set: InstructionSet) -> vgg_bf16_kernels {
        vgg_bf16_kernels_for(vgg_instruction_set(rawValue: UInt32(set.rawValue))).pointee
    }

    /// The nearer of the two bfloat16 numbers around this one; the even one in the middle.
    private func nearest(_ value: Float) -> UInt16 {
        let low = UInt16(value.bitPattern >> 16)
        let kept = Float(bitPattern: UInt32(low) << 16)
        guard kept != value else { return low }
        // As if the next after the largest number were a number.
        let step = Double(kept.ulp) * 0x1p16
        let rest = abs(Double(value) - Double(kept))
        return rest < step / 2 || (rest == step / 2 && low % 2 == 0) ? low : low + 1
    }

    @Test(arguments: InstructionSet.allAvailable)
    func roundsToTheNearest(on set: InstructionSet) {
        let kernels = kernels(of: set)
        var rounded = Array(repeating: UInt16(0xAAAA), count: numbers.count + 1)
        kernels.bf16_from_float(numbers, &rounded, numbers.count)
        #expect(rounded.last == 0xAAAA, "beyond the end")
        for (number, result) in zip(numbers, rounded) {
            #expect(result == nearest(number), "\(number)")
        }
    }

    @Test(arguments: InstructionSet.allAvailable)
    func notANumberStaysOne(on set: InstructionSet) {
        let kernels = kernels(of: set)
        // The second one's payload lies in the bits that rounding takes away.
        let numbers = [Float.nan, Float(bitPattern: 0x7F80_0001), -Float.nan]
        var rounded: [UInt16] = [0, 0, 0]
        kernels.bf16_from_float(numbers, &rounded, 3)
        var fp32: [Float] = [0, 0, 0]
        kernels.bf16_to_float(rounded, &fp32, 3)
        #expect(fp32.map(\.isNaN) == [true, true, true])
    }

    @Test(arguments: InstructionSet.allAvailable)
    func conversionToFloatIsExact(on set: InstructionSet) {
        let kernels = kernels(of: set)
        let numbers = (0...0x7F80).map { UInt16($0) }
        var fp32 = Array(repeating: Float.nan, count: numbers.count)
        kernels.bf16_to_float(numbers, &fp32, numbers.count)
        #expect(fp32.map(\.bitPattern) == numbers.map { UInt32($0) << 16 })
    }

    @Test func everyInstructionSetHasItsOwnKernels() {
        let tables = InstructionSet.allCases.map {
            vgg_bf16_kernels_for(vgg_instruction_set(rawValue: UInt32($0.rawValue)))
        }
        #expect(Set(tables).count == InstructionSet.allCases.count)
    }
}
