import Foundation
import Testing

/// A text of the project: README, one of its neighbours, a file of docs or an article, and what stands between its fences.
struct Document: Sendable, CustomTestStringConvertible {
    struct Block: Sendable {
        /// The word behind the opening fence; empty for what is typed and printed.
        let language: String
        /// The number of its first line in the document.
        let line: Int
        let lines: [String]
    }

    let name: String
    let lines: [String]
    let blocks: [Block]

    var testDescription: String { name }

    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "../../..")
        .standardizedFileURL

    /// Where the articles of the library's documentation are, and their pictures.
    static let catalog = "Sources/VGGKit/VGGKit.docc"

    /// README in Chinese: its commands and code are those of README, which `DocumentFacts` compares.
    static let translation = "README.zh.md"

    static let all: [Document] = {
        func texts(in folder: String) -> [String] {
            try! FileManager.default.contentsOfDirectory(atPath: root.appending(path: folder).path)
                .filter { $0.hasSuffix(".md") }.map { "\(folder)/\($0)" }
        }
        let names =
            ["README.md", translation, "ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"]
            + texts(in: "docs") + texts(in: catalog)
        return names.sorted().map(named)
    }()

    /// Those whose commands are run and whose examples are compiled.
    static let originals = all.filter { $0.name != translation }

    static func named(_ name: String) -> Document {
        Document(name, text: try! String(contentsOf: root.appending(path: name), encoding: .utf8))
    }

    init(_ name: String, text: String) {
        self.name = name
        lines = text.components(separatedBy: "\n")
        var blocks: [Block] = []
        var opened: (language: String, line: Int)?
        for (index, line) in lines.enumerated() where line.hasPrefix("```") {
            if let (language, first) = opened {
                blocks.append(Block(language: language, line: first + 1, lines: Array(lines[first..<index])))
                opened = nil
            } else {
                opened = (String(line.dropFirst(3)), index + 1)
            }
        }
        self.blocks = blocks
    }

    /// What is typed, in the order of the document.
    var commands: [DocumentCommand] { blocks.filter { $0.language.isEmpty }.flatMap(DocumentCommand.all) }

    /// The lines that stand between no fences, with their numbers.
    var sentences: [(line: Int, text: String)] {
        let inBlocks = Set(blocks.flatMap { $0.line - 1...$0.line + $0.lines.count })
        return lines.indices.filter { !inBlocks.contains($0 + 1) }.map { ($0 + 1, lines[$0]) }
    }

    /// Commands with options that a sentence names between backticks.
    var commandsInSentences: [String] {
        let text = sentences.map(\.text).joined(separator: " ")
        return text.matches(of: /`(vgg [^`]+)`/).map { String($0.1) }.filter { $0.contains(" --") }
    }
}
