/// What the classes of a network are called, in the order of its outputs.
///
///     let names = try ClassNames(contentsOf: "imagenet_class_index.json")
///     names.names[281]              // "tabby"
///     names.numbers(of: "n02123045")  // [281]
public struct ClassNames: Hashable, Sendable {
    /// One for each class; empty where a file leaves a line of names empty.
    public let names: [String]
    /// Other names of the classes, WordNet's identifiers as a rule; nil for a class that has none.
    let identifiers: [String?]

    /// Classes.
    public var count: Int { names.count }

    /// The classes in the order of their numbers.
    public init(_ names: [String]) { self.init(names.map { ListedClass(name: $0) }) }

    /// - Parameter classes: in the order of their numbers.
    init(_ classes: [ListedClass]) {
        names = classes.map(\.name)
        identifiers = classes.map(\.identifier)
    }

    /// The classes that a name stands for, such as that of a folder of photos: those that are called so; else those
    /// that have it as their identifier; else those whose names begin with it before a comma, as in
    /// "tench, Tinca tinca".
    /// - Returns: none if there is no such class, several if the name does not tell them apart.
    public func numbers(of name: String) -> [Int] {
        let ways: [(Int) -> Bool] = [
            { names[$0] == name }, { identifiers[$0] == name },
            { names[$0].split(separator: ",").first.map { $0 == name } ?? false },
        ]
        return ways.lazy.map { way in names.indices.filter { way($0) } }.first { !$0.isEmpty } ?? []
    }

    /// Names that several classes share, with their numbers; but not where identifiers tell these apart, as they do
    /// ImageNet's two kinds of crane.
    public var repeated: [(name: String, numbers: [Int])] {
        let nameless = names.indices.filter { identifiers[$0] == nil && !names[$0].isEmpty }
        return Dictionary(grouping: nameless) { names[$0] }.filter { $0.value.count > 1 }
            .map { (name: $0.key, numbers: $0.value) }.sorted { $0.numbers[0] < $1.numbers[0] }
    }
}

/// A class as a file lists it.
struct ListedClass {
    /// nil where the place in the file is the number.
    var number: Int?
    var identifier: String?
    var name: String
}

/// What is wrong with a file of class names, in words that follow the path.
struct LabelProblem: Error {
    var reason: String

    init(_ reason: String) { self.reason = reason }

    /// What to give instead of something that is no list of names.
    static let expected = """
        give one name a line, with or without its number; or JSON or a Python dictionary: a list of names, {"0": "name"}, \
        {"0": ["identifier", "name"]}, {"name": 0}, or a config.json with id2label
        """
}

extension ListedClass {
    /// The classes in the order of their numbers, which must be 0, 1, 2 … if there are any.
    static func ordered(_ classes: [ListedClass]) throws(LabelProblem) -> [ListedClass] {
        guard classes.contains(where: { $0.number != nil }) else { return classes }
        var numbered: [Int: ListedClass] = [:]
        for entry in classes {
            guard let number = entry.number else {
                throw LabelProblem("has no number for \(entry.name.quotedName)")
            }
            if let other = numbered.updateValue(entry, forKey: number) {
                throw LabelProblem(
                    "gives class \(number) two names, \(other.name.quotedName) and \(entry.name.quotedName)")
            }
        }
        var result: [ListedClass] = []
        for number in classes.indices {
            guard let entry = numbered[number] else {
                throw LabelProblem(
                    """
                    has no name for class \(number), but one for class \(numbered.keys.max() ?? 0): classes are \
                    counted from 0 without gaps; where the numbers mean something else, give the names alone, one a \
                    line, in the order of the network's outputs
                    """)
            }
            result.append(entry)
        }
        return result
    }
}
