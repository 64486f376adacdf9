import VGGEngine

/// What the device reaches, in fractions of a second; 0 where it does not run.
extension OpenCLBackend {
    package func measuredPeak(_ precision: Precision) -> Double {
        let (items, rounds) = (device.computeUnits * 32 * KernelSizes.group, 1024)
        return best(of: 4, [items * 8 * 4]) { queue, buffers in
            queue.numbers("peak", items, Int32(rounds), Float(0.5), buffers[0])
        }.map { Double(items * rounds * 128) / $0 } ?? 0
    }

    package func measuredBandwidth() -> Double {
        let bytes = min(1 << (device.isProcessor ? 26 : 28), device.memory / 8, device.largestBuffer)
        return best(of: 6, [bytes, bytes]) { queue, buffers in
            queue.copy(buffers[0], to: buffers[1])
        }.map { 2 * Double(bytes) / $0 } ?? 0
    }

    /// The least seconds that something takes, which is done once before.
    private func best(
        of trials: Int, _ sizes: [Int], _ body: (OpenCLQueue, [OpenCLBuffer]) -> Void
    ) -> Double? {
        guard let context = try? OpenCLContext.of(device), let queue = try? OpenCLQueue(context) else {
            return nil
        }
        let buffers = sizes.compactMap { try? OpenCLBuffer(bytes: $0, context, queue) }
        guard buffers.count == sizes.count else { return nil }
        let clock = ContinuousClock()
        let seconds = (0..<trials).map { _ in
            clock.measure {
                body(queue, buffers)
                queue.finish()
            } / .seconds(1)
        }
        return queue.failure == nil ? seconds.dropFirst().min() : nil
    }
}
