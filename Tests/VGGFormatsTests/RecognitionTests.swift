import Testing
import VGGFormats
import VGGModel

/// What names and shapes say, with tensors of zeros.
@Suite struct RecognitionTests {
    /// A network's layers under names of one's own.
    struct File {
        var tensors = NamedTensors()

        init(
            _ rows: ConvArch, inChannels: Int = 3, batchNorm: (Int) -> String? = { _ in nil },
            linear: KeyValuePairs<String, [Int]> = [:], convolution: (Int) -> String
        ) {
            for (index, channels) in zip([inChannels] + rows.channels, rows.channels).enumerated() {
                add(convolution(index), [channels.1, channels.0, 3, 3])
                if let norm = batchNorm(index) {
                    add(norm, [channels.1])
                    tensors["\(norm).running_mean"] = Tensor(zeros: [channels.1])
                    tensors["\(norm).running_var"] = Tensor(zeros: [channels.1])
                }
            }
            for (name, shape) in linear { add(name, shape) }
        }

        mutating func add(_ layer: String, _ shape: [Int]) {
            tensors["\(layer).weight"] = Tensor(zeros: shape)
            tensors["\(layer).bias"] = Tensor(zeros: [shape[0]])
        }

        /// As safetensors has them: in the order of their names.
        var sorted: NamedTensors { NamedTensors(sorting: tensors.dictionary) }
    }

    /// A narrow VGG-16.
    private let vgg16: ConvArch = [(2, 2), (2, 4), (3, 8), (3, 16), (3, 16)]
    private let head: KeyValuePairs = ["fc6": [9, 16], "fc7": [7, 9], "fc8": [5, 7]]

    /// Where a convolution stands: its block and its number in it, from 1; and its place in units with the pools
    /// between, from 0.
    private func place(_ index: Int) -> (block: Int, number: Int, unit: Int) {
        var first = 0
        for (block, widths) in vgg16.blocks.enumerated() {
            if index < first + widths.count { return (block + 1, index - first + 1, index + block) }
            first += widths.count
        }
        return (0, 0, 0)
    }

    /// How files that are no torchvision's call convolutions and, after a comma, batch norms: `B` is the block, `N`
    /// the number in it, `I` the number of all from 1, `U` a place in units and `P` in a Sequential, `Q` after it.
    private func expand(_ name: String, _ index: Int, batchNorm: Bool) -> String {
        let (block, number, unit) = place(index)
        let place = batchNorm ? 3 * index + block - 1 : 2 * index + block - 1
        let values = [
            "B": block, "N": number, "M": 3 * number - 3, "O": 3 * number - 2, "I": index + 1, "U": unit,
            "P": place,
            "Q": place + 1,
        ]
        return name.map { values[String($0)].map(String.init) ?? String($0) }.joined()
    }

    @Test(arguments: [
        "features.P", "features.P,features.Q", "module.net.features.module.P", "encoder.0.features.P",
        "1.features.P", "vgg16.features._orig_mod.P", "P", "convB_N", "net.convB_N,net.bnB_N", "blockB_convN",
        "features.blockB.M,features.blockB.O", "layerI.0,layerI.1", "convI", "convI,bnI", "vgg0_convI",
        "features.U.conv,features.U.bn", "features.U.0,features.U.1", "sliceB.P", "net.sliceB.P",
        "features.B.M,features.B.O", "features/convB/convB_N",
    ])
    func readsForeignNames(_ names: String) throws {
        let parts = names.split(separator: ",").map(String.init)
        let hasNorms = parts.count > 1
        let norm = { (index: Int) in hasNorms ? expand(parts[1], index, batchNorm: true) : nil }
        let file = File(vgg16, batchNorm: norm, linear: head) {
            expand(parts[0], $0, batchNorm: hasNorms)
        }
        for tensors in [file.tensors, file.sorted] {
            let model = try InferredModel(tensors)
            #expect(try model.specification.rows == vgg16 && model.specification.hasBatchNorm == hasNorms)
            #expect(model.specification.hiddenFeatures == [9, 7] && model.specification.classes == 5)
            #expect(model.size == 32 && model.notes.count == 1)
        }
    }

    /// The hidden layers' names say nothing of their order, but their shapes do.
    @Test func findsTheOrderOfLinearLayers() throws {
        let linear: KeyValuePairs = ["out": [5, 7], "embedding": [9, 16], "last_hidden": [7, 9]]
        let model = try InferredModel(File(vgg16, linear: linear) { "conv\($0)" }.tensors)
        #expect(model.specification.hiddenFeatures == [9, 7] && model.specification.classes == 5)
        let equal: KeyValuePairs = ["out": [5, 9], "a": [9, 9], "b": [9, 9], "first": [9, 16]]
        #expect(throws: NotVGGError.self) {
            try InferredModel(File(vgg16, linear: equal) { "conv\($0)" }.tensors)
        }
    }

    @Test(
        arguments: [
            ([], 0, [], 224), ([("classifier", [5, 16])], 5, [], 32),
            ([("classifier.1", [5, 64])], 5, [], 64),
            ([("classifier.1", [9, 144]), ("classifier.4", [5, 9])], 5, [9], 96),
            ([("pre_logits.fc1", [9, 16, 7, 7]), ("pre_logits.fc2", [8, 9, 1, 1])], 0, [9, 8], 224),
            ([("fc6", [4096, 16]), ("fc7", [4096, 4096])], 0, [4096, 4096], 32),
            ([("fc6", [9, 16, 3, 3]), ("fc7", [9, 9, 1, 1]), ("fc8", [5, 9, 1, 1])], 5, [9, 9], 96),
        ] as [([(String, [Int])], Int, [Int], Int)])
    func readsTheClassifier(_ linear: [(String, [Int])], _ classes: Int, _ hidden: [Int], _ size: Int) throws
    {
        var file = File(vgg16) { expand("features.P", $0, batchNorm: false) }
        for (name, shape) in linear { file.add(name, shape) }
        let model = try InferredModel(file.tensors)
        #expect(model.specification.classes == classes && model.specification.hiddenFeatures == hidden)
        #expect(model.size == size && model.specification.pool == (size == 224 && !linear.isEmpty ? 7 : nil))
    }

    /// Rows, the places of the convolutions, and what is said: nothing is read that has more than one answer.
    @Test(arguments: [
        // Dropout where pools could be, in custom rows and in a known depth's.
        ("2x8,2x16", [0, 3, 6, 9], "its names fit 1x8,1x8,1x16,1x16, and also 2x8,2x16 with dropout"),
        (
            "1x4,1x8,2x16,2x32,2x32", [0, 3, 6, 9, 12, 15, 18, 21],
            "and also 1x4,1x8,2x16,2x32,2x32 with other layers"
        ),
        // A known depth with one more pool, and one pool fewer.
        ("2x4,2x8,2x16,2x32,2x32", [0, 3, 6, 8, 11, 13, 16, 18, 21, 23], "its names fit 1x4,1x4,2x8,"),
        ("1x4,1x8,2x16,2x32,2x32", [0, 3, 6, 8, 11, 13, 15, 17], "its names fit 1x4,1x8,2x16,4x32"),
        // No place for a pool, an odd distance, something before.
        ("2x8,2x16", [0, 2, 4, 6], "the numbers from features.0 on leave no place for its pools"),
        ("2x8,2x16", [0, 2, 6, 8], "features.2 and features.6 are not as far apart"),
        ("1x4,1x8,2x16,2x32,2x32", [1, 4, 7, 9, 12, 14, 17, 19], "something stands before features.1"),
    ]) func refusesWhatHasTwoAnswers(_ rows: String, _ places: [Int], _ says: String) throws {
        let rows = try ConvArch(parsing: rows)
        let file = File(rows, linear: ["classifier": [5, rows.channels.last ?? 0]]) {
            "features.\(places[$0])"
        }
        let error = try #require(throws: NotVGGError.self) { try InferredModel(file.tensors) }
        #expect(error.reason.contains(says), "\(error)")
        // The way out that the error names leads out.
        let suggestion = try #require(error.suggestion)
        #expect(try InferredModel(file.tensors, convArch: suggestion).specification.rows == suggestion)
    }

    @Test(arguments: [
        // Dropout in the same way everywhere, or more of it than any image has halves.
        ("1x4,1x8,2x16,2x32,2x32", [0, 4, 8, 11, 15, 18, 22, 25]),
        ("1x4,1x8,2x16,2x32,2x32", [0, 4, 8, 10, 14, 16, 20, 22]),
        ("2x4,2x8,3x16,3x32,3x32", (0..<13).map { 3 * $0 }), ("1x4,1x8,2x16,2x32,2x32", Array(0..<8)),
        ("2x8,3x16,2x32", [0, 2, 5, 7, 9, 12, 14]), ("8+16,24+32,1x64", [0, 2, 5, 7, 10]),
    ]) func readsWhatHasOne(_ rows: String, _ places: [Int]) throws {
        let rows = try ConvArch(parsing: rows)
        let file = File(rows, linear: ["classifier": [5, rows.channels.last ?? 0]]) {
            "features.\(places[$0])"
        }
        #expect(try InferredModel(file.tensors).specification.rows == rows)
    }

    /// Scores behind what would be the classifier, as networks for segmentation have them.
    @Test(arguments: [false, true]) func theClassifierIsTheEnd(_ isSorted: Bool) throws {
        var file = File(vgg16, linear: ["fc6": [9, 16, 7, 7], "fc7": [7, 9, 1, 1]]) { place in
            expand("features.P", place, batchNorm: false)
        }
        #expect(try InferredModel(isSorted ? file.sorted : file.tensors).specification.classes == 7)
        file.add("score_fr", [5, 7, 1, 1])
        let error = #expect(throws: NotVGGError.self) {
            try InferredModel(isSorted ? file.sorted : file.tensors)
        }
        #expect(
            error?.reason.contains("\"score_fr\" reads what its classifier makes") == true,
            "\(String(describing: error))")
    }

    /// Networks that could pass for a VGG by their 3×3 kernels.
    @Test func refusesOtherNetworks() throws {
        var residual = File([(1, 8)]) { _ in "conv1" }
        for (index, channels) in [(8, 8), (8, 8), (8, 16), (16, 16)].enumerated() {
            residual.add("layer\(index / 2 + 1).0.conv\(index % 2 + 1)", [channels.1, channels.0, 3, 3])
        }
        residual.add("fc", [5, 16])
        var encoder = File([(2, 8)]) { "down1.\(2 * $0)" }
        encoder.add("down2.0", [16, 8, 3, 3])
        encoder.add("up", [16, 8, 2, 2])
        encoder.add("out", [1, 8, 1, 1])
        let superResolution = File([(4, 8), (1, 3)]) { "layers.\(2 * $0)" }
        let tutorial = File([(1, 8), (1, 16)], linear: ["fc1": [9, 64], "fc2": [5, 9]]) { "conv\($0 + 1)" }
        var behind = File([(1, 4), (1, 8)], inChannels: 16, linear: ["classifier": [5, 8]]) {
            "features.\(3 * $0)"
        }
        behind.add("stem", [16, 3, 3, 3])
        for file in [residual, encoder, superResolution, tutorial, behind] {
            for tensors in [file.tensors, file.sorted] {
                #expect(throws: NotVGGError.self) { try InferredModel(tensors) }
            }
        }
    }

    /// A convolution between the features and the classifier is a part; one beside them is none.
    @Test func passesOverWhatIsBeside() throws {
        func file(_ layers: [(String, [Int])], last: [(String, [Int])]) -> File {
            var file = File([(1, 4), (1, 8)]) { "features.\(3 * $0)" }
            for (name, shape) in layers + [("classifier", [5, 8])] + last { file.add(name, shape) }
            return file
        }
        let beside = file(
            [("aux.conv", [8, 8, 1, 1]), ("aux.fc", [5, 8])], last: [("projection", [9, 5])])
        for tensors in [beside.tensors, beside.sorted] {
            let note = try #require(InferredModel(tensors).notes.last)
            #expect(note.hasPrefix("passed over 6 tensors that the network has no place for: aux.conv."))
        }
        let between = file([("neck", [8, 8, 1, 1])], last: [])
        for tensors in [between.tensors, between.sorted] {
            let error = try #require(throws: NotVGGError.self) { try InferredModel(tensors) }
            #expect(error.reason == #"layer "neck" may belong to it"#)
            let suggestion = try #require(error.suggestion)
            let told = try InferredModel(tensors, convArch: suggestion)
            #expect(told.notes.last?.contains("neck.weight") == true)
        }
        let decoder = file([], last: [("decoder.0", [4, 8, 3, 3])])
        #expect(try InferredModel(decoder.tensors).specification.classes == 5)
    }

    @Test func saysWhereTwoNetworksBegin() throws {
        var file = File(vgg16) { expand("teacher.features.P", $0, batchNorm: false) }
        for (name, tensor) in File(vgg16, convolution: { expand("student.features.P", $0, batchNorm: false) })
            .tensors
        {
            file.tensors[name] = tensor
        }
        let error = #expect(throws: NotVGGError.self) { try InferredModel(file.tensors) }
        #expect(
            error?.reason
                == #"there is more than one, beginning with "teacher.features.0" and "student.features.0""#)
    }

    /// Names of strangers cost no stack and no overflow.
    @Test(arguments: [
        String(repeating: "0.", count: 100_000), String(repeating: "a1", count: 50_000),
        "features.99999999999999999999", "features.-1", ".", "", "features..0", "é.０", "_", "weight",
    ]) func survivesOddNames(_ name: String) {
        var file = File([(1, 4), (1, 8)], linear: ["classifier": [5, 8]]) { "features.\(3 * $0)" }
        for suffix in ["weight", ".weight", "_w", ".running_mean", ""] {
            file.tensors[name + suffix] = Tensor(zeros: [4, 4, 3, 3])
            file.tensors[name + "1" + suffix] = Tensor(zeros: [4, 4, 3, 3])
        }
        _ = try? InferredModel(file.tensors)
        _ = try? InferredModel(file.tensors, convArch: [(1, 4), (1, 8)])
    }
}
