import Foundation

/// Data sets by the names that people and files give them.
extension KnownDataset {
    /// The set of this name, however it is spelt (`EMNIST-letters`, `emnist_letters`), or of a file of this name
    /// (`emnist-letters-train-images-idx3-ubyte.gz`); nil if none is known.
    static func known(_ name: String) -> KnownDataset? {
        var stem = name.lowercased()
        if DatasetPart(fileName: name) != nil {
            let ends = ["train", "test", "t10k"].compactMap {
                stem.range(of: $0, options: .backwards)?.lowerBound
            }
            if let end = ends.min() { stem = String(stem[..<end]) }
        }
        let key = key(of: stem)
        return all.first { self.key(of: $0.name) == key || $0.aliases.contains(key) }
    }

    /// The known names that somebody may have meant who wrote one that is not known, the nearest first: those that go on
    /// where it ends, or the one that differs in the fewest letters, if these are few.
    static func nearest(to name: String) -> [String] {
        let key = key(of: name)
        let longer = all.map(\.name).filter { key.count > 3 && self.key(of: $0).hasPrefix(key) }
        if !longer.isEmpty { return longer }
        let distances = all.map { (name: $0.name, distance: distance(key, self.key(of: $0.name))) }
        let best = distances.min { $0.distance < $1.distance }
        guard let best, best.distance <= max(2, key.count / 3), best.distance < key.count - 1 else {
            return []
        }
        return [best.name]
    }

    /// Letters and digits, in lower case.
    private static func key(of name: String) -> String {
        name.lowercased().filter { $0.isLetter || $0.isNumber }
    }

    /// How many letters have to be put in, left out or changed to make one word the other (Levenshtein 1966).
    private static func distance(_ left: String, _ right: String) -> Int {
        let right = Array(right)
        var row = Array(0...right.count)
        for (index, letter) in left.enumerated() {
            var diagonal = row[0]
            row[0] = index + 1
            for (place, other) in right.enumerated() {
                let change = diagonal + (letter == other ? 0 : 1)
                diagonal = row[place + 1]
                row[place + 1] = min(change, diagonal + 1, row[place] + 1)
            }
        }
        return row[right.count]
    }
}
