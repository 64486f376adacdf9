import Testing
import VGGCPU
import VGGEngine
import VGGModel

@Suite struct WeightsTests {
    /// Whole and partial panels of outputs, more inputs than are packed at once, large and small maps: every number
    /// comes back. (`OperatorTests` shows that it was in its right place.)
    @Test(arguments: TestedDevice.allAndReference, [Mode.training, .inference])
    func loadedWeightsComeBack(_ tested: TestedDevice, _ mode: Mode) throws {
        let network = try Network(
            input: .map(channels: 3, height: 20, width: 20),
            blocks: [
                .sequential([
                    .convolution(Convolution(3, 33, kernel: 3, padding: 1)), .relu,
                    .convolution(Convolution(33, 16, kernel: 5, padding: 2)), .relu,
                    .convolution(Convolution(16, 5, kernel: 1)), .relu,
                ]),
                .single(.flatten), .single(.linear(Linear(2000, 40))), .single(.relu),
                .single(.linear(Linear(40, 7))),
            ])
        let executor = try Executor(
            plan: try Plan(network, batchSize: 1, mode: mode), device: tested.device)
        var next: Float = 0
        let weights = Dictionary(
            uniqueKeysWithValues: network.parameters.map { parameter in
                let values = (0..<parameter.shape.reduce(1, *)).map { _ in
                    next += 1
                    return next
                }
                return (parameter.name, Tensor(shape: parameter.shape, values: values))
            })
        try executor.load(weights)
        #expect(executor.weights == weights)
    }
}
