import Foundation
import Testing
import VGGModel

/// A network as PyTorch has it; Scripts/goldens/models.py writes them.
struct GoldenModel: Decodable, Sendable, CustomTestStringConvertible {
    struct Layer: Decodable {
        let name: String
        let `class`: String
        let output: [Int]
        let parameters: Int
        let macs: Int
    }
    struct Tensor: Decodable {
        let name: String
        let shape: [Int]
    }

    let name: String
    let size: Int
    let specification: ModelSpecification
    let layers: [Layer]
    let blocks: [String]
    let parameters: Int
    let macs: Int
    let tensors: [Tensor]

    var isTorchvisions: Bool { name.hasPrefix("torchvision/") }
    var testDescription: String { name }

    static let all: [GoldenModel] = {
        let file = Bundle.module.url(forResource: "Goldens/models", withExtension: "json")!
        return try! JSONDecoder().decode([GoldenModel].self, from: Data(contentsOf: file))
    }()
}

@Suite struct GoldenModelTests {
    @Test func coverEveryArchitecture() {
        #expect(
            Set(GoldenModel.all.map(\.specification.arch)) == Set(Architecture.allNames),
            "Scripts/goldens/models.py asks PyTorch what each has")
    }

    @Test(arguments: GoldenModel.all) func layersAreEqual(_ golden: GoldenModel) throws {
        let network = try golden.specification.network(size: golden.size)
        // torchvision flattens with a function, the chapter with a layer.
        let layers = network.layers.filter { !(golden.isTorchvisions && $0.layer == .flatten) }
        #expect(layers.map(\.layer.className) == golden.layers.map(\.class))
        #expect(layers.map(\.output.dimensions) == golden.layers.map(\.output))
        #expect(layers.map(\.parameterCount) == golden.layers.map(\.parameters))
        #expect(layers.map(\.multiplyAccumulates) == golden.layers.map(\.macs))
        #expect(network.parameterCount == golden.parameters)
        #expect(network.multiplyAccumulates == golden.macs)
        if golden.isTorchvisions {
            #expect(layers.map(\.name) == golden.layers.map(\.name))
        } else {
            #expect(network.blocks.map(\.className) == golden.blocks)
        }
    }

    @Test(arguments: GoldenModel.all) func tensorsAreEqual(_ golden: GoldenModel) throws {
        let parameters = try golden.specification.network(size: golden.size).parameters
        #expect(parameters.map(\.shape) == golden.tensors.map(\.shape))
        // The chapter's nested Sequentials name their tensors after the nesting.
        if golden.isTorchvisions { #expect(parameters.map(\.name) == golden.tensors.map(\.name)) }
        let trained = parameters.filter(\.isTrained).map { $0.shape.reduce(1, *) }.reduce(0, +)
        #expect(trained == golden.parameters)
    }
}
