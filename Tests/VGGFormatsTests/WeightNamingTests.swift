import Foundation
import Testing
import VGGFormats
import VGGModel

@Suite struct WeightNamingTests {
    /// The network of Scripts/goldens/weight_files.py, `tiny(batch_norm=True)`.
    private var network: Network {
        get throws {
            try vgg(
                [(1, 4), (2, 8)], size: 12, inChannels: 3, classes: 5, batchNorm: true, hiddenFeatures: 16)
        }
    }

    private func tensors(_ name: String) throws -> NamedTensors {
        try WeightFile(contentsOf: golden(name)).tensors
    }

    @Test(arguments: [
        "names-torchvision.safetensors", "names-torchvision2017.safetensors", "names-timm.safetensors",
        "names-d2l.safetensors", "names-wrapped.pth",
    ])
    func recognizesEveryNaming(_ name: String) throws {
        let canonical = try WeightNaming.canonical(tensors(name), for: network)
        #expect(try canonical == tensors("names-torchvision.safetensors").dictionary)
    }

    @Test(arguments: WeightNaming.allCases) func hasTheWayBack(_ naming: WeightNaming) throws {
        let expected = try tensors("names-\(naming.rawValue).safetensors").dictionary
            .filter { !$0.key.hasSuffix("num_batches_tracked") }
        let plain = try tensors("names-torchvision.safetensors")
        let entries = try #require(try naming.entries(of: network))
        #expect(Set(entries.map(\.name)) == Set(expected.keys))
        for entry in entries {
            let tensor = try #require(plain[entry.parameter.name])
            #expect(expected[entry.name] == Tensor(shape: entry.shape, values: tensor.values))
        }
    }

    @Test func keepsWhatItDoesNotKnow() throws {
        var other = try tensors("names-d2l.safetensors")
        other["extra.weight"] = Tensor(zeros: [1])
        let canonical = try WeightNaming.canonical(other, for: network)
        #expect(canonical["extra.weight"] == Tensor(zeros: [1]) && canonical["features.0.weight"] != nil)
        other["0.0.weight"] = nil
        #expect(try WeightNaming.canonical(other, for: network)["0.0.bias"] != nil)
    }

    @Test func namesOfTimmAreForVGGOnly() throws {
        let two = try Network(
            input: .map(channels: 1, height: 4, width: 4),
            blocks: [.single(.flatten), .single(.linear(Linear(16, 2)))])
        #expect(WeightNaming.timm.entries(of: two) == nil)
        #expect(WeightNaming.d2l.entries(of: two)?.map(\.name) == ["1.weight", "1.bias"])
    }
}

@Suite struct InferredModelTests {
    private func inferred(_ name: String) throws -> InferredModel {
        try InferredModel(WeightFile(contentsOf: golden(name)).tensors)
    }

    @Test(arguments: [
        "names-torchvision.safetensors", "names-torchvision2017.safetensors", "names-timm.safetensors",
        "names-d2l.safetensors", "names-wrapped.pth",
    ])
    func findsTheNetwork(_ name: String) throws {
        let model = try inferred(name)
        var expected = ModelSpecification([(1, 4), (2, 8)], batchNorm: true)
        expected.inChannels = 3
        expected.classes = 5
        expected.hiddenFeatures = 16
        #expect(model.specification == expected && model.size == 12)
        #expect(model.specification.arch == "vgg11_bn" && model.specification.convArch == "1x4,2x8")
    }

    @Test func findsTheAdaptivePool() throws {
        let model = try inferred("pooled.safetensors")
        #expect(model.specification.adaptivePool && model.size == 28)
    }

    /// A network's tensors of zeros, whose values take memory only where they are touched.
    private func zeros(_ specification: ModelSpecification, size: Int, naming: WeightNaming) throws
        -> NamedTensors
    {
        let entries = try #require(naming.entries(of: try specification.network(size: size)))
        return NamedTensors(entries.map { (name: $0.name, tensor: Tensor(zeros: $0.shape)) })
    }

    @Test(arguments: Architecture.allNames.filter { $0 != "alexnet" }, WeightNaming.allCases)
    func findsEveryArchitecture(_ name: String, _ naming: WeightNaming) throws {
        var specification = ModelSpecification()
        specification.arch = name
        specification.widthDivisor = 16
        specification.inChannels = 3
        specification.classes = 7
        specification.hiddenFeatures = 32
        specification.adaptivePool = naming != .d2l
        let model = try InferredModel(zeros(specification, size: 224, naming: naming))
        #expect(model.specification == specification && model.size == 224)
    }

    @Test func takesOffPrefixes() throws {
        var specification = ModelSpecification()
        specification.widthDivisor = 64
        specification.hiddenFeatures = 8
        let plain = try zeros(specification, size: 64, naming: .torchvision)
        let wrapped = NamedTensors(
            plain.map { (name: "_orig_mod.module.model.\($0.name)", tensor: $0.tensor) })
        let model = try InferredModel(wrapped)
        #expect(model.specification == specification && model.size == 64)
    }

    /// What is changed in a good file, and what the error must say.
    static let changes: [(name: String, shape: [Int]?, says: String)] = [
        ("features.0.weight", [4, 3, 5, 5], "kernels are 3×3"),
        ("features.0.weight", [4, 3, 3], "has the shape [4, 3, 3]"),
        ("features.0.weight", nil, "3 of 2 convolutions have"),
        ("features.4.weight", [8, 5, 3, 3], "features.4.weight has the shape [8, 5, 3, 3]"),
        ("features.7.weight", [9, 8, 3, 3], "other channels than its block"),
        ("features.20.weight", [8, 8, 3, 3], "of 4 convolutions have batch norm"),
        ("features.1.weight", [5], "features.1.weight has the shape [5]"),
        ("features.0.bias", nil, "features.0.bias is missing"),
        ("features.1.running_var", nil, "features.1.running_var is missing"),
        ("classifier.0.weight", [16, 71], "no square maps of 8"),
        ("classifier.0.weight", [0, 72], "no square maps of 8"),
        ("classifier.0.weight", [0, 1 << 62, 4, 1], "no square maps of 8"),
        ("classifier.3.weight", [16, 15], "classifier.3.weight has the shape"),
        ("classifier.3.weight", nil, "three linear layers, this file 2"),
        ("classifier.9.weight", [5, 5], "three linear layers, this file 4"),
        ("classifier.6.weight", [0, 16], "--classes"),
        ("layer1.0.conv1.weight", [4, 4, 3, 3], #""layer1.0.conv1" has no place"#),
        ("features.-1.weight", [4], "has no place"),
        ("features.99999999999999999999.weight", [4], "has no place"),
        ("extra", [1], #""extra" has no place"#),
    ]

    @Test(arguments: changes.indices) func saysWhyItIsNoVGG(_ index: Int) throws {
        let change = Self.changes[index]
        var tensors = try WeightFile(contentsOf: golden("names-torchvision.safetensors")).tensors
        tensors[change.name] = change.shape.map { Tensor(shape: $0, values: Self.values($0)) }
        let error = try #require(throws: NotVGGError.self) { try InferredModel(tensors) }
        #expect(error.description.contains(change.says), "\(error)")
    }

    private static func values(_ shape: [Int]) -> [Float] {
        shape.contains(0) ? [] : [Float](repeating: 0, count: shape.reduce(1, *))
    }

    @Test func refusesOtherDistances() throws {
        var tensors = try WeightFile(contentsOf: golden("names-torchvision.safetensors")).tensors
        for (name, tensor) in tensors where name.hasPrefix("features.7.") {
            tensors[name] = nil
            tensors["features.12." + name.dropFirst("features.7.".count)] = tensor
        }
        let error = #expect(throws: NotVGGError.self) { try InferredModel(tensors) }
        #expect(error?.reason == "features.4 and features.12 are not as far apart as in a VGG")
        #expect(throws: NotVGGError("there are no convolutions")) { try InferredModel([:]) }
    }
}
