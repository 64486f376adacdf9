import Testing
import VGGCPU
import VGGEngine
import VGGModel
import VGGOpenCL

/// What a plan on OpenCL has beside what every device is tested for.
@Suite struct OpenCLPlanTests {
    private func images(_ count: Int, _ shape: Shape, about mean: Float = 0) throws -> ImageBatch {
        let philox = Philox(seed: 4, stream: .shuffle)
        return try ImageBatch(
            (0..<count * shape.count).map {
                mean + 2 * Philox.uniform(philox.word(sequence: 0, element: $0)) - 1
            },
            count: count, shape: shape, labels: (0..<count).map { Int32($0 % 3) })
    }

    /// The memory that a plan is said to take is what it takes.
    @Test(arguments: OpenCLDevice.all, Precision.allCases)
    func memoryIsWhatWasSaid(_ opencl: OpenCLDevice, _ precision: Precision) throws {
        let device = OpenCLBackend(device: opencl)
        let network = try Network(
            input: .map(channels: 3, height: 12, width: 10),
            blocks: [
                vggBlock(2, 3, 8, batchNorm: true), vggBlock(1, 8, 70, batchNorm: false),
                .sequential([
                    .maxPool(Pool(window: 2, stride: 1)), .adaptiveAveragePool(height: 2, width: 2), .flatten,
                    .linear(Linear(280, 30)), .relu, .dropout(0.5), .linear(Linear(30, 3)),
                ]),
            ])
        let optimizer = Optimizer(.adamw, learningRate: 0.01, average: WeightAverage())
        for frozen in [0, 3, 9] {
            let plan = try Plan(
                network, batchSize: 5, mode: .training, precision: precision, frozenLayers: frozen)
            let bound = try #require(try device.bind(plan) as? OpenCLPlan)
            let pass = Pass(
                SumTree(images: 5), isTraining: true, update: ParameterUpdate(optimizer, number: 1))
            bound.write(try images(5, network.input))
            for step in plan.steps.indices { bound.forward(step, pass) }
            _ = bound.loss(labels: [0, 1, 2, 0, 1], partners: nil, pass)
            bound.beginAverage()
            for step in (plan.frozenSteps..<plan.steps.count).reversed() { bound.backward(step, pass) }
            bound.update(ParameterUpdate(optimizer, number: 1), after: pass)
            bound.finish()
            #expect(bound.failure == nil)
            #expect(bound.queue.reserved == device.memory(of: plan, optimizer: optimizer).total, "\(frozen)")
        }
        let plan = try Plan(network, batchSize: 5, mode: .inference, precision: precision)
        let bound = try #require(try device.bind(plan) as? OpenCLPlan)
        #expect(bound.queue.reserved == device.memory(of: plan, optimizer: nil).total)
    }

    /// Dropout's masks are the processor's, bit for bit, on maps and on vectors, whatever the row's length.
    @Test(arguments: OpenCLDevice.all, [(3, 5, 7), (4, 2, 2), (37, 1, 1)])
    func dropoutIsTheProcessors(_ opencl: OpenCLDevice, _ size: (Int, Int, Int)) throws {
        let shape = Shape.map(channels: size.0, height: size.1, width: size.2)
        let network = try Network(
            input: shape, blocks: [.sequential([.dropout(0.4), .flatten, .linear(Linear(shape.count, 3))])])
        let plan = try Plan(network, batchSize: 1, mode: .training, keeping: [0])
        let batch = try images(1, shape, about: 3)
        let maps = try [Device.cpu, Device.opencl(opencl)].map { device in
            let bound = try device.backend.bind(plan)
            bound.write(batch)
            bound.forward(0, Pass(SumTree(images: 1), isTraining: true))
            return bound.output(of: 0, count: 1)
        }
        #expect(maps[0] == maps[1])
        #expect(maps[0].contains(0) && maps[0].contains { $0 != 0 })
    }

    /// A mean far from zero costs no digits.
    @Test(arguments: OpenCLDevice.all) func aMeanFarFromZero(_ opencl: OpenCLDevice) throws {
        let shape = Shape.map(channels: 2, height: 9, width: 11)
        let network = try Network(
            input: shape,
            blocks: [.sequential([.batchNorm(BatchNorm(2)), .flatten, .linear(Linear(shape.count, 3))])])
        let executor = try Executor(
            plan: try Plan(network, batchSize: 40, mode: .training), device: .opencl(opencl))
        executor.initialize(.xavier, seed: 1)
        let batch = try images(40, shape, about: 1000)
        _ = executor.backward(batch)
        for channel in 0..<2 {
            let numbers = (0..<40).flatMap { (image: Int) -> [Double] in
                let start = (image * 2 + channel) * 99
                return batch.values[start..<start + 99].map { Double($0) }
            }
            let mean = numbers.reduce(0, +) / Double(numbers.count)
            let squares = numbers.map { (number: Double) -> Double in (number - mean) * (number - mean) }
            let variance = squares.reduce(0, +) / Double(numbers.count - 1)
            let found = try #require(executor.weights["features.0.running_var"]).values[channel]
            #expect(abs(Double(found) - (0.9 + 0.1 * variance)) < 1e-5, "\(channel)")
            let running = try #require(executor.weights["features.0.running_mean"]).values[channel]
            #expect(abs(Double(running) - 0.1 * mean) < 2e-5, "\(channel)")
        }
    }

    /// A batch may come while the device is busy with the last one.
    @Test(arguments: OpenCLDevice.all, Precision.allCases)
    func batchesFollowOneAnother(_ opencl: OpenCLDevice, _ precision: Precision) throws {
        let network = try Network(
            input: .map(channels: 3, height: 16, width: 16),
            blocks: [vggBlock(2, 3, 70), .sequential([.flatten, .linear(Linear(70 * 64, 3))])])
        let plan = try Plan(network, batchSize: 9, mode: .inference, precision: precision)
        let bound = try OpenCLBackend(device: opencl).bind(plan)
        for (index, parameter) in plan.parameters.enumerated() {
            let shape = parameter.description.shape
            let values = (0..<shape.reduce(1, *)).map { Float($0 * 7 % 11) / 11 - 0.4 }
            bound.write(Tensor(shape: shape, values: values), to: .value, of: index)
        }
        func run(_ batch: ImageBatch) {
            bound.write(batch)
            for step in plan.steps.indices {
                bound.forward(step, Pass(SumTree(images: batch.count), isTraining: false))
            }
        }
        func logits() -> [Float] { bound.output(of: plan.steps.count - 1, count: 9) }
        let batches = try (0..<3).map { try images(9, network.input, about: Float($0)) }
        for batch in batches { run(batch) }
        let last = logits()
        run(batches[0])
        #expect(logits() != last)
        run(batches[2])
        #expect(logits() == last && bound.failure == nil)
    }

    /// Steps may be with the device before anybody asks what the first of them gave, and in any order.
    @Test(arguments: OpenCLDevice.all) func metricsMayBeAskedForLater(_ opencl: OpenCLDevice) throws {
        let network = try Network(
            input: .map(channels: 3, height: 8, width: 8),
            blocks: [vggBlock(1, 3, 8), .sequential([.flatten, .linear(Linear(8 * 16, 3))])])
        let plan = try Plan(network, batchSize: 9, mode: .training)
        // The second is smaller, and the third one's labels are others.
        let batches = try [(9, 0), (4, 1), (9, 2)].map { count, shift in
            let batch = try images(count, network.input, about: Float(shift))
            return try ImageBatch(
                batch.values, count: count, shape: batch.shape,
                labels: (0..<count).map { Int32(($0 * $0 + shift) % 3) })
        }
        let optimizer = Optimizer(learningRate: 0.1, momentum: 0.9)
        let executors = try (0..<2).map { _ in try Executor(plan: plan, device: .opencl(opencl)) }
        for executor in executors { executor.initialize(.kaiming, seed: 2) }
        let asked = batches.map { executors[0].trainingStep($0, optimizer: optimizer) }
        let begun = batches.map { executors[1].beginTrainingStep($0, optimizer: optimizer) }
        #expect(begun.allSatisfy { !$0.areKnown })
        #expect(Array(begun.reversed().map { $0.metrics() }.reversed()) == asked)
        #expect(Set(asked.map(\.lossSum)).count == 3 && asked.map(\.count) == [9, 4, 9])
        #expect(executors[1].weights == executors[0].weights)
        // One that nobody asks for.
        _ = executors[1].beginTrainingStep(batches[0], optimizer: optimizer)
        try executors[1].finish()
    }

    /// The same again is the same to the bit, and weights move to the processor and back without losing one.
    @Test(arguments: OpenCLDevice.all, Precision.allCases)
    func repeatsItselfAndMovesToTheProcessor(_ opencl: OpenCLDevice, _ precision: Precision) throws {
        let shape = Shape.map(channels: 3, height: 16, width: 16)
        let network = try Network(
            input: shape,
            blocks: [
                vggBlock(1, 3, 20, batchNorm: true), vggBlock(2, 20, 70, batchNorm: false),
                .sequential([.flatten, .linear(Linear(70 * 16, 40)), .relu, .linear(Linear(40, 3))]),
            ])
        let plan = try Plan(network, batchSize: 9, mode: .training, precision: precision)
        let optimizer = Optimizer(.adam, learningRate: 0.01, average: WeightAverage(decay: 0.9))
        let batch = try images(9, shape)
        let runs = try (0..<2).map { _ in
            let executor = try Executor(plan: plan, device: .opencl(opencl))
            executor.initialize(.kaiming, seed: 2)
            let losses = (0..<4).map {
                executor.trainingStep(batch, optimizer: optimizer, seed: 1, step: $0).lossSum
            }
            try executor.finish()
            return (losses, executor.weights, executor.optimizerState)
        }
        #expect(runs[0].0 == runs[1].0 && runs[0].1 == runs[1].1 && runs[0].2 == runs[1].2)
        #expect(runs[0].0[3] < runs[0].0[0])
        let processor = try Executor(plan: plan, device: .cpu)
        try processor.load(runs[0].1)
        try processor.load(runs[0].2)
        #expect(processor.weights == runs[0].1 && processor.optimizerState == runs[0].2)
    }
}

/// Mixed precision on OpenCL.
@Suite struct MixedPrecisionTests {
    /// The nearest numbers of 16 bits, of two as near the even one; what is not a number stays it.
    @Test(arguments: OpenCLDevice.all) func numbersAreRoundedToTheNearest(_ opencl: OpenCLDevice) throws {
        let bits: [(UInt32, UInt32)] = [
            (0x3F80_0000, 0x3F80), (0x3F80_7FFF, 0x3F80), (0x3F80_8000, 0x3F80), (0x3F80_8001, 0x3F81),
            (0x3F81_8000, 0x3F82), (0xBF81_8000, 0xBF82), (0x7F7F_7FFF, 0x7F7F), (0x7F7F_8000, 0x7F80),
            (0x7F80_0000, 0x7F80), (0xFF80_0000, 0xFF80), (0x8000_0000, 0x8000), (0x0080_8000, 0x0080),
        ]
        let numbers = bits.map { Float(bitPattern: $0.0) } + [Float(bitPattern: 0x7F80_0001), .nan]
        let network = try Network(
            input: .map(channels: numbers.count, height: 1, width: 1),
            blocks: [.sequential([.dropout(0.5), .flatten, .linear(Linear(numbers.count, 2))])])
        let plan = try Plan(network, batchSize: 1, mode: .training, precision: .bf16)
        let bound = try OpenCLBackend(device: opencl).bind(plan)
        bound.write(try ImageBatch(numbers, shape: network.input))
        bound.forward(0, Pass(SumTree(images: 1), isTraining: false))
        let found = bound.output(of: 0, count: 1)
        for (number, expected) in zip(found, bits) {
            #expect(number.bitPattern == expected.1 << 16, "\(String(expected.0, radix: 16))")
        }
        #expect(found.count == numbers.count && found.suffix(2).allSatisfy { $0.isNaN })
    }

    /// Maps have half the bytes, parameters another half of their own.
    @Test(arguments: OpenCLDevice.all) func mapsTakeHalfTheMemory(_ opencl: OpenCLDevice) throws {
        let device = OpenCLBackend(device: opencl)
        let network = try ModelSpecification.slimVGG11.network(size: 96)
        let memory = try Precision.allCases.map { precision in
            device.memory(
                of: try Plan(network, batchSize: 32, mode: .training, precision: precision), optimizer: nil)
        }
        #expect(memory[1].activations * 10 < memory[0].activations * 6)
        #expect(
            memory[1].parameters * 2 >= memory[0].parameters * 3 && memory[1].gradients >= memory[0].gradients
        )
    }

    /// What another has put into the weights' place is what the next pass reads.
    @Test(arguments: OpenCLDevice.all) func copiesFollowTheWeights(_ opencl: OpenCLDevice) throws {
        let network = try Network(
            input: .map(channels: 1, height: 4, width: 4),
            blocks: [vggBlock(1, 1, 4), .sequential([.flatten, .linear(Linear(16, 3))])])
        let plan = try Plan(network, batchSize: 2, mode: .training, precision: .bf16)
        let images = try ImageBatch(
            (0..<32).map { Float($0 % 7) / 7 }, count: 2, shape: network.input, labels: [0, 2])
        func executor(_ weights: [String: Tensor]? = nil) throws -> Executor {
            let executor = try Executor(plan: plan, device: .opencl(opencl))
            executor.initialize(.kaiming, seed: 1)
            if let weights { try executor.load(weights) }
            return executor
        }
        let trained = try executor()
        let before = trained.logits(images)
        let optimizer = Optimizer(learningRate: 0.5, average: WeightAverage(decay: 0.5))
        for step in 0..<2 { _ = trained.trainingStep(images, optimizer: optimizer, step: step) }
        let after = trained.logits(images)
        #expect(after != before)
        #expect(try executor(trained.weights).logits(images) == after)
        let (average, weights) = trained.withAverage { (trained.logits(images), trained.weights) }
        #expect(average != after)
        #expect(try executor(weights).logits(images) == average)
        #expect(trained.logits(images) == after)
    }
}
