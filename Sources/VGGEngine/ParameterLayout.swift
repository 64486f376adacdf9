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

    /// Calls `body(tensor index, memory index)` for every element.
    private func forEachIndex(_ body: (Int, Int) -> Void) {
        switch self {
        case .vector(let count):
            for index in 0..<count { body(index, index) }
        case .panels(let out, let inputs, let height, let width):
            let pixels = height * width
            for o in 0..<out {
                let base = o / panel * pixels * inputs * panel + o % panel
                for i in 0..<inputs {
                    for pixel in 0..<pixels {
                        body((o * inputs + i) * pixels + pixel, base + (pixel * inputs + i) * panel)
                    }
                }
            }
        }
    }

    /// Writes a tensor's values to memory; what fills up the last panel is left as it is (zero).
    func pack(_ values: [Float], to memory: UnsafeMutablePointer<Float>) {
        values.withUnsafeBufferPointer { values in forEachIndex { memory[$1] = values[$0] } }
    }

    /// Reads `count` values of a tensor from memory.
    func unpack(_ memory: UnsafePointer<Float>, count: Int) -> [Float] {
        [Float](unsafeUninitializedCapacity: count) { values, initialized in
            forEachIndex { values[$0] = memory[$1] }
            initialized = count
        }
    }
}

/// Output channels in a panel.
let panel = VGG_PANEL
