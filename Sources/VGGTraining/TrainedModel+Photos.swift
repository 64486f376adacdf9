import Foundation
import VGGData
import VGGFiles
import VGGImages

/// How photos are prepared for the weights, and what the classes are called. Both are kept in the metadata of
/// weight files, as JSON.
extension TrainedModel {
    /// The key of `Preprocessing` in a weight file's metadata.
    public static let preprocessingKey = "vgg.preprocessing"
    /// The key of the list of class names.
    public static let classNamesKey = "vgg.labels"

    /// What the weight file says; for the weights of a run, what the run did; nil if neither is known.
    /// - Throws: `FileError` if the file says something that makes no sense.
    public func preprocessing() throws -> Preprocessing? {
        if let text = metadata[Self.preprocessingKey] {
            return try decode(Preprocessing.self, from: text, key: Self.preprocessingKey)
        }
        guard let stored else { return nil }
        switch stored.model.inChannels {
        case 1: return try .plain(stored.size, channels: .grey)
        case 3: return try .plain(stored.size)
        default: return nil
        }
    }

    /// The classes' names that the weight file has, or those of the data set of its training, if it is known.
    /// - Throws: `FileError` if the file says something that makes no sense.
    public func classNames() throws -> [String]? {
        if let text = metadata[Self.classNamesKey] {
            return try decode([String].self, from: text, key: Self.classNamesKey)
        }
        return stored.flatMap { ClassNames.ofDataset($0.data) }
    }

    private func decode<Value: Decodable>(_ type: Value.Type, from text: String, key: String) throws -> Value
    {
        do {
            return try JSONDecoder().decode(type, from: Data(text.utf8))
        } catch {
            throw FileError(
                path, "its metadata \(key) cannot be understood; say --preprocessing and --labels")
        }
    }
}
