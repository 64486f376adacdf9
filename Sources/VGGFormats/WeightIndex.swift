import Foundation
import VGGFiles
import VGGModel

/// The index of a model that was cut into several files, as Hugging Face's libraries write it
/// (`model.safetensors.index.json`): which file has which tensor.
///
/// Format: https://huggingface.co/docs/transformers/big_models#sharded-checkpoints
struct WeightIndex {
    let path: String
    /// The files, beside the index, and the names of their tensors.
    let parts: [(path: String, names: [String])]

    /// - Parameters:
    ///   - file: the whole file.
    ///   - path: its name.
    /// - Returns: nil for a file that is no index.
    /// - Throws: `FileError` for a part that is not beside the index.
    init?(_ file: UnsafeRawBufferPointer, path: String) throws(FileError) {
        // Names of a network's tensors take no more.
        guard file.first == UInt8(ascii: "{"), file.count <= SafetensorsHeader.maximumLength,
            let object = try? JSONSerialization.jsonObject(with: Data(file)) as? [String: Any],
            let map = object["weight_map"] as? [String: String]
        else { return nil }
        self.path = path
        let folder = path.parentFolder
        var parts: [(path: String, names: [String])] = []
        for (file, names) in Dictionary(grouping: map.keys, by: { map[$0] ?? "" }).sorted(by: {
            $0.key < $1.key
        }) {
            // What somebody else wrote must not lead out of the folder.
            guard !file.isEmpty, !file.contains("/"), file != "..", file != "." else {
                throw FileError(
                    path, "has a part \(file.quotedName), which is not the name of a file beside it")
            }
            parts.append(("\(folder)/\(file)", names.sorted()))
        }
        self.parts = parts
    }
}
