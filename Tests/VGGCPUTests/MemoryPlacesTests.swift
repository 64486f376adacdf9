import Testing
import VGGCPU
import VGGEngine
import VGGModel

@Suite struct MemoryPlacesTests {
    private func places(_ items: [(bytes: Int, times: ClosedRange<Int>)]) -> MemoryPlaces {
        MemoryPlaces(items.map { MemoryPlaces.Item(bytes: $0.bytes, times: $0.times) })
    }

    @Test func whatIsInUseAtOnceLiesApart() {
        var random = RandomWords(Philox(seed: 5, stream: .shuffle), sequence: 0)
        for count in 1...60 {
            let items = (0..<count).map { _ in
                let first = Int(random.next() % 40)
                return (bytes: Int(random.next() % 5000), times: first...first + Int(random.next() % 20))
            }
            let places = places(items)
            for (one, item) in items.enumerated() {
                #expect(places.offsets[one] % 64 == 0 && places.offsets[one] + item.bytes <= places.total)
                for other in 0..<one where items[other].times.overlaps(item.times) {
                    let (first, second) = (places.offsets[one], places.offsets[other])
                    #expect(first + item.bytes <= second || second + items[other].bytes <= first)
                }
            }
            #expect(places.total <= items.map { ($0.bytes + 63) / 64 * 64 }.reduce(0, +))
        }
    }

    @Test func placesAreUsedAgain() {
        // As the maps of a training: each is in use from forward to backward, around those that come later.
        let nested = places((0..<5).map { (bytes: 64 * (5 - $0), times: $0...20 - $0) })
        #expect(nested.total == 64 * 15)
        // As the maps of a prediction: a step's input and output. In the order of time these would take 50 parts of 64.
        let chain = places([(640, 0...1), (1280, 1...2), (1280, 2...3), (640, 3...4)])
        #expect(chain.total == 64 * 40)
        #expect(places([(100, 0...0), (100, 1...1)]).total == 128)
        #expect(places([]).total == 0 && places([(0, 0...9)]).total == 0)
    }

    /// With batch norm: what the convolutions have made but the first, which is made again, and what pools have left; where no
    /// pool follows, the next convolution's input is made again.
    @Test func aTrainingKeepsOneMapAConvolution() throws {
        var model = ModelSpecification.slimVGG11
        model.arch = "vgg11_bn"
        let network = try model.network(size: 224)
        let (batch, float) = (64, 4)
        let plan = try Plan(network, batchSize: batch, mode: .training)
        let activations = Device.cpu(threads: 2).memory(of: plan, optimizer: nil).activations
        var bytes = network.input.count * float
        for layer in network.layers {
            let sides = layer.output.dimensions
            switch layer.layer {
            case .convolution(let convolution) where convolution.inChannels > 1:
                bytes += layer.output.count * float
            // With the border of the next convolution, and a byte that says who won.
            case .maxPool:
                bytes += sides[0] * (sides[1] + 2) * (sides[2] + 2) * float + layer.output.count
            case .linear, .dropout: bytes += layer.output.count * float
            default: break
            }
        }
        #expect(activations < batch * bytes * 11 / 10, "\(activations) bytes, \(batch * bytes) expected")
    }
}
