import Foundation
import Testing
import VGGFiles
import VGGFormats
import VGGModel

@Suite struct SafetensorsTests {
    @Test func readsWhatPythonWrites() throws {
        let file = try Safetensors(contentsOf: golden("f32.safetensors"))
        #expect(file.metadata == ["format": "pt"])
        #expect(
            file.tensors == [
                "a.bias": Tensor(shape: [2], values: [-1.5, 3.25]),
                "b.weight": Tensor(shape: [2, 3], values: [0, 0.25, 0.5, 0.75, 1, 1.25]),
                "empty": Tensor(shape: [0, 3], values: []),
                "scalar": Tensor(shape: [], values: [7]),
            ])
    }

    @Test(arguments: ["f16", "bf16", "f32", "f64"])
    func convertsFloatingTypes(name: String) throws {
        let file = try Safetensors(contentsOf: golden("types.safetensors"))
        let values = try #require(file.tensors[name]).values
        #expect(values == [0, -0, 1, -2.5, 0.15625, 96, .infinity, -.infinity])
        #expect(values.map(\.sign) == [.plus, .minus, .plus, .minus, .plus, .plus, .plus, .minus])
    }

    @Test func convertsTheLimitsOfHalfPrecision() throws {
        let file = try Safetensors(contentsOf: golden("types.safetensors"))
        #expect(file.tensors["f16.limits"]?.values == [0x1p-24, 1023 * 0x1p-24, 0x1p-14, 65504])
    }

    @Test func convertsNotANumber() throws {
        var bytes = file(
            header: #"{"x":{"dtype":"F16","shape":[1],"data_offsets":[0,2]}}"#, data: 0)
        bytes.append(contentsOf: [0x00, 0x7E])
        let values = try withFile(bytes) { try Safetensors(contentsOf: $0).tensors["x"]?.values }
        #expect(try #require(values?.first).isNaN)
    }

    @Test func readsEscapesInStrings() throws {
        let file = try Safetensors(contentsOf: golden("types.safetensors"))
        #expect(file.metadata == ["note": "quotes \", \\, a line\nbreak, \u{E9} and \u{1F600}"])

        let header = #"{"__metadata__":{"\u0041\/":"\b\f\t\r\uD83D\uDE00"}}"#
        let metadata = try withFile(VGGFormatsTests.file(header: header, data: 0)) {
            try Safetensors(contentsOf: $0).metadata
        }
        #expect(metadata == ["A/": "\u{8}\u{C}\t\r\u{1F600}"])
    }

    @Test func writesTheBytesThatPythonWrites() throws {
        let expected = try Data(contentsOf: URL(filePath: golden("f32.safetensors")))
        try withFile(Data()) { path in
            try Safetensors(contentsOf: golden("f32.safetensors")).write(to: path)
            #expect(try Data(contentsOf: URL(filePath: path)) == expected)
        }
    }

    /// Numbers are rounded as torch does it, vectors stay as they are, and all comes in the order of Python's writer.
    @Test(arguments: [ElementType.float16, .bfloat16])
    func writesSixteenBitsAsPythonDoes(_ type: ElementType) throws {
        let expected = golden("rounding-\(type.rawValue.lowercased()).safetensors")
        try withFile(Data()) { path in
            try Safetensors(contentsOf: golden("rounding-f32.safetensors")).write(to: path, as: type)
            #expect(try Data(contentsOf: URL(filePath: path)) == Data(contentsOf: URL(filePath: expected)))
            try Safetensors(contentsOf: expected).write(to: path, as: type, checksummed: true)
            #expect(try Safetensors(contentsOf: path) == Safetensors(contentsOf: expected))
        }
    }

    /// All but those that are not numbers, of which there are many.
    @Test func writesEveryHalfAsItself() throws {
        let halves = (UInt16.min...UInt16.max).filter { $0 & 0x7FFF <= 0x7C00 }
        var bytes = file(
            header:
                "{\"x\":{\"dtype\":\"F16\",\"shape\":[1,\(halves.count)],\"data_offsets\":[0,\(2 * halves.count)]}}",
            data: 0)
        for half in halves { withUnsafeBytes(of: half.littleEndian) { bytes.append(contentsOf: $0) } }
        let read = try withFile(bytes) { try Safetensors(contentsOf: $0) }
        try withFile(Data()) { path in
            try read.write(to: path, as: .float16)
            #expect(
                try Data(contentsOf: URL(filePath: path)).suffix(2 * halves.count)
                    == bytes.suffix(2 * halves.count))
        }
    }

    @Test func writesNoNumberThatIsTooLarge() throws {
        let file = Safetensors(tensors: ["a": Tensor(shape: [1, 2], values: [1, 65520])])
        try withFile(Data("old".utf8)) { path in
            #expect(throws: SafetensorsError(path, .overflow(name: "a", type: "F16"))) {
                try file.write(to: path, as: .float16)
            }
            #expect(try Data(contentsOf: URL(filePath: path)) == Data("old".utf8))
            try file.write(to: path, as: .bfloat16)
        }
    }

    @Test func readsWhatItWrote() throws {
        let values = (0..<10_000).map { Float($0) * 0.37 - 1e3 }
        let original = Safetensors(
            tensors: [
                "a \"name\" \\ with\n\u{1}everything é😀": Tensor(
                    shape: [1], values: [.leastNonzeroMagnitude]),
                "empty": Tensor(zeros: [3, 0]),
                "features.0.weight": Tensor(shape: [100, 4, 25], values: values),
                "scalar": Tensor(shape: [], values: [-0.0]),
            ],
            metadata: ["config": #"{"seed":1}"#, "": "\u{1F}"])
        try withFile(Data()) { path in
            try original.write(to: path)
            #expect(try Safetensors(contentsOf: path) == original)
        }
    }

    @Test func alignsValuesToEightBytes() throws {
        for length in 1...8 {
            let name = String(repeating: "n", count: length)
            try withFile(Data()) { path in
                try Safetensors(tensors: [name: Tensor(zeros: [1])]).write(to: path)
                let header = try SafetensorsHeader(contentsOf: path)
                #expect(try #require(header.tensors.first).bytes.lowerBound % 8 == 0)
            }
        }
    }

    @Test func readsAndWritesAFileWithoutTensors() throws {
        try withFile(Data()) { path in
            try Safetensors().write(to: path)
            #expect(try Safetensors(contentsOf: path) == Safetensors())
        }
    }

    @Test func readsTheHeaderAlone() throws {
        let header = try SafetensorsHeader(contentsOf: golden("integers.safetensors"))
        let steps = try #require(header.tensors.first { $0.name == "int64" })
        #expect(steps.shape == [3] && steps.type == .int64 && steps.bytes.count == 24)
        #expect(header.tensors.count == 10)
    }

    /// Batch norm's counters in files of PyTorch, masks and whatever else is beside weights.
    @Test func readsIntegersAsFloats() throws {
        let file = try Safetensors(contentsOf: golden("integers.safetensors"))
        #expect(file.tensors["negative"] == Tensor(shape: [2], values: [-1, -128]))
        #expect(file.tensors["bool"] == Tensor(shape: [3], values: [0, 1, 1]))
        let others = file.tensors.filter { !["negative", "bool"].contains($0.name) }
        #expect(others.count == 8)
        for (name, tensor) in others {
            #expect(tensor == Tensor(shape: [3], values: [0, 1, 100]), "\(name)")
        }
    }

    /// Without their scale the integers of a quantized weight are other numbers than the layer's.
    @Test(arguments: [("features.0.weight", false), ("features.0.mask", true)])
    func readsNoQuantizedWeights(_ name: String, _ isRead: Bool) throws {
        let header = Array(#"{"\#(name)":{"dtype":"I8","shape":[2,2],"data_offsets":[0,4]}}"#.utf8)
        let length = (0..<8).map { UInt8(truncatingIfNeeded: header.count >> (8 * $0)) }
        try withFile(Data(length + header + [1, 2, 3, 4])) { path in
            if isRead {
                let count = try Safetensors(contentsOf: path).tensors.count
                #expect(count == 1)
                return
            }
            #expect(throws: SafetensorsError(path, .unsupportedType(name: name, type: "I8"))) {
                try Safetensors(contentsOf: path)
            }
        }
    }

    @Test func keepsTheOldFileIfATensorHasTheNameOfTheMetadata() throws {
        try withFile(Data("old".utf8)) { path in
            #expect(throws: SafetensorsError(path, .reservedName("__metadata__"))) {
                try Safetensors(tensors: ["__metadata__": Tensor(zeros: [1])]).write(to: path)
            }
            let kept = try Data(contentsOf: URL(filePath: path))
            #expect(kept == Data("old".utf8))
        }
    }

    @Test func namesTheFileThatCannotBeRead() {
        let folder = FileManager.default.temporaryDirectory.path
        #expect(throws: FileError(folder, "is not a regular file")) { try Safetensors(contentsOf: folder) }
        let missing = "\(folder)/no-such-file.safetensors"
        #expect(throws: FileError(missing, "cannot be opened: No such file or directory")) {
            try Safetensors(contentsOf: missing)
        }
    }
}
