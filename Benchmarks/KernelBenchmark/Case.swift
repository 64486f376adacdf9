import CVGGKernels
import Foundation

/// A row of the table: one kernel at one shape.
struct Case {
    /// What a run of the kernel does.
    enum Work {
        /// Floating-point operations, two a multiply-accumulate, counted as direct convolution.
        case operations(Double)
        /// Bytes that must be read and written.
        case bytes(Double)
    }

    let kernel: String
    let shape: String
    let work: Work
    /// Reserves memory and returns what is to be timed.
    let prepare: () -> () -> Void

    /// Whether it is a kernel of mixed precision.
    var isMixed: Bool { kernel.hasPrefix("bf16_") }

    /// The best of several trials: a neighbour on the machine only ever makes one slower.
    func bestSeconds() -> Double {
        let run = prepare()
        run()
        let clock = ContinuousClock()
        var repetitions = 1
        var best = clock.measure(run) / .seconds(1)
        while best * Double(repetitions) < 0.02 { repetitions *= 2 }
        for _ in 0..<12 {
            let trial = clock.measure { for _ in 0..<repetitions { run() } }
            best = min(best, trial / .seconds(1) / Double(repetitions))
        }
        return best
    }

    /// One thread's operations a second between registers, in units of 10⁹.
    static func peak(_ kernel: (Int, UnsafeMutablePointer<Float>?) -> Double) -> Double {
        var result = [Float](repeating: 0, count: Int(VGG_PEAK_RESULT))
        let clock = ContinuousClock()
        return (0..<30).map { _ in
            var operations = 0.0
            let time = clock.measure { operations = kernel(300_000, &result) }
            return operations / (time / .seconds(1)) / 1e9
        }.max() ?? 0
    }
}

/// Memory for a case: reserved once, kept until the program ends.
func floats(_ count: Int) -> UnsafeMutablePointer<Float> {
    let memory = UnsafeMutableRawPointer.allocate(byteCount: (count + 64) * 4, alignment: 4096)
    let floats = memory.bindMemory(to: Float.self, capacity: count + 64)
    // Small numbers of both signs, so that ReLUs and pools have something to choose from.
    for index in 0..<count + 64 { floats[index] = Float(index % 251) / 250 - 0.5 }
    return floats
}

/// The same in bfloat16.
func bf16s(_ count: Int) -> UnsafeMutablePointer<UInt16> {
    let memory = UnsafeMutableRawPointer.allocate(byteCount: (count + 64) * 2, alignment: 4096)
    let bf16s = memory.bindMemory(to: UInt16.self, capacity: count + 64)
    for index in 0..<count + 64 {
        bf16s[index] = UInt16(truncatingIfNeeded: (Float(index % 251) / 250 - 0.5).bitPattern >> 16)
    }
    return bf16s
}

/// Winners of pools: all four positions and, now and then, none.
func winners(_ count: Int) -> UnsafeMutablePointer<UInt8> {
    let memory = UnsafeMutablePointer<UInt8>.allocate(capacity: count + 64)
    for index in 0..<count + 64 {
        memory[index] = index % 7 == 6 ? UInt8(VGG_POOL_DEAD) : UInt8(index * 5 % 4)
    }
    return memory
}

/// The leaves of a tree over examples: sixteen of them, where they are even.
func leaves(_ examples: Int) -> UnsafeMutableBufferPointer<vgg_leaf> {
    let count = examples % 16 == 0 ? 16 : 1
    let leaves = UnsafeMutableBufferPointer<vgg_leaf>.allocate(capacity: count)
    for index in 0..<count {
        let additions = count > 1 ? (index + 1).trailingZeroBitCount : 0
        leaves[index] = vgg_leaf(rows: examples / count, additions: additions)
    }
    return leaves
}

/// A linear layer whose rows are `xRow` and `yRow` numbers apart.
func linear(_ examples: Int, _ inputs: Int, _ outputs: Int, xRow: Int, yRow: Int) -> vgg_linear {
    let leaves = leaves(examples)
    return vgg_linear(
        rows: examples, inputs: inputs, outputs: outputs, x_row: xRow, y_row: yRow,
        leaves: leaves.baseAddress, leaf_count: leaves.count)
}

let set = vgg_best_instruction_set()
let kernels: vgg_kernels = vgg_kernels_for(set).pointee
let mixed: vgg_bf16_kernels = vgg_bf16_kernels_for(set).pointee

/// The names in the kernels' own lists.
var kernelNames: [String] {
    sequence(first: 0) { $0 + 1 }.lazy.map(vgg_kernel_name).prefix { $0 != nil }.compactMap { $0 }.map {
        String(cString: $0)
    }
}
