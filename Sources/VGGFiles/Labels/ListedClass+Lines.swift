import Foundation

extension ListedClass {
    /// The classes of a text with one a line.
    static func classes(ofLines text: String) throws(LabelProblem) -> [ListedClass] {
        // An empty line in between is a class without a name; at the end it is none.
        var lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).map {
            $0.trimmingCharacters(in: .whitespaces)
        }
        while lines.last?.isEmpty == true { lines.removeLast() }
        let filled = lines.filter { !$0.isEmpty }
        // Identifiers may stand before the numbers, or between them and the names.
        if let identified = matches(filled, identified) {
            let numbered = try numbered(identified.map(\.name)) ?? []
            guard numbered.count == identified.count else { return identified }
            return zip(identified, numbered).map {
                ListedClass(number: $1.number, identifier: $0.identifier, name: $1.name)
            }
        }
        guard let numbered = try numbered(filled) else {
            return lines.map { ListedClass(name: unquoted($0)) }
        }
        let identified = matches(numbered.map(\.name), identified) ?? []
        guard identified.count == numbered.count else { return numbered }
        return zip(identified, numbered).map {
            ListedClass(number: $1.number, identifier: $0.identifier, name: $0.name)
        }
    }

    /// What every line is taken as; the first may be a header, which is left out.
    /// - Returns: nil if another line cannot be taken so.
    private static func matches(
        _ lines: [String], _ taken: (String) -> ListedClass?
    ) -> [ListedClass]? {
        let classes = lines.map(taken)
        let rest = classes.count > 2 && classes[0] == nil ? classes[1...] : classes[...]
        return rest.contains { $0 == nil } ? nil : rest.compactMap(\.self)
    }

    /// - Returns: nil if the lines are names alone.
    /// - Throws: if nearly all have a number.
    private static func numbered(_ lines: [String]) throws(LabelProblem) -> [ListedClass]? {
        // A first line that has none may also be a name as the others are: ace of clubs, 2 of clubs, 2 of hearts.
        if let classes = matches(lines, numberFirst),
            classes.count == lines.count || Set(classes.map(\.number)).count == classes.count
        {
            return classes
        }
        // Names may end in numbers that count nothing, as those of aeroplanes do.
        if let classes = matches(lines, numberLast), Set(classes.map(\.name)).count == classes.count,
            Set(classes.map(\.number)) == Set(classes.indices.map(Optional.some))
        {
            return classes
        }
        let numbers = lines.compactMap { numberFirst($0)?.number }
        guard 2 * numbers.count > lines.count, Set(numbers).count == numbers.count,
            numbers.allSatisfy(lines.indices.contains),
            let other = lines.first(where: { numberFirst($0) == nil })
        else { return nil }
        throw LabelProblem(
            "has no number, or no name, in \(other.quotedName), but in other lines it has both")
    }

    /// `3 cat`, `3: cat`, `3,cat`, `3. cat`, `"3","cat"`.
    private static func numberFirst(_ line: String) -> ListedClass? {
        var rest = line.first == "\"" ? line.dropFirst() : line[...]
        let digits = rest.prefix { ("0"..."9").contains($0) }
        guard digits.count < 10, let number = Int(digits) else { return nil }
        rest = rest.dropFirst(digits.count)
        if line.first == "\"", rest.first == "\"" { rest = rest.dropFirst() }
        let name = rest.drop(while: \.isWhitespace)
        let mark = name.first.map { ":,;=|)".contains($0) } == true ? 1 : 0
        // A point or a dash may belong to the name: 001.Albatross, 7-up.
        let isSpaced = name.dropFirst().first?.isWhitespace == true
        let spaced = name.first == "." || name.first == "-" && name.count < rest.count
        let separator = mark > 0 ? mark : spaced && isSpaced ? 1 : 0
        guard name.count < rest.count || separator > 0 else { return nil }
        let bare = unquoted(name.dropFirst(separator).trimmingCharacters(in: .whitespaces))
        return bare.isEmpty ? nil : ListedClass(number: number, name: bare)
    }

    /// `cat 3`, `cat: 3`, `cat,3`.
    private static func numberLast(_ line: String) -> ListedClass? {
        let digits = String(line.reversed().prefix { ("0"..."9").contains($0) }.reversed())
        guard digits.count < 10, let number = Int(digits), let before = line.dropLast(digits.count).last,
            before.isWhitespace || ":,;=|".contains(before)
        else { return nil }
        let name = line.dropLast(digits.count).trimmingCharacters(in: .whitespaces)
        let isMarked = name.last.map { ":,;=|".contains($0) } ?? false
        let bare = unquoted((isMarked ? name.dropLast() : name[...]).trimmingCharacters(in: .whitespaces))
        return bare.isEmpty ? nil : ListedClass(number: number, name: bare)
    }

    /// A WordNet identifier and a name: `n01440764 tench, Tinca tinca`.
    private static func identified(_ line: String) -> ListedClass? {
        guard let match = line.prefixMatch(of: /(n[0-9]{8})[\s:,;]+(?=\S)/) else { return nil }
        return ListedClass(
            identifier: String(match.1), name: unquoted(String(line[match.range.upperBound...])))
    }

    /// Without the quotes around all of it.
    private static func unquoted(_ name: String) -> String {
        guard name.count > 1, let quote = name.first, quote == "\"" || quote == "'", name.last == quote else {
            return name
        }
        return String(name.dropFirst().dropLast()).replacingOccurrences(of: "\"\"", with: "\"")
    }
}
