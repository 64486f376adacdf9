import Foundation
import Testing

/// What documents point to is there, and README says the same in both languages.
@Suite struct LinkTests {
    @Test func theTranslationOfREADMEIsComplete() {
        let differences = DocumentFacts(.named(Document.translation)).differences(
            from: DocumentFacts(.named("README.md")))
        #expect(differences.isEmpty, "\(differences.joined(separator: "\n"))")
    }

    private static let original = """
        # Title
        One `vgg summary`, 3 of 224×224, [here](docs/a.md).
        ## Second
        ```
        # not run: a reason
        $ vgg train    # a comment
        printed 1
        ```
        ```swift
        let a = 1  // a comment
        ```
        """

    private func differences(_ change: (inout String) -> Void) -> [String] {
        var text = Self.original
        change(&text)
        return DocumentFacts(Document("zh", text: text)).differences(
            from: DocumentFacts(Document("en", text: Self.original)))
    }

    @Test func whatOnlyPeopleReadMayDiffer() {
        #expect(
            differences {
                $0 = $0.replacingOccurrences(of: "Title", with: "标题").replacingOccurrences(
                    of: "a comment", with: "注释"
                ).replacingOccurrences(of: "a reason", with: "原因").replacingOccurrences(of: "One", with: "一")
            }.isEmpty)
    }

    @Test(arguments: [
        ("vgg summary", "vgg eval", "the name or command vgg summary is missing"),
        ("3 of", "4 of", "the figure 3 is missing"),
        ("224×224", "96×96", "the figure 224×224 is missing"),
        ("docs/a.md", "docs/b.md", "the link docs/a.md is missing"),
        ("$ vgg train ", "$ vgg eval ", "the line of code $ vgg train is missing"),
        ("printed 1", "printed 2", "the line of code printed 1 is missing"),
        ("let a = 1", "let a = 2", "the line of code let a = 1 is missing"),
        ("## Second", "Second", "zh has 2 sections, en 3"),
    ]) func whatDiffersIsNamed(_ old: String, _ new: String, _ message: String) {
        let found = differences { $0 = $0.replacingOccurrences(of: old, with: new) }
        #expect(found.contains { $0.contains(message) }, "\(found)")
        #expect(message.hasPrefix("zh") || found.count == 2, "\(found)")
    }

    /// Every link to a file of the project, and every picture of an article, leads somewhere, and to a heading that is there.
    @Test(arguments: Document.all) func linksLeadSomewhere(_ document: Document) throws {
        let folder = Document.root.appending(path: document.name).deletingLastPathComponent()
        for (line, text) in document.sentences {
            for link in document.links(in: text.replacing(/`[^`]+`/, with: "")) where !link.contains(":") {
                let parts = link.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)
                let path = parts[0].isEmpty ? document.name : String(parts[0])
                let place = "\(document.name), line \(line): \(link)"
                let file =
                    parts[0].isEmpty ? Document.root.appending(path: path) : folder.appending(path: path)
                #expect(FileManager.default.fileExists(atPath: file.path), "\(place)")
                if parts.count == 2, path.hasSuffix(".md") {
                    let headings = try String(contentsOf: file, encoding: .utf8).components(separatedBy: "\n")
                        .filter { $0.hasPrefix("#") }.map(Self.anchor)
                    #expect(headings.contains(String(parts[1])), "\(place)")
                }
            }
        }
    }

    /// GitHub's anchor of a heading.
    private static func anchor(_ heading: String) -> String {
        heading.drop { $0 == "#" || $0 == " " }.lowercased().filter {
            $0.isLetter || $0.isNumber || " -_".contains($0)
        }
        .replacing(" ", with: "-")
    }
}
