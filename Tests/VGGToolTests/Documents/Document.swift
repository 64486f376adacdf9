import Foundation
import Testing

/// README, ARCHITECTURE or a file of docs, and what stands between its fences.
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

    static let all: [Document] = {
        let docs = try! FileManager.default.contentsOfDirectory(atPath: root.appending(path: "docs").path)
        let names =
            ["README.md", "ARCHITECTURE.md"] + docs.filter { $0.hasSuffix(".md") }.map { "docs/\($0)" }
        return names.sorted().map { name in
            Document(name, text: try! String(contentsOf: root.appending(path: name), encoding: .utf8))
        }
    }()

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

    /// Commands with options that a sentence names between backticks.
    var commandsInSentences: [String] {
        let inBlocks = Set(blocks.flatMap { $0.line - 1..<$0.line + $0.lines.count })
        let text = lines.indices.filter { !inBlocks.contains($0) }.map { lines[$0] }.joined(separator: " ")
        return text.matches(of: /`(vgg [^`]+)`/).map { String($0.1) }.filter { $0.contains(" --") }
    }
}
