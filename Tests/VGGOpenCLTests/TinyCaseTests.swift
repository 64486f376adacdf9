import Foundation
import Testing
import VGGEngine
import VGGModel
import VGGOpenCL

/// Networks that together need every kernel, so small that an interpreter is done with them in seconds: Oclgrind, which looks
/// for races and for what lies outside of a buffer (Scripts/oclgrind).
private struct TinyCase: Sendable {
    let name: String
    let precision: Precision
    let network: Network
    let optimizer: Optimizer
    let batch = 3

    init(
        _ name: String, precision: Precision = .fp32, _ channels: Int, _ side: Int, _ optimizer: Optimizer,
        _ layers: [Layer]
    ) {
        self.name = name
        self.precision = precision
        self.optimizer = optimizer
        let input = Shape.map(channels: channels, height: side, width: side)
        network = try! Network(input: input, blocks: [.sequential(layers)])
    }

    private static func convolution(
        _ channels: Int, _ out: Int, _ kernel: Int = 3, stride: Int = 1, padding: Int = 1
    ) -> Layer {
        .convolution(Convolution(channels, out, kernel: kernel, stride: stride, padding: padding))
    }

    static let all: [TinyCase] = {
        let pool = Layer.maxPool(Pool(window: 2, stride: 2))
        var (momentum, adam) = (
            Optimizer(learningRate: 0.1, momentum: 0.9), Optimizer(learningRate: 0.01)
        )
        momentum.average = WeightAverage(decay: 0.9)
        adam.average = WeightAverage(decay: 0.9)
        adam.opt = .adam
        let plain = Optimizer(learningRate: 0.1)
        return [
            TinyCase(
                // Of 300 pixels, which are more than one part of a sum.
                "blocks", 2, 10, momentum,
                [
                    convolution(2, 5), .relu, pool, convolution(5, 3), .relu, .flatten,
                    .linear(Linear(75, 9)), .relu, .dropout(0.5), .linear(Linear(9, 4)),
                ]),
            TinyCase(
                "batch norm", 1, 6, adam,
                [
                    convolution(1, 3), .batchNorm(BatchNorm(3)), .relu, pool, convolution(3, 4),
                    .batchNorm(BatchNorm(4)), .flatten, .linear(Linear(36, 4)),
                ]),
            TinyCase(
                "strides, other pools", 2, 9, plain,
                [
                    convolution(2, 3, 3, stride: 2, padding: 1), .maxPool(Pool(window: 3, stride: 1)), .relu,
                    convolution(3, 4, 2, padding: 1), .averagePool(Pool(window: 2, stride: 1)),
                    .adaptiveAveragePool(height: 2, width: 2), .flatten, .linear(Linear(16, 4)),
                ]),
            // Every combination of formats: 16 and 32 bits before and after a step.
            TinyCase(
                "mixed precision", precision: .bf16, 2, 12, momentum,
                [
                    convolution(2, 3), .batchNorm(BatchNorm(3)), .relu, pool, convolution(3, 4), .relu,
                    .maxPool(Pool(window: 3, stride: 1)), convolution(4, 3),
                    .maxPool(Pool(window: 2, stride: 1)), convolution(3, 4), .dropout(0.5), .flatten,
                    .linear(Linear(36, 9)), .relu, .linear(Linear(9, 4)),
                ]),
        ]
    }()
}

@Suite struct TinyCaseTests {
    /// Three steps of each case and what they make of a batch. `VGG_OPENCL_BITS` names a file for the bits, which do not depend on
    /// who runs the kernels.
    @Test(arguments: OpenCLDevice.all) func everyKernelRuns(on device: OpenCLDevice) throws {
        let context = try OpenCLContext.of(device)
        var used: Set<String> = []
        var lines: [String] = []
        for example in TinyCase.all {
            let queue = try OpenCLQueue(context)
            let plan = try Plan(
                example.network, batchSize: example.batch, mode: .training, precision: example.precision)
            let executor = Executor(plan: plan, try OpenCLBackend.bind(plan, on: queue), sharesWeights: false)
            executor.initialize(.xavier, seed: 1)
            let values = example.batch * example.network.input.count
            let images = try ImageBatch(
                (0..<values).map { Float($0 * 37 % 101) / 100 - 0.3 }, count: example.batch,
                shape: example.network.input, labels: (0..<example.batch).map { Int32($0 % 4) })
            for step in 0..<2 {
                _ = executor.trainingStep(images, optimizer: example.optimizer, step: step)
            }
            _ = executor.backward(images, step: 2)
            #expect(executor.clipGradients(to: 0.01) > 0.01)
            executor.update(with: example.optimizer)
            let numbers =
                executor.weights.sorted { $0.key < $1.key }.flatMap { Array($0.value.values) }
                + executor.logits(images) + executor.withAverage { executor.logits(images) }
            try executor.finish()
            #expect(numbers.allSatisfy { $0.isFinite }, "\(example.name)")
            lines.append(
                "\(example.name): \(numbers.map { String($0.bitPattern, radix: 16) }.joined(separator: " "))\n"
            )
            used.formUnion(queue.kernelNames)
        }
        // What is measured is no part of a plan.
        #expect(
            KernelSource.names.filter { !used.contains($0) } == ["peak"],
            "a new kernel needs a layer in one of TinyCase.all, by which Oclgrind checks it")
        if let path = ProcessInfo.processInfo.environment["VGG_OPENCL_BITS"] {
            try lines.joined().write(toFile: path, atomically: true, encoding: .utf8)
        }
    }
}
