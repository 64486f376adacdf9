import Foundation
import Testing
import VGGFormats
import VGGModel

@Suite struct WeightNamingTests {
    /// The network of Scripts/goldens/weight_files.py, `tiny(batch_norm=True)`.
    private var network: Network {
        get throws {
            try vgg(
                [(1, 4), (2, 8)], size: 12, inChannels: 3, classes: 5, batchNorm: true,
                hiddenFeatures: [16, 16])
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

    @Test func takesWhatIsTheNetworks() throws {
        var other = try tensors("names-d2l.safetensors")
        other["extra.weight"] = Tensor(zeros: [1])
        let canonical = try WeightNaming.canonical(other, for: network)
        #expect(Set(canonical.keys) == Set(try network.parameters.map(\.name)))
        other["0.0.bias"] = nil
        #expect(try WeightNaming.canonical(other, for: network)["features.0.bias"] == nil)
        let features = try WeightNaming.canonical(other, for: network.withoutClassifier())
        #expect(
            features.keys.allSatisfy { $0.hasPrefix("features.") } && features["features.8.weight"] != nil)
        let narrow = try vgg([(1, 4), (1, 8)], size: 12, inChannels: 3, classes: 5, batchNorm: true)
        #expect(throws: NotVGGError("they have 3 convolutions, and it has 2")) {
            try WeightNaming.canonical(other, for: narrow)
        }
        let plain = try vgg([(1, 4), (2, 8)], size: 12, inChannels: 3, classes: 5)
        let error = #expect(throws: NotVGGError.self) { try WeightNaming.canonical(other, for: plain) }
        #expect(error?.reason.contains("batch norm, which the network does not have") == true)
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
        expected.hiddenFeatures = [16, 16]
        #expect(model.specification == expected && model.size == 12)
        #expect(model.specification.arch == "vgg11_bn" && model.specification.convArch == "1x4,2x8")
    }

    @Test func findsTheAdaptivePool() throws {
        let model = try inferred("pooled.safetensors")
        #expect(model.specification.pool == 7 && model.size == 28)
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
        specification.hiddenFeatures = [32, 32]
        specification.pool = naming == .d2l ? nil : 7
        let model = try InferredModel(zeros(specification, size: 224, naming: naming))
        #expect(model.specification == specification && model.size == 224)
    }

    @Test func takesOffPrefixes() throws {
        var specification = ModelSpecification()
        specification.widthDivisor = 64
        specification.hiddenFeatures = [8, 8]
        let plain = try zeros(specification, size: 64, naming: .torchvision)
        let wrapped = NamedTensors(
            plain.map { (name: "_orig_mod.module.model.\($0.name)", tensor: $0.tensor) })
        let model = try InferredModel(wrapped)
        #expect(model.specification == specification && model.size == 64)
    }

    /// What is changed in a good file, and what the error must say.
    static let changes: [(name: String, shape: [Int]?, says: String)] = [
        ("features.0.weight", [4, 3, 5, 5], "kernels are 3×3"),
        ("features.0.weight", [4, 3, 3], "3 of 2 convolutions have"),
        ("features.0.weight", nil, "3 of 2 convolutions have"),
        ("features.4.weight", [8, 5, 3, 3], "features.4 has the shape [8, 5, 3, 3] after 4 channels"),
        ("features.20.weight", [8, 8, 3, 3], "of 4 convolutions have batch norm"),
        ("features.1.weight", [5], "features.1.weight has the shape [5]"),
        ("features.0.bias", nil, "features.0.bias is missing"),
        ("features.1.running_var", nil, "features.1.running_var is missing"),
        ("classifier.0.weight", [16, 71], "no square maps of 8"),
        ("classifier.0.weight", [0, 72], "no square maps of 8"),
        ("classifier.0.weight", [0, 1 << 62, 4, 1], "no square maps of 8"),
        ("classifier.3.weight", [16, 15], "classifier.3 has the shape [16, 15] after 16 features"),
        ("classifier.9.weight", [5, 6], "classifier.9 has the shape [5, 6] after 5 features"),
        ("classifier.6.weight", [0, 16], "classifier.6 has the shape [0, 16]"),
        ("classifier.1.weight", [16], #"layer "classifier.1" has no place"#),
        ("classifier.1.running_mean", [16], "classifier.1 is a batch norm in the classifier"),
        ("features.6.weight", [1], #"layer "features.6" has no place"#),
        ("features.attention.weight", [8, 8], #"layer "features.attention" has no place"#),
        ("features.4.weight_orig", [8, 4, 3, 3], "is a part of a weight"),
        ("features.4.weight_scale", [8], "is of a quantized layer"),
        ("features.4.parametrizations.weight.original0", [8, 4, 3, 3], "is a part of a weight"),
        ("prelu.weight", [1], #"layer "prelu" has no place"#),
        ("module.features.0.weight", [4, 3, 3, 3], "are the same tensor of one layer"),
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
        for (name, tensor) in tensors {
            for (old, new) in [("features.7.", "features.12."), ("features.8.", "features.13.")]
            where name.hasPrefix(old) {
                tensors[name] = nil
                tensors[new + name.dropFirst(old.count)] = tensor
            }
        }
        let error = #expect(throws: NotVGGError.self) { try InferredModel(tensors) }
        #expect(error?.reason == "features.4 and features.12 are not as far apart as in a VGG")
        let suggestion = try #require(error?.suggestion)
        #expect(
            suggestion == [(1, 4), (2, 8)] && error?.description.hasSuffix("`convArch` 1x4,2x8") == true)
        #expect(try InferredModel(tensors, convArch: suggestion).specification.convArch == "1x4,2x8")
        for (rows, says) in [
            ("1x4,1x8", "it has 3 convolutions, not the 2 of 1x4,1x8"),
            ("3x4", "features.4 makes 8 channels"),
        ] {
            let error = #expect(throws: NotVGGError.self) {
                try InferredModel(tensors, convArch: ConvArch(parsing: rows))
            }
            #expect(error?.reason.hasPrefix(says) == true, "\(String(describing: error))")
        }
        #expect(throws: NotVGGError("there are no convolutions")) { try InferredModel([:]) }
    }
}
