/// What a text says in whatever language, section by section: code, names and commands between backticks, figures, links.
struct DocumentFacts: Sendable {
    enum Kind: String, CaseIterable, Sendable {
        case code = "the line of code"
        case name = "the name or command"
        case figure = "the figure"
        case link = "the link"
    }

    struct Section: Sendable {
        let title: String
        let line: Int
        var facts: [Kind: [String]] = [:]
    }

    let name: String
    private(set) var sections: [Section]

    init(_ document: Document) {
        name = document.name
        sections = [Section(title: "its beginning", line: 1)]
        let code = document.blocks.flatMap { block in
            block.lines.enumerated().map { (block.line + $0, $1, isCommands: block.language.isEmpty) }
        }
        let lines =
            code.map { (line: $0, text: $1, isCode: true, isCommands: $2) }
            + document.sentences.map { (line: $0, text: $1, isCode: false, isCommands: false) }
        for (line, text, isCode, isCommands) in lines.sorted(by: { $0.line < $1.line }) {
            if isCode {
                add([Self.withoutComment(text, isCommands)].filter { !$0.isEmpty }, .code)
                continue
            }
            if text.hasPrefix("#") {
                let title = String(text.drop { $0 == "#" || $0 == " " })
                sections.append(Section(title: "“\(title)”", line: line))
            }
            add(text.matches(of: /`([^`]+)`/).map { String($0.1) }, .name)
            add(document.links(in: text), .link)
            add(Self.figures(in: text), .figure)
        }
    }

    private mutating func add(_ facts: [String], _ kind: Kind) {
        sections[sections.count - 1].facts[kind, default: []] += facts
    }

    /// A line of code as it is in every language: comments are for people.
    private static func withoutComment(_ line: String, _ isCommands: Bool) -> String {
        for reason in ["# long:", "# not run:"] where isCommands && line.hasPrefix(reason) { return reason }
        let comment = isCommands && line.hasPrefix("$ ") ? /\s+# .*$/ : /\s*\/\/ .*$/
        return isCommands && !line.hasPrefix("$ ") ? line : line.replacing(comment, with: "")
    }

    /// The numbers of a sentence but for those in names, as of `fp32` or VGG-16.
    private static func figures(in text: String) -> [String] {
        let sentence = text.replacing(/`[^`]+`/, with: " ").replacing(/\]\([^)]*\)|src="[^"]*"/, with: " ")
        return sentence.matches(of: /[A-Za-z0-9][A-Za-z0-9.,×-]*/).compactMap { word in
            guard word.0.first?.isNumber == true else { return nil }
            return String(word.0.prefix { $0.isNumber || ".,×".contains($0) }).trimmingSuffix(".,×")
        }
    }

    /// What a translation lacks of the original, or has beyond it, each with its place; nothing if they say the same.
    func differences(from original: DocumentFacts) -> [String] {
        guard sections.count == original.sections.count else {
            return [
                "\(name) has \(sections.count) sections, \(original.name) \(original.sections.count): "
                    + "\(sections.map(\.title)) and \(original.sections.map(\.title))"
            ]
        }
        return zip(sections, original.sections).flatMap { own, section in
            Kind.allCases.flatMap { kind -> [String] in
                let (have, want) = (own.facts[kind] ?? [], section.facts[kind] ?? [])
                return want.less(have).map {
                    "\(name), line \(own.line), \(own.title): \(kind.rawValue) \($0) is missing, which "
                        + "\(original.name) has under \(section.title)"
                }
                    + have.less(want).map {
                        "\(name), line \(own.line), \(own.title): \(kind.rawValue) \($0) is not in "
                            + "\(original.name) under \(section.title)"
                    }
            }
        }
    }
}

extension Document {
    /// What a line's links and pictures point to. The two languages of README point to each other, and each to the
    /// chapter in its own.
    func links(in text: String) -> [String] {
        text.matches(of: /\]\(([^)\s]+)\)|src="([^"]+)"/).map { match in
            let link = String(match.1 ?? match.2 ?? "")
            return link == Self.translation
                ? "README.md" : link.replacing("https://zh.d2l.ai/", with: "https://d2l.ai/")
        }
    }
}

extension [String] {
    /// These without the others, each as often as it is there.
    fileprivate func less(_ others: [String]) -> [String] {
        var others = others
        return filter { one in
            guard let place = others.firstIndex(of: one) else { return true }
            others.remove(at: place)
            return false
        }
    }
}

extension String {
    fileprivate func trimmingSuffix(_ characters: String) -> String {
        var text = self[...]
        while let last = text.last, characters.contains(last) { text.removeLast() }
        return String(text)
    }
}
