import Foundation
import Testing
import VGGFiles
import VGGFormats
import VGGModel

/// Models that were cut into several files.
@Suite struct WeightIndexTests {
    private let folder = FileManager.default.temporaryDirectory.appending(
        path: "vgg-index-\(UUID().uuidString)")
    private let tensors = try! WeightFile(contentsOf: golden("names-torchvision.safetensors")).tensors

    init() throws { try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true) }

    /// Writes the tensors of a layer's kind into a file of their own, and an index that says so, changed by `change`.
    private func write(_ change: (inout [String: String]) -> Void = { _ in }) throws -> String {
        var map: [String: String] = [:]
        for part in ["features", "classifier"] {
            let file = "model-\(part).safetensors"
            let own = NamedTensors(tensors.lazy.filter { $0.name.hasPrefix(part) })
            try Safetensors(tensors: own, metadata: ["format": "pt"]).write(
                to: folder.appending(path: file).path)
            for name in own.names { map[name] = file }
        }
        change(&map)
        let index = ["metadata": ["total_size": 1], "weight_map": map] as [String: Any]
        let path = folder.appending(path: "model.safetensors.index.json")
        try JSONSerialization.data(withJSONObject: index).write(to: path)
        return path.path
    }

    @Test func joinsTheParts() throws {
        let file = try WeightFile(contentsOf: write())
        #expect(file.format == .safetensors && file.tensors.dictionary == tensors.dictionary)
        #expect(try WeightFile(contentsOf: write(), key: "classifier").tensors.names.contains("0.weight"))
        try FileManager.default.removeItem(at: folder)
    }

    /// A tensor that the index does not have is none of the model's.
    @Test func theIndexDecides() throws {
        let path = try write { $0["features.0.bias"] = nil }
        #expect(try WeightFile(contentsOf: path).tensors["features.0.bias"] == nil)
        try FileManager.default.removeItem(at: folder)
    }

    @Test(arguments: [
        ("../x.safetensors", "is not the name of a file beside it"),
        ("/etc/passwd", "is not the name of a file beside it"),
        ("..", "is not the name of a file beside it"), ("", "is not the name of a file beside it"),
        ("model-classifier.safetensors", #"has no tensor "features.0.bias""#),
        ("missing", "cannot be opened"),
        ("model.safetensors.index.json", "is a JSON text"),
    ])
    func refusesPartsThatAreNotThere(_ part: String, _ reason: String) throws {
        let path = try write { $0["features.0.bias"] = part }
        let error = try #require(throws: FileError.self) { try WeightFile(contentsOf: path) }
        #expect(error.reason.contains(reason), "\(error)")
        try FileManager.default.removeItem(at: folder)
    }
}
