extension ListedClass {
    /// Under which names an object holds the classes: Hugging Face's, timm's, torchvision's, a run folder's, and what
    /// scripts call them.
    private static let members = [
        "id2label", "label2id", "label_names", "class_to_idx", "labels", "classes", "class_names", "names",
    ]

    /// The classes of a list or dictionary of names.
    static func classes(of literal: Literal) throws(LabelProblem) -> [ListedClass] {
        switch literal {
        case .list(let elements):
            return try elements.enumerated().map { index, element throws(LabelProblem) in
                guard let entry = listed(element) else { throw misfit("element \(index)") }
                return entry
            }
        case .dictionary(let pairs):
            for name in members {
                switch literal.member(name) {
                case .list(let elements)?: return try classes(of: .list(elements))
                case .dictionary(let pairs)?: return try classes(of: pairs)
                default: continue
                }
            }
            return try classes(of: pairs)
        default: throw LabelProblem("holds no names; \(LabelProblem.expected)")
        }
    }

    /// Of numbers and names, or of names and numbers.
    private static func classes(
        of pairs: [(key: Literal, value: Literal)]
    ) throws(LabelProblem) -> [ListedClass] {
        // Names may be numbers themselves, as those of digits: class_to_idx then has numbers on both sides.
        let isByName = pairs.allSatisfy {
            if case .integer = $0.value { $0.key.string != nil } else { false }
        }
        var classes: [ListedClass] = []
        for (key, value) in pairs {
            if isByName, let name = key.string, let number = value.number {
                classes.append(ListedClass(number: number, name: name))
            } else if let number = key.number {
                guard var entry = named(value) else { throw misfit("class \(number)") }
                entry.number = number
                classes.append(entry)
            } else {
                let name = key.string?.quotedName ?? "one of its keys"
                throw LabelProblem("has \(name), which is no class's number; \(LabelProblem.expected)")
            }
        }
        return classes
    }

    private static func misfit(_ place: String) -> LabelProblem {
        LabelProblem("has no name for \(place), or not as one is expected; \(LabelProblem.expected)")
    }

    /// An element of a list: a name, a pair of a number and a name in either order, or what a dictionary has.
    private static func listed(_ element: Literal) -> ListedClass? {
        if case .list(let pair) = element, pair.count == 2 {
            if case .integer(let number) = pair[0], let name = pair[1].string {
                return ListedClass(number: number, name: name)
            }
            if case .integer(let number) = pair[1], let name = pair[0].string {
                return ListedClass(number: number, name: name)
            }
        }
        return named(element)
    }

    /// A name; an identifier and a name; or an object with a `label` or `name`, and perhaps an `id`.
    private static func named(_ value: Literal) -> ListedClass? {
        switch value {
        case .string(let name): return ListedClass(name: name)
        case .list(let pair):
            guard pair.count == 2, let identifier = pair[0].string, let name = pair[1].string else {
                return nil
            }
            return ListedClass(identifier: identifier, name: name)
        case .dictionary:
            guard let name = (value.member("label") ?? value.member("name"))?.string else { return nil }
            return ListedClass(identifier: value.member("id")?.string, name: name)
        default: return nil
        }
    }
}
