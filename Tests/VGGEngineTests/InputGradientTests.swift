import Testing
import VGGCPU
import VGGEngine
import VGGModel
import VGGTestSupport

/// The gradient of the input on every device, against the slow reference.
@Suite struct InputGradientTests {
    private static let cases = OperatorCase.all.filter { !$0.network.hasBatchNorm }

    /// A random number for each output of the kept layers: the gradient of their sum with these weights.
    private func weights(_ outputs: [Int: Tensor]) -> [Int: Tensor] {
        outputs.mapValues { output in
            let philox = Philox(seed: UInt64(output.values.count), stream: .shuffle)
            return Tensor(
                shape: output.shape,
                values: output.values.indices.map {
                    2 * Philox.uniform(philox.word(sequence: 0, element: $0)) - 1
                })
        }
    }

    private func gradient(
        _ network: Network, _ images: ImageBatch, keeping kept: Set<Int>, withRespectTo layer: Int? = nil,
        isGuided: Bool = false, batchSize: Int? = nil, on device: Device
    ) throws -> Tensor {
        let executor = try Executor(
            plan: try Plan(
                network, batchSize: batchSize ?? images.count, mode: .inputGradient, keeping: kept),
            device: device)
        executor.initialize(.kaiming, seed: 3)
        try executor.load(scrambled(executor.weights))
        return executor.gradient(of: images, withRespectTo: layer, isGuided: isGuided) {
            weights($0.filter { $0.key != layer })
        }
    }

    @Test(arguments: cases, TestedDevice.all)
    func isTheReferences(_ example: OperatorCase, on tested: TestedDevice) throws {
        let images = try randomImages(count: example.batch, shape: example.network.input, seed: 5)
        let last = example.network.layers.count - 1
        for isGuided in [false, true] {
            let expected = try gradient(
                example.network, images, keeping: [last], isGuided: isGuided, on: .reference)
            #expect(expected.shape == [example.batch] + example.network.input.dimensions)
            let found = try gradient(
                example.network, images, keeping: [last], isGuided: isGuided, on: tested.device)
            expectClose(found.values, expected.values, "\(example.name), guided: \(isGuided)")
        }
    }

    /// Of several layers at once, in a batch that the plan is larger than, and with respect to an inner layer too.
    @Test(arguments: TestedDevice.all)
    func addsUpOverLayers(on tested: TestedDevice) throws {
        let network = try Network(
            input: .map(channels: 3, height: 22, width: 17),
            blocks: [vggBlock(2, 3, 16), vggBlock(1, 16, 33), vggBlock(1, 33, 20)])
        let images = try randomImages(count: 3, shape: network.input, seed: 6)
        // The first ReLU, the second pool, and the last layer.
        for (kept, layer): (Set<Int>, Int?) in [
            ([1, 7, 10], nil), ([1], nil), ([1, 7, 10], 1), ([4, 10], 4), ([0, 9], nil),
        ] {
            let expected = try gradient(network, images, keeping: kept, withRespectTo: layer, on: .reference)
            let found = try gradient(
                network, images, keeping: kept, withRespectTo: layer, batchSize: 5, on: tested.device)
            #expect(found.shape == expected.shape)
            expectClose(found.values, expected.values, "of layers \(kept.sorted())")
        }
    }

    @Test func takesNoMemoryForGradientsOfWeights() throws {
        let network = try ModelSpecification.slimVGG11.network(size: 32)
        func memory(_ mode: Mode) throws -> PlanMemory {
            Device.cpu(threads: 1).memory(
                of: try Plan(network, batchSize: 2, mode: mode, keeping: [network.layers.count - 1]),
                optimizer: nil)
        }
        let (gradient, training) = (try memory(.inputGradient), try memory(.training))
        #expect(gradient.gradients == 0 && gradient.optimizerState == 0 && training.gradients > 0)
        #expect(gradient.parameters == training.parameters)
        #expect(gradient.scratch <= training.scratch)
    }

    @Test func refusesABatchNormThatIsLeft() throws {
        let network = try Network(
            input: .map(channels: 2, height: 4, width: 4),
            blocks: [.sequential([.batchNorm(BatchNorm(2)), .flatten, .linear(Linear(32, 3))])])
        #expect(throws: PlanError.batchNormInGradient) {
            try Plan(network, batchSize: 1, mode: .inputGradient, keeping: [2])
        }
    }
}
