import VGGKit

extension BenchmarkResult {
    /// A table by step of the plan, and what it comes to.
    /// - Parameter width: the characters of a line; nil for as many as it takes.
    func text(width: Int?) -> String {
        // Inference has no backward pass.
        let isTraining = mode == .train
        let header =
            ["step", "layers", "forward ms"] + (isTraining ? ["backward ms"] : [])
            + ["share", "GFLOP/s", "of peak"]
        let total = layers.map { $0.forwardMs + $0.backwardMs }.reduce(0, +)
        let rows = layers.map { layer in
            [layer.name, layer.kind, Text.fixed(layer.forwardMs, 2)]
                + (isTraining ? [Text.fixed(layer.backwardMs, 2)] : [])
                + [
                    Text.fixed(100 * (layer.forwardMs + layer.backwardMs) / total, 1) + " %",
                    layer.gflops == 0 ? "" : Text.fixed(layer.gflops, 1),
                    layer.gflops == 0 ? "" : Text.fixed(100 * layer.gflops / peakGflops, 0) + " %",
                ]
        }
        let lines = Text.table([header] + rows, leftColumns: 2, width: width)
        let work = mode == .train ? "training steps" : "inference"
        let shape = input.map(String.init).joined(separator: "×")
        let range = "\(Text.fixed(stepMs.min() ?? 0, 1)) to \(Text.fixed(stepMs.max() ?? 0, 1))"
        return """
            \(work) with \(batchSize) images of \(shape), \(precision.rawValue), device: \(device), threads: \(threads), \
            kernels: \(kernels)
            the device's peak, multiply-adds between registers: \(Text.fixed(peakGflops, 1)) GFLOP/s

            \(lines.joined(separator: "\n"))

            \(Text.fixed(imagesPerSec, 1)) images/sec: the median of \(stepMs.count) batches, \
            \(Text.fixed(stepMs.median, 1)) ms each (\(range) ms)
            \(Text.fixed(gflops, 1)) GFLOP/s, counted as direct convolution: \
            \(Text.fixed(percentOfPeak, 1)) % of the peak
            \(ReadableNumber.bytes(Int(peakRssMb * 1e6))) of memory at most
            """
    }
}
