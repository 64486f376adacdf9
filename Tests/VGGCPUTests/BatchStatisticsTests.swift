import CVGGKernels
import Testing
import VGGCPU
import VGGModel

/// Means and variances far from zero, against double precision.
@Suite struct BatchStatisticsTests {
    private static let (rows, channels) = (1003, 37)

    /// Channels whose mean is a hundred times their deviation, and some around zero.
    private let numbers: [Float] = {
        let philox = Philox(seed: 2, stream: .shuffle)
        return (0..<rows * channels).map { index in
            let noise = (0..<4).map { Float(philox.word(sequence: UInt32($0), element: index)) * 0x1p-32 }
            let channel = index % channels
            return Float(channel % 3 * 100) + noise.reduce(-2, +) * 1.7
        }
    }()

    /// The moments of all rows, taken in three calls.
    private func moments<Number>(
        of numbers: [Number],
        by kernel: (
            UnsafePointer<Number>?, Int, Int, Int, UnsafeMutablePointer<Double>?,
            UnsafeMutablePointer<Double>?
        ) -> Void
    ) -> (means: [Double], squares: [Double]) {
        var means = [Double](repeating: 0, count: 48)
        var squares = means
        for range in [0..<1, 1..<500, 500..<Self.rows] {
            numbers.withUnsafeBufferPointer {
                kernel(
                    $0.baseAddress.map { $0 + range.lowerBound * Self.channels }, range.count, Self.channels,
                    range.lowerBound, &means, &squares)
            }
        }
        return (means, squares)
    }

    private func expectExact(_ moments: (means: [Double], squares: [Double]), of numbers: [Double]) {
        for channel in 0..<Self.channels {
            let column = (0..<Self.rows).map { numbers[$0 * Self.channels + channel] }
            let mean = column.reduce(0, +) / Double(Self.rows)
            let squares = column.map { ($0 - mean) * ($0 - mean) }.reduce(0, +)
            let deviation = (squares / Double(Self.rows)).squareRoot()
            #expect(abs(moments.means[channel] - mean) < 1e-5 * max(abs(mean), deviation))
            #expect(abs(moments.squares[channel] - squares) < 1e-5 * squares, "channel \(channel)")
        }
        #expect(moments.means.dropFirst(Self.channels).allSatisfy { $0 == 0 }, "beyond the last channel")
    }

    @Test(arguments: InstructionSet.allAvailable)
    func areAsDoublePrecisionHasThem(on set: InstructionSet) {
        let kernels = vgg_kernels_for(vgg_instruction_set(rawValue: UInt32(set.rawValue))).pointee
        expectExact(moments(of: numbers, by: kernels.channel_moments), of: numbers.map(Double.init))
    }

    @Test(arguments: InstructionSet.allAvailable)
    func inMixedPrecisionAreThoseOfTheRoundedNumbers(on set: InstructionSet) {
        let kernels = vgg_bf16_kernels_for(vgg_instruction_set(rawValue: UInt32(set.rawValue))).pointee
        let rounded = numbers.map { UInt16($0.bitPattern >> 16) }
        expectExact(
            moments(of: rounded, by: kernels.bf16_channel_moments),
            of: rounded.map { Double(Float(bitPattern: UInt32($0) << 16)) })
    }
}
