import Foundation
import VGGFiles

/// What the classes of a network are called, in the order of its outputs.
public enum ClassNames {
    /// Reads a file of names: one a line, or JSON.
    ///
    /// JSON is a list of names, or what Keras and torchvision call `imagenet_class_index.json`: an object of
    /// numbers and names, `{"0": ["n01440764", "tench"], …}`, with or without the WordNet identifier.
    /// - Throws: `FileError` if the file cannot be read or is neither.
    public static func read(_ path: String) throws(FileError) -> [String] {
        let data: Data
        do {
            data = try Data(contentsOf: URL(fileURLWithPath: path))
        } catch {
            throw FileError(path, "cannot be read")
        }
        guard let text = String(data: data, encoding: .utf8) else {
            throw FileError(path, "is not text in UTF-8; give a file with the name of a class on each line")
        }
        guard let first = text.first(where: { !$0.isWhitespace }) else {
            throw FileError(path, "is empty; give a file with the name of a class on each line")
        }
        return first == "{" || first == "[" ? try names(json: data, path: path) : lines(text)
    }

    private static func lines(_ text: String) -> [String] {
        // An empty line in between is a class without a name; at the end it is none.
        var lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).map { line in
            line.trimmingCharacters(in: .whitespaces)
        }
        while lines.last?.isEmpty == true { lines.removeLast() }
        return lines
    }

    private static func names(json: Data, path: String) throws(FileError) -> [String] {
        let value = try? JSONSerialization.jsonObject(with: json)
        if let names = value as? [String] { return names }
        guard let members = value as? [String: Any] else {
            throw FileError(path, "is neither a JSON list of names nor an object of numbers and names")
        }
        var names: [String] = []
        for index in 0..<members.count {
            switch members["\(index)"] {
            case let name as String: names.append(name)
            case let pair as [String] where pair.count == 2: names.append(pair[1])
            default:
                throw FileError(path, "has no name for class \(index), or not as [\"identifier\", \"name\"]")
            }
        }
        return names
    }
}
