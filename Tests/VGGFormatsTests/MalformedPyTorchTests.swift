import Foundation
import Testing
import VGGFormats
import VGGModel

@Suite struct MalformedPyTorchTests {
    typealias Problem = PyTorchFileError.Problem

    private func problem(_ file: Data) throws -> Problem {
        let error = try #require(throws: PyTorchFileError.self) { try read(file) }
        #expect(error.path == "weights")
        #expect(!error.description.contains { $0.isNewline })
        #expect(error.description.count < 600)
        return error.problem
    }

    private func read(_ file: Data) throws -> WeightFile {
        try file.withUnsafeBytes { try WeightFile($0, of: nil, path: "weights") }
    }

    /// The reason of a malformed part.
    private func reason(_ file: Data) throws -> String {
        switch try problem(file) {
        case .malformed(_, let reason, _), .tensor(_, let reason), .unsupported(let reason): reason
        case .truncated(let part): "truncated: \(part)"
        case let other: "\(other)"
        }
    }

    private func reason(golden name: String) throws -> String {
        try reason(Data(contentsOf: URL(filePath: golden(name))))
    }

    // MARK: Pickles

    /// A call is data that nobody looks at: what stands beside the weights does not matter, and a tensor that it should
    /// make is refused.
    @Test(arguments: [
        ("os", "system"), ("builtins", "eval"), ("torch", "load"), ("torch", "Storage"), ("torch", ""),
        ("collections", "OrderedDict2"), ("torch._utils", "_rebuild_tensor_v3"), ("", ""),
        ("torch.cuda", "device"), ("torch.nn.modules.conv", "Conv2d"),
    ])
    func callsNothing(module: String, name: String) throws {
        let call = Pickle.tuple(Pickle.text("echo")) + Array("R".utf8)
        let functions = [Pickle.global(module, name), Pickle.text(module) + Pickle.text(name) + [0x93]]
        for function in functions {
            let weights = Pickle.dictionary(
                ("other", function + call), ("w", Pickle.tensor(count: 1, shape: [1], strides: [1])))
            let tensors = try read(torchFile(Pickle.program(weights), storages: [bytes(Float(7).bitPattern)]))
                .tensors
            #expect(tensors == ["w": Tensor(shape: [1], values: [7])])

            let weight = Pickle.dictionary(("features.0.weight", function + call))
            let full = name == "Storage" ? "torch.Storage" : "\(module).\(name)"
            #expect(
                try problem(torchFile(Pickle.program(weight)))
                    == .foreignTensor(name: "features.0.weight", maker: full))
        }
    }

    @Test func saysWhatItCannotRead() throws {
        #expect(try reason(golden: "refused-type.pth").contains("are in a torch.ComplexFloatStorage"))
        #expect(try reason(golden: "refused-deflated.pth").contains("compressed"))
        let nothing = try Data(contentsOf: URL(filePath: golden("refused-no-tensors.pth")))
        #expect(
            try problem(nothing)
                == .noStateDictionary(
                    #"there are no convolutions and no other tensors, only "epoch", "best""#))
    }

    /// Operations, and what is wrong with them.
    static let programs: [([UInt8], String)] = [
        ([0x80, 2], "truncated: the pickle"),
        ([0x80, 9], "expected a pickle of protocol 1 to 5"),
        ([0x7F, 2], "operation 0x7f, which weights are not written with"),
        (Pickle.program(), "a value is missing"), (Pickle.program(Array("(".utf8)), "a value is missing"),
        (Pickle.program(Array("t".utf8)), "a mark is missing"),
        (Pickle.program([0x85]), "a value is missing"),
        (Pickle.program(Array("N(".utf8), [0x85]), "a value is missing"),
        // A place in Python's registry of extensions, and bytes that are not in the file.
        (Pickle.program([0x82, 1]), "operation 0x82, which weights are not written with"),
        (Pickle.program([0x97]), "operation 0x97, which weights are not written with"),
        (Pickle.program(Array("o".utf8)), "a mark is missing"),
        (Pickle.program(Array("(o".utf8)), "a value is missing"),
        (Pickle.program(Array("1".utf8)), "a mark is missing"),
        (Pickle.program(Array("0".utf8)), "a value is missing"),
        (Pickle.program(Array("pabc\n".utf8)), "expected a number"),
        (Pickle.program(Array("gabc\n".utf8)), "expected a number"),
        (Pickle.program([0x8D], bytes(UInt64.max)), "a length that no file has"),
        (Pickle.program([0x96], bytes(UInt64(1) << 40)), "truncated: the pickle"),
        (Pickle.program(Array("h\u{7}".utf8)), "value 7 was never remembered"),
        (Pickle.program(Array("j".utf8), bytes(UInt32.max)), "value 4294967295 was never remembered"),
        (Pickle.program(Array("q\u{0}".utf8)), "a value is missing"),
        (Pickle.program(Array("X".utf8), bytes(UInt32.max)), "truncated: the pickle"),
        (Pickle.program(Array("B".utf8), bytes(UInt32.max)), "truncated: the pickle"),
        (Pickle.program([0x8A, 200]), "truncated: the pickle"),
        (Pickle.program(Array("cno line break".utf8)), "truncated: the pickle"),
        (Pickle.program(Array("NN".utf8), [0x93]), "the name of a class or function is no string"),
        (Pickle.program(Array("}N".utf8), Array("s".utf8)), "a value is missing"),
        (Pickle.program(Array("NNNs".utf8)), "there is no dictionary to put a value into"),
        (Pickle.program(Array("}(Nu".utf8)), "a key without a value"),
        (Pickle.program(Array("}Na".utf8)), "a value is added to no list"),
        (Pickle.program(Array("NQ".utf8)), "a storage is not described as PyTorch does it"),
        (Pickle.program(Array("N)R".utf8)), "a call of what cannot be called"),
        (
            Pickle.program(Pickle.global("torch._utils", "_rebuild_tensor_v2"), Array(")R".utf8)),
            "_rebuild_tensor_v2 gets other arguments"
        ),
        (
            Pickle.program(Pickle.global("torch._tensor", "_rebuild_from_type_v2"), Array(")R".utf8)),
            "_rebuild_from_type gets other arguments"
        ),
    ]

    @Test(arguments: programs.indices) func refusesPicklesThatMakeNoSense(_ index: Int) throws {
        let (program, expected) = Self.programs[index]
        #expect(try reason(torchFile(program)) == expected)
    }

    /// What a pickle makes is counted, whatever it is.
    @Test(arguments: [Array("N0".utf8), Array("(1".utf8), Array("Nq\u{0}0".utf8), Array("]a".utf8)])
    func boundsWhatAPickleCanMake(_ part: [UInt8]) throws {
        let program = Array("]]".utf8) + repeatElement(part, count: 1 << 24).joined()
        #expect(try reason(torchFile(Pickle.program(program))) == "more than 16777216 values")
    }

    /// Three hundred thousand tensors of 64 dimensions, which are one shape.
    @Test func sharesShapes() throws {
        let shape = Pickle.integers(Array(repeating: 0, count: 64)) + Array("q\u{0}".utf8)
        let identifier = Pickle.tuple(
            Pickle.text("storage"), Pickle.global("torch", "FloatStorage"), Pickle.text("0"),
            Pickle.text("cpu"),
            Pickle.integer(0))
        let tensor =
            Pickle.global("torch._utils", "_rebuild_tensor_v2") + Array("q\u{1}(".utf8) + identifier
            + Array("QK\u{0}h\u{0}h\u{0}tq\u{2}R".utf8)
        var program = shape + Array("0](".utf8) + tensor
        for _ in 0..<300_000 { program += Array("h\u{1}h\u{2}R".utf8) }
        let file = torchFile(Pickle.program(program, Array("e".utf8)), storages: [[]])
        #expect(
            try problem(file)
                == .noStateDictionary("there are no convolutions and no other tensors, only a list"))
    }

    /// Half a million tuples one in the other, and marks, are read, and are no state dictionary.
    @Test func survivesDeepNesting() throws {
        let nothing = "there are no convolutions and no other tensors"
        let tuples = Array("N".utf8) + [UInt8](repeating: 0x85, count: 500_000)
        #expect(
            try problem(torchFile(Pickle.program(tuples))) == .noStateDictionary("\(nothing), only a tuple"))
        let marks = [UInt8](repeating: UInt8(ascii: "("), count: 500_000)
        let closed = [UInt8](repeating: UInt8(ascii: "t"), count: 500_000)
        #expect(
            try problem(torchFile(Pickle.program(marks + closed)))
                == .noStateDictionary("\(nothing), only a tuple"))
        let list = Array("]q\u{0}h\u{0}a".utf8)
        #expect(try problem(torchFile(Pickle.program(list))) == .noStateDictionary("\(nothing), only a list"))
        let dictionary = Array("}q\u{0}".utf8) + Pickle.text("model") + Array("h\u{0}s".utf8)
        #expect(
            try problem(torchFile(Pickle.program(dictionary)))
                == .noStateDictionary(#"\#(nothing), only "model""#))
    }

    /// Lists of which each holds the next one twice: 2 to the power of 50,000 ways to the tensors.
    @Test func looksIntoWhatIsSharedOnce() throws {
        let weights = Pickle.dictionary(("w", Pickle.tensor(count: 1, shape: [1], strides: [1])))
        var program = weights
        for _ in 0..<50_000 { program += Array("2".utf8) + [0x86] }
        let file = torchFile(Pickle.program(program), storages: [[0, 0, 0, 0]])
        #expect(try read(file).tensors.names == ["w"])
    }

    /// Modules of which each holds the next one twice, and one that holds itself.
    @Test(arguments: [0, 60, 20_000]) func namesOfSharedModulesAreBounded(_ depth: Int) throws {
        func module(_ modules: [UInt8]) -> [UInt8] {
            Pickle.global("torch.nn", "Module") + Array(")".utf8) + [0x81] + Array("q\u{0}".utf8)
                + Pickle.dictionary(
                    ("_parameters", Pickle.emptyDictionary), ("_buffers", Pickle.emptyDictionary),
                    ("_modules", modules)) + Array("b".utf8)
        }
        var program = module(Pickle.dictionary(("a", Array("h\u{0}".utf8))))
        for _ in 0..<depth {
            program += Array("q\u{1}0".utf8)
            program += module(Pickle.dictionary(("a", Array("h\u{1}".utf8)), ("b", Array("h\u{1}".utf8))))
        }
        let weights = Pickle.dictionary(("w", Pickle.tensor(count: 1, shape: [1], strides: [1])))
        let file = torchFile(Pickle.program(program, weights, [0x86]), storages: [[0, 0, 0, 0]])
        #expect(try read(file).tensors.names == ["w"])
    }

    // MARK: Tensors

    static let views: [(count: Int, offset: Int, shape: [Int], strides: [Int])] = [
        (4, 0, [5], [1]), (4, 1, [4], [1]), (4, 4, [1], [1]), (4, -1, [2], [1]), (4, 3, [2], [-1]),
        (4, 0, [2, 2], [3, 1]), (4, 0, [-1], [1]), (4, 0, [Int.max, 2], [0, 0]), (4, 0, [2], [Int.max]),
        (4, Int.max, [2], [1]), (4, 2, [Int.max], [Int.max]), (4, 0, [Int.min], [1]),
        (4, 0, [Int.max, Int.max, 0], [1, 1, 1]),
    ]

    @Test(arguments: views.indices) func refusesViewsOutsideTheirStorage(_ index: Int) throws {
        let view = Self.views[index]
        let pickle = Pickle.program(
            Pickle.dictionary(
                (
                    "w",
                    Pickle.tensor(
                        count: view.count, offset: view.offset, shape: view.shape, strides: view.strides)
                )))
        #expect(
            try reason(torchFile(pickle, storages: [[UInt8](repeating: 0, count: 16)]))
                .hasSuffix("is not inside its storage of 4"))
    }

    /// A stride of 0 repeats an element; a small file must not become a huge tensor, nor many.
    @Test func boundsRepeatedElements() throws {
        let huge = Pickle.dictionary(("w", Pickle.tensor(count: 1, shape: [1 << 40], strides: [0])))
        let storage = [UInt8](repeating: 0, count: 4)
        let expected = "with it, the tensors have more numbers than the file has bytes"
        #expect(try reason(torchFile(Pickle.program(huge), storages: [storage])) == expected)
        let many = Pickle.dictionary(
            ("v", Pickle.tensor(count: 1, shape: [400], strides: [0])),
            ("w", Pickle.tensor(count: 1, shape: [400], strides: [0])))
        #expect(try reason(torchFile(Pickle.program(many), storages: [storage])) == expected)
    }

    @Test func refusesStoragesOfAnotherSize() throws {
        let pickle = Pickle.program(
            Pickle.dictionary(("w", Pickle.tensor(count: 4, shape: [4], strides: [1]))))
        #expect(try reason(torchFile(pickle)).hasSuffix(#"the storage "a/data/0" is not in the file"#))
        for count in [0, 12, 15, 17] {
            #expect(
                try reason(torchFile(pickle, storages: [[UInt8](repeating: 0, count: count)]))
                    .hasSuffix("should have 4 numbers of a FloatStorage and has \(count) bytes"))
        }
        let endless = Pickle.program(
            Pickle.dictionary(("w", Pickle.tensor(count: .max, shape: [4], strides: [1]))))
        #expect(
            try reason(torchFile(endless, storages: [[UInt8](repeating: 0, count: 16)]))
                .hasSuffix("numbers of a FloatStorage and has 16 bytes"))
    }

    @Test func refusesANameTwice() throws {
        let tensor = Pickle.tensor(count: 1, shape: [1], strides: [1])
        let pickle = Pickle.program(Pickle.dictionary(("w", tensor), ("w", tensor)))
        #expect(
            try problem(torchFile(pickle, storages: [[0, 0, 0, 0]])) == .duplicateKey("w"))
    }

    // MARK: Containers

    @Test(arguments: ["types-zip.pth", "types-legacy.pth", "types-protocol4.pth", "legacy-2017.pth"])
    func refusesEveryTruncation(_ name: String) throws {
        let whole = try Data(contentsOf: URL(filePath: golden(name)))
        // A file of three bytes is no longer one of PyTorch's.
        for count in 4..<whole.count { _ = try problem(whole.prefix(count)) }
        _ = try problem(whole + [0])
    }

    @Test(arguments: ["types-zip.pth", "types-legacy.pth"])
    func survivesEveryChangedByte(_ name: String) throws {
        let whole = try Data(contentsOf: URL(filePath: golden(name)))
        var refused = 0
        for index in whole.indices.dropFirst(4) {
            for byte in [UInt8(ascii: "t"), 0xFF] where byte != whole[index] {
                var file = whole
                file[index] = byte
                do {
                    let tensors = try read(file).tensors
                    #expect(tensors.map(\.tensor.values.count).reduce(0, +) <= whole.count)
                } catch is PyTorchFileError { refused += 1 }
            }
        }
        #expect(refused > whole.count / 2)
    }

    @Test func refusesZIPFilesThatLie() throws {
        let pickle = ZIPEntry(name: "a/data.pkl", content: Pickle.program(Pickle.emptyDictionary))
        func reason(_ change: (inout ZIPEntry) -> Void) throws -> String {
            var entry = ZIPEntry(name: "a/x", content: [1, 2, 3, 4])
            change(&entry)
            return try self.reason(zipFile([pickle, entry]))
        }
        // Compressed or encrypted content does not matter where it is not needed.
        #expect(try reason { $0.method = 8 }.contains("there are no convolutions"))
        #expect(try reason { $0.flags = 1 }.contains("there are no convolutions"))
        #expect(try reason { $0.size = 5 } == #"truncated: the ZIP entry "a/x""#)
        #expect(try reason { $0.size = .max - 1 } == #"truncated: the ZIP entry "a/x""#)
        #expect(try reason { $0.size = .max }.contains("truncated") == true)
        #expect(try reason { $0.offset = 1 } == "expected the signature of an entry")
        #expect(try reason { $0.offset = .max - 1 } == #"truncated: the ZIP entry "a/x""#)
        #expect(try reason { $0.localName = "a/y" } == "has another name than in the directory")
        #expect(try reason { $0.extra = [1] } == "truncated: the extra fields of a ZIP entry")
        #expect(
            try reason { $0.extra = bytes(1 as UInt16, 9) } == "truncated: the extra fields of a ZIP entry")
        #expect(
            try reason {
                $0.offset = .max
                $0.extra = bytes(1 as UInt16, 8) + bytes(UInt64.max)
            } == "a length that no file has")
        // Two entries over the same bytes, and one name twice.
        #expect(
            try self.reason(zipFile([pickle, ZIPEntry(name: "a/data.pkl", content: [1])]))
                == #"duplicateKey("a/data.pkl")"#)
        let shared = ZIPEntry(name: "b/data.pkl", content: [1], size: 4, offset: 0, localName: "b/data.pkl")
        #expect(
            try self.reason(zipFile([pickle, shared])) == "has another name than in the directory")
    }

    @Test func refusesOverlappingEntries() throws {
        // The second entry is inside the first one's content.
        let inner =
            bytes(0x0403_4B50 as UInt32) + [UInt8](repeating: 0, count: 22) + bytes(3 as UInt16, 0)
            + Array("a/y".utf8) + [1, 2, 3, 4]
        let outer = ZIPEntry(name: "a/x", content: inner)
        let hidden = ZIPEntry(name: "a/y", content: [1, 2, 3, 4], offset: 33)
        #expect(try reason(zipFile([outer, hidden])) == "overlaps the entry before it")
    }

    @Test func refusesDirectoriesThatLie() throws {
        let entry = ZIPEntry(name: "a/data.pkl", content: [1])
        let outside = "the directory is outside the file, or too small for its entries"
        #expect(try reason(zipFile([entry], count: 2)) == outside)
        #expect(try reason(zipFile([entry], count: 0)) == "more than the 0 entries it should have")
        #expect(try reason(zipFile([entry]) + [0]).hasPrefix("truncated: the ZIP file (it has no directory"))
        #expect(
            try reason(zipFile([ZIPEntry(name: "a/x", content: [1])]))
                == "is a ZIP file, but not one of torch.save: it has 0 data.pkl where one belongs; if a weight file is in "
                + "it, unpack it")
        let start = Data("PK\u{3}\u{4}".utf8)
        #expect(
            try reason(start + zip64End(count: 1 << 60, length: 46, offset: 0, record: 4)) == outside)
        #expect(
            try reason(start + zip64End(count: 0, length: 46, offset: 1 << 62, record: 4)) == outside)
        #expect(
            try reason(start + zip64End(count: 0, length: .max, offset: 0, record: 4))
                == "a length that no file has")
        #expect(
            try reason(start + zip64End(count: 0, length: 0, offset: 0, record: 5))
                == "expected the signature of a ZIP64 end record")
        #expect(
            try reason(start + zip64End(count: 0, length: 0, offset: 0, record: 1 << 60))
                == "truncated: the ZIP64 end record")
    }

    @Test func refusesBigEndianFiles() throws {
        var file = try Data(contentsOf: URL(filePath: golden("types-zip.pth")))
        let place = try #require(file.range(of: Data("little".utf8)))
        file.replaceSubrange(place, with: Data("banana".utf8))
        #expect(try reason(file).contains("big-endian"))
        var legacy = try Data(contentsOf: URL(filePath: golden("types-legacy.pth")))
        let key = try #require(legacy.range(of: Data("little_endian".utf8)))
        let truth = try #require(legacy[key.upperBound...].firstIndex(of: 0x88))
        legacy[truth] = 0x89
        #expect(try reason(legacy).contains("big-endian"))
    }
}
