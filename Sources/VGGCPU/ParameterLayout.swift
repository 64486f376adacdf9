import CVGGKernels
import VGGEngine
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

    /// Writes a tensor's values to memory; what fills up a last panel of weights becomes zero, and the end of a
    /// vector stays as it is.
    func pack(_ values: TensorValues, to memory: Floats, _ context: StepContext) {
        values.withUnsafeBufferPointer { values in
            guard let values = values.baseAddress else { return }
            switch self {
            case .vector(let count): memory.update(from: values, count: count)
            case .panels:
                forEachBlock(context.workers) { block, lines in
                    context.kernels.transpose(
                        values + block.start, block.rowStride, block.rows, block.columns,
                        UnsafeMutableRawPointer(lines).assumingMemoryBound(to: Float.self), panel, panel)
                    block.forEachLine(in: memory) { line, index in line.pointee = lines[index] }
                }
            }
        }
    }

    /// Reads `count` values of a tensor from memory.
    func unpack(_ memory: Floats, count: Int, _ context: StepContext) -> [Float] {
        [Float](unsafeUninitializedCapacity: count) { values, initialized in
            initialized = count
            guard let values = values.baseAddress else { return }
            switch self {
            case .vector: values.update(from: memory, count: count)
            case .panels:
                forEachBlock(context.workers) { block, lines in
                    block.forEachLine(in: memory) { line, index in lines[index] = line.pointee }
                    context.kernels.transpose(
                        UnsafeMutableRawPointer(lines).assumingMemoryBound(to: Float.self), panel,
                        block.columns, block.rows, values + block.start, block.rowStride, block.columns)
                }
            }
        }
    }

    /// The numbers of a panel's outputs for one input at one pixel: neighbours in memory.
    private typealias Line = SIMD16<Float>

    /// A panel's outputs for some of the inputs: `rows` runs of `columns` numbers, `rowStride` apart in the tensor.
    private struct Block {
        let start, rowStride, rows, columns: Int
        let firstLine, inputs, inputStride, pixels: Int

        /// Calls `body` with every line in memory, and where in the block it belongs.
        @inline(__always)
        func forEachLine(in memory: Floats, _ body: (UnsafeMutablePointer<Line>, Int) -> Void) {
            let lines = UnsafeMutableRawPointer(memory).assumingMemoryBound(to: Line.self) + firstLine
            for pixel in 0..<pixels {
                for input in 0..<inputs { body(lines + pixel * inputStride + input, input * pixels + pixel) }
            }
        }
    }

    /// Calls `body` for all blocks, with scratch memory for one: a line a column.
    private func forEachBlock(
        _ workers: Workers, _ body: (Block, UnsafeMutablePointer<Line>) -> Void
    ) {
        guard case .panels(let out, let inputs, let height, let width) = self else { return }
        let pixels = height * width
        // So that a block stays in the second-level cache and whole cache lines of the tensor are read.
        let step = max(1, min(inputs, 1024 / pixels))
        workers.run(over: out.panels, grain: 1) { panels, _ in
            withUnsafeTemporaryAllocation(of: Line.self, capacity: step * pixels) { lines in
                guard let lines = lines.baseAddress else { return }
                for part in panels {
                    for start in stride(from: 0, to: inputs, by: step) {
                        let count = min(step, inputs - start)
                        let block = Block(
                            start: (part * panel * inputs + start) * pixels, rowStride: inputs * pixels,
                            rows: min(panel, out - part * panel), columns: count * pixels,
                            firstLine: part * pixels * inputs + start, inputs: count, inputStride: inputs,
                            pixels: pixels)
                        body(block, lines)
                    }
                }
            }
        }
    }
}

/// Output channels in a panel.
let panel = VGG_PANEL
