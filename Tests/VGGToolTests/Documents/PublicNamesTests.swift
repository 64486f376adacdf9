import Foundation
import Testing
import VGGTestSupport

/// What VGGKit makes public, as its documentation shows it.
@Suite struct PublicNamesTests {
    private struct SymbolGraph: Decodable {
        struct Symbol: Decodable {
            struct Comment: Decodable {}
            let pathComponents: [String]
            let docComment: Comment?
        }
        let symbols: [Symbol]
    }

    /// What a protocol of the language asks for, under whose name it is explained.
    private static let witnesses: Set<String> = [
        "description", "debugDescription", "hash(into:)", "encode(to:)", "init(from:)", "==(_:_:)", "<(_:_:)",
        "rawValue",
        "init(rawValue:)", "allCases", "makeIterator()", "next()", "underestimatedCount", "startIndex",
        "endIndex", "subscript(_:)",
        "withContiguousStorageIfAvailable(_:)", "init(arrayLiteral:)", "init(dictionaryLiteral:)",
    ]

    @Test func everyPublicNameHasAComment() throws {
        let folder = try TemporaryFolder()
        let build = URL(fileURLWithPath: try #require(Program.path)).deletingLastPathComponent().path
        let extract = Process()
        extract.executableURL = Document.root.appending(path: "Scripts/symbol-graph")
        extract.arguments = [build, folder.path]
        try extract.run()
        extract.waitUntilExit()
        #expect(extract.terminationStatus == 0)
        let graph = try JSONDecoder().decode(SymbolGraph.self, from: folder.bytes("VGGKit.symbols.json"))
        // A graph of the module alone would be empty, as it only re-exports.
        #expect(graph.symbols.contains { $0.pathComponents == ["Network"] })
        let silent = graph.symbols.filter {
            $0.docComment == nil && !Self.witnesses.contains($0.pathComponents.last ?? "")
                // A setting is what its name says, which is that of a member elsewhere.
                && $0.pathComponents.first != "Setting"
        }.map { $0.pathComponents.joined(separator: ".") }.sorted()
        #expect(
            silent.isEmpty, "\(silent.count) public names have no comment: \(silent.joined(separator: ", "))")
    }
}
