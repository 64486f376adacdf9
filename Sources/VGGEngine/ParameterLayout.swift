import CVGGKernels
import VGGModel

/// How a tensor lies in the engine's memory. Weights are panels of 16 output channels (see vgg_kernels.h).
enum ParameterLayout: Hashable, Sendable {
    /// A convolution's `[out, in, kernel, kernel]`, or, with the map it reads from in place of the kernel, a
    /// linear layer's `[out, in · height · width]`: PyTorch flattens channels first, the engine pixels first.
    case panels(out: Int, in: Int, height: Int, width: Int)
    case vector(Int)

    /// Floats in memory, whole panels.
    var count: Int {
        switch self {
        case .panels(let out, let inputs, let height, let width):
            out.roundedUp(to: panel) * inputs * height * width
        case .vector(let count): count.roundedUp(to: panel)
        }
    }

    /// Parts that can be packed side by side: panels.
    private var parts: Int {
        switch self {
        case .vector: 1
        case .panels(let out, _, _, _): out.panels
        }
    }

    /// Calls `body(tensor index, memory index)` for every element of the parts.
    @inline(__always)
    private func forEachIndex(in parts: Range<Int>, _ body: (Int, Int) -> Void) {
        switch self {
        case .vector(let count):
            for index in 0..<count { body(index, index) }
        case .panels(let out, let inputs, let height, let width):
            let pixels = height * width
            for part in parts {
                let outs = part * panel..<min(out, (part + 1) * panel)
                // A block of inputs at a time: a panel's memory is written in order, and the tensor, whose rows
                // are far apart, is read a cache line at a time.
                for start in stride(from: 0, to: inputs, by: panel) {
                    for pixel in 0..<pixels {
                        for i in start..<min(inputs, start + panel) {
                            let memory = ((part * pixels + pixel) * inputs + i) * panel - outs.lowerBound
                            for o in outs { body((o * inputs + i) * pixels + pixel, memory + o) }
                        }
                    }
                }
            }
        }
    }

    /// Writes a tensor's values to memory; what fills up the last panel is left as it is (zero).
    func pack(_ values: TensorValues, to memory: Floats, _ workers: Workers) {
        values.withUnsafeBufferPointer { values in
            guard let values = values.baseAddress else { return }
            workers.run(over: parts, grain: 1) { parts, _ in
                forEachIndex(in: parts) { memory[$1] = values[$0] }
            }
        }
    }

    /// Reads `count` values of a tensor from memory.
    func unpack(_ memory: UnsafePointer<Float>, count: Int, _ workers: Workers) -> [Float] {
        [Float](unsafeUninitializedCapacity: count) { values, initialized in
            if let values = values.baseAddress {
                workers.run(over: parts, grain: 1) { parts, _ in
                    forEachIndex(in: parts) { values[$0] = memory[$1] }
                }
            }
            initialized = count
        }
    }
}

/// Output channels in a panel.
let panel = VGG_PANEL
