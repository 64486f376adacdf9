import Foundation
import VGGKit

/// Measures training or inference with synthetic images.
struct Benchmark {
    enum Work: String, CaseIterable, Encodable {
        case train, infer
    }

    var network: Network
    var work: Work
    var precision: Precision
    var batchSize: Int
    var optimizer: Optimizer
    /// What is not trained.
    var frozen: FrozenPart?
    var device: Device

    /// - Parameter steps: batches to measure, positive; two more come before, which touch memory and caches.
    /// - Throws: `PlanError`.
    func run(steps: Int) throws -> BenchmarkResult {
        // Predictions fold batch norm, too.
        let network = work == .infer ? try network.foldingBatchNorm().network : network
        let plan = try Plan(
            network, batchSize: batchSize, mode: work == .train ? .training : .inference,
            precision: precision,
            frozenLayers: work == .train ? frozen.map(network.layerCount) ?? 0 : 0)
        try plan.checkFits(on: device, optimizer: work == .train ? optimizer : nil) {
            $0 * network.input.count * MemoryLayout<Float>.stride
        }
        let executor = try Executor(plan: plan, device: device)
        executor.initialize(.xavier, seed: 0)
        let peak = device.measuredPeak(precision)
        // Time does not depend on the values; with a prime for the period, no two images are the same.
        let images = try ImageBatch(
            (0..<batchSize * network.input.count).map { Float($0 % 251) / 250 }, count: batchSize,
            shape: network.input, labels: (0..<batchSize).map { Int32($0 % network.output.count) })

        let clock = ContinuousClock()
        /// Begins a batch.
        /// - Returns: what waits until it is known what it gave.
        func begin(_ step: Int) -> () -> Void {
            switch work {
            case .train:
                let metrics = executor.beginTrainingStep(images, optimizer: optimizer, step: step)
                return { _ = metrics.metrics() }
            case .infer:
                _ = executor.logits(images)
                return {}
            }
        }
        let warmUp = 2
        var seconds: [Double] = []
        var times: [[StepTime]] = []
        for step in 0..<warmUp + steps {
            let started = clock.now
            let timed = executor.timed { begin(step)() }
            try executor.checkDevice()
            guard step >= warmUp else { continue }
            seconds.append((clock.now - started) / .seconds(1))
            times.append(timed.times)
        }
        // Another device was made to wait after each part, so that these could be timed.
        if device.properties.kind != .cpu {
            seconds = secondsBetween(steps) { begin(warmUp + steps + $0) }
            try executor.finish()
        }
        return BenchmarkResult(self, seconds: seconds, times: times, peak: peak)
    }

    /// How long a device takes for each batch where, as in a training, it is always given the next one before it is asked about the
    /// last.
    /// - Parameter begin: begins a batch, and returns what waits for it.
    private func secondsBetween(_ batches: Int, _ begin: (_ batch: Int) -> () -> Void) -> [Double] {
        let clock = ContinuousClock()
        begin(0)()
        var known = clock.now
        var waitForLast = begin(1)
        return (0..<batches).map { batch in
            let waitForNext = begin(2 + batch)
            waitForLast()
            defer { (waitForLast, known) = (waitForNext, clock.now) }
            return (clock.now - known) / .seconds(1)
        }
    }

    /// The most memory the process has held, in bytes; 0 if the system does not say.
    static var peakResidentBytes: Int {
        #if os(macOS)
            var usage = rusage()
            getrusage(RUSAGE_SELF, &usage)
            return usage.ru_maxrss
        #else
            // What getrusage says is never less than what the process that started this one had.
            let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
            let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
            let kilobytes = line?.split(separator: " ").compactMap { Int($0) }.first
            return (kilobytes ?? 0) * 1024
        #endif
    }
}

/// What `vgg bench` says. Operations are those of direct convolution, two a multiply-accumulate.
struct BenchmarkResult: Encodable {
    /// A step of the plan; medians over the measured batches.
    struct Layer: Encodable {
        var name: String
        var kind: String
        var forwardMs: Double
        var backwardMs: Double
        var gflops: Double
    }

    var mode: Benchmark.Work
    var precision: Precision
    /// Channels, height and width.
    var input: [Int]
    var batchSize: Int
    var device: String
    var threads: Int
    var kernels: String
    /// The median.
    var imagesPerSec: Double
    var stepMs: [Double]
    var peakRssMb: Double
    var gflops: Double
    var percentOfPeak: Double
    /// The machine's: multiply-adds between registers on as many threads, 10⁹ operations a second.
    var peakGflops: Double
    var layers: [Layer]

    /// - Parameters:
    ///   - seconds: of each measured batch.
    ///   - times: of each measured batch, all with the same rows.
    ///   - peak: operations a second.
    init(_ benchmark: Benchmark, seconds: [Double], times: [[StepTime]], peak: Double) {
        mode = benchmark.work
        precision = benchmark.precision
        input = benchmark.network.input.dimensions
        batchSize = benchmark.batchSize
        device = benchmark.device.name
        threads = benchmark.device.threads
        kernels = benchmark.device.kernels
        let images = Double(batchSize)
        let steps = times.first ?? []
        layers = steps.enumerated().map { row, step in
            let forward = times.map { $0[row].forwardSeconds }.median
            let backward = times.map { $0[row].backwardSeconds }.median
            let operations = 2 * Double(step.multiplyAccumulates) * images
            return Layer(
                name: step.name, kind: step.kind, forwardMs: forward * 1e3, backwardMs: backward * 1e3,
                gflops: operations == 0 ? 0 : operations / (forward + backward) / 1e9)
        }
        imagesPerSec = images / seconds.median
        stepMs = seconds.map { $0 * 1e3 }
        peakRssMb = Double(Benchmark.peakResidentBytes) / 1e6
        let perImage = 2 * Double(steps.map(\.multiplyAccumulates).reduce(0, +))
        gflops = perImage * imagesPerSec / 1e9
        peakGflops = peak / 1e9
        percentOfPeak = 100 * gflops / peakGflops
    }
}

extension [Double] {
    /// The middle value, or the mean of the two in the middle; not a number where there is none.
    var median: Double {
        guard !isEmpty else { return .nan }
        let sorted = sorted()
        return (sorted[(count - 1) / 2] + sorted[count / 2]) / 2
    }
}
