import CVGGKernels
import VGGEngine

extension CPUBackend {
    /// Floating-point operations a second of multiply-adds between registers on all of the device's threads:
    /// the best of several trials, together well below a second. It is the machine's own peak, whatever kernels
    /// are chosen. Work that is counted as direct convolution can pass it where it multiplies less (Winograd).
    package func measuredPeak(_ precision: Precision) -> Double {
        let kernel = precision == .fp32 ? vgg_peak_fp32 : vgg_peak_bf16
        let stride = VGG_PEAK_RESULT
        let workers = Workers(threads: threads)
        let iterations = 300_000
        var results = [Float](repeating: 0, count: threads * stride)
        let clock = ContinuousClock()
        return results.withUnsafeMutableBufferPointer { results in
            guard let target = results.baseAddress else { return 0 }
            let operations = kernel(iterations, target) * Double(threads)
            // A neighbour on the machine only ever makes a trial slower.
            let trials = (0..<30).map { _ in
                clock.measure {
                    workers.run(threads) { task, _ in _ = kernel(iterations, target + task * stride) }
                }
            }
            return trials.min().map { operations / ($0 / .seconds(1)) } ?? 0
        }
    }
}
