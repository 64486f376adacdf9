import Foundation
import Testing
import VGGFiles
import VGGFormats
import VGGModel

@Suite struct WeightFileTests {
    private func bits(_ file: WeightFile) -> [String: [UInt32]] {
        file.tensors.dictionary.mapValues { $0.values.map(\.bitPattern) }
    }

    /// Every number type; transposed, cut, shared, empty and repeated tensors.
    @Test(arguments: [
        "types-zip.pth", "types-protocol4.pth", "types-legacy.pth", "types-legacy-protocol4.pth",
    ])
    func readsWhatPyTorchWrites(_ name: String) throws {
        let expected = try WeightFile(contentsOf: golden("types-expected.safetensors"))
        let file = try WeightFile(contentsOf: golden(name))
        #expect(file.format == .pytorch && expected.format == .safetensors)
        #expect(file.metadata.isEmpty)
        #expect(file.tensors.dictionary.mapValues(\.shape) == expected.tensors.dictionary.mapValues(\.shape))
        #expect(bits(file) == bits(expected))
        #expect(file.tensors.count == 21)
    }

    /// Byte strings, an OrderedDict made of a list, tensors without strides' successors.
    @Test func readsWhatPyTorchWroteIn2017() throws {
        let file = try WeightFile(contentsOf: golden("legacy-2017.pth"))
        #expect(
            file.tensors == [
                "a": Tensor(shape: [2, 3], values: [0, 1, 2, 3, 4, 5]),
                "b": Tensor(shape: [1], values: [-1.5]),
            ])
    }

    /// torchvision's order in a state dictionary; safetensors is written in the order of the names.
    @Test func keepsTheOrderOfTheFile() throws {
        let dictionary = try WeightFile(contentsOf: golden("names-wrapped.pth")).tensors.names
        let numbered = dictionary.compactMap { $0.split(separator: ".").compactMap { Int($0) }.first }
        #expect(numbered.prefix(14) == [0, 0, 1, 1, 1, 1, 1, 4, 4, 5, 5, 5, 5, 5])
        let names = try WeightFile(contentsOf: golden("names-torchvision.safetensors")).tensors.names
        let header = try SafetensorsHeader(contentsOf: golden("names-torchvision.safetensors"))
        #expect(names == header.tensors.map(\.name))
    }

    @Test func takesOffWhatIsAroundTheStateDictionary() throws {
        let wrapped = try WeightFile(contentsOf: golden("names-wrapped.pth"))
        let plain = try WeightFile(contentsOf: golden("names-torchvision.safetensors"))
        let names = Set(wrapped.tensors.names.filter { !$0.hasSuffix("num_batches_tracked") })
        #expect(names == Set(plain.tensors.names.map { "module.\($0)" }))
        #expect(
            wrapped.tensors["module.features.0.weight"] == plain.tensors["features.0.weight"])
    }

    /// The name of a file says nothing, and a header of safetensors may begin like a pickle.
    @Test func tellsFormatsApartByContent() throws {
        for length in [0x80, 0x280, 0x380] {
            let header = #"{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#
            let padded = header + String(repeating: " ", count: length - header.utf8.count)
            let format = try withFile(file(header: padded, data: 4)) {
                try WeightFile(contentsOf: $0).format
            }
            #expect(format == .safetensors)
        }
    }

    @Test(arguments: ["x", "not weights at all, but a text", "\u{1}\u{2}\u{3}"])
    func refusesOtherFiles(_ text: String) throws {
        try withFile(Data(text.utf8)) { path in
            let error = #expect(throws: FileError.self) { try WeightFile(contentsOf: path) }
            #expect(error?.reason == "is no weight file: neither safetensors nor PyTorch's (.pth)")
        }
    }

    @Test func readsStoragesBehindZIP64Fields() throws {
        let pickle = Pickle.program(
            Pickle.dictionary(("w", Pickle.tensor(count: 2, shape: [2], strides: [1]))))
        let content = bytes((1.5 as Float).bitPattern, (-2 as Float).bitPattern)
        let header = 30 + "a/data.pkl".utf8.count + pickle.count
        let extra = bytes(9 as UInt16, 1, 0xAA00) + bytes(1 as UInt16, 24)
        let long = ZIPEntry(
            name: "a/data/0", content: content, size: .max, offset: .max,
            extra: extra.dropLast(5) + extra.suffix(4) + bytes(8 as UInt64, 8, UInt64(header)))
        var file = zipFile([ZIPEntry(name: "a/data.pkl", content: pickle), long])
        let directory = file.withUnsafeBytes {
            $0.loadUnaligned(fromByteOffset: file.count - 6, as: UInt32.self)
        }
        file.removeLast(22)
        file += zip64End(
            count: 2, length: UInt64(file.count) - UInt64(directory), offset: UInt64(directory),
            record: UInt64(file.count))
        let tensors = try withFile(file) { try WeightFile(contentsOf: $0).tensors }
        #expect(tensors == ["w": Tensor(shape: [2], values: [1.5, -2])])
    }
}
