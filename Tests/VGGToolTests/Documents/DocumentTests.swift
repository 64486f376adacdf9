import Foundation
import Testing
import VGGTestSupport

/// README, its neighbours, docs and the articles say what is so.
extension ToolTests {
    /// Set by `make check-docs`.
    private static let runsLongCommands = ProcessInfo.processInfo.environment["VGG_LONG_DOCS"] != nil

    private static func isRun(_ command: DocumentCommand) -> Bool {
        command.effort == .seconds || command.effort == .long && runsLongCommands
    }

    /// All commands of a document in a folder of their own, one after the other.
    @Test(arguments: Document.originals.filter { $0.commands.contains(where: isRun) })
    func documentsShowWhatIsPrinted(_ document: Document) throws {
        let programs = URL(fileURLWithPath: try #require(Program.path)).deletingLastPathComponent().path
        for command in document.commands where Self.isRun(command) {
            let result = try run("", shell: "exec 2>&1; PATH='\(programs)':\"$PATH\"\n\(command.text)\nexit")
            let place = "\(document.name), line \(command.line): \(command.text)"
            #expect(result.status == 0, "\(place): \(result.output)")
            var printed = result.output.components(separatedBy: "\n")
            if printed.last?.isEmpty == true { printed.removeLast() }
            let mismatch = command.mismatch(printed)
            #expect(mismatch == nil, "\(place): \(mismatch ?? "")")
        }
    }

    /// So that nothing is passed over: a block is Swift, or begins with a command or with why it is not run.
    @Test(arguments: Document.all) func everyBlockIsRunOrSaysWhyNot(_ document: Document) {
        for block in document.blocks where block.language != "swift" && block.language != "text" {
            let first = block.lines.first ?? ""
            #expect(
                block.language.isEmpty && ["$ ", "# long: ", "# not run: "].contains { first.hasPrefix($0) },
                "\(document.name), line \(block.line): \(first)")
        }
        for (index, line) in document.lines.enumerated().dropFirst() where line.hasPrefix("    ") {
            let isBlock = document.lines[index - 1].isEmpty
            #expect(!isBlock, "\(document.name), line \(index + 1): a block without fences")
        }
    }

    @Test(arguments: Document.originals.filter { $0.blocks.contains { $0.language == "swift" } })
    func swiftExamplesCompile(_ document: Document) throws {
        let build = URL(fileURLWithPath: try #require(Program.path)).deletingLastPathComponent()
        let modules = try FileManager.default.contentsOfDirectory(atPath: build.path).filter {
            ["CVGG", "COpenCL", "CMPI"].contains(where: $0.hasPrefix) && $0.hasSuffix(".build")
        }
        let maps =
            modules.map { build.appending(path: "\($0)/module.modulemap").path }
            + [Document.root.appending(path: "Sources/CZlib/module.modulemap").path]
        for block in document.blocks where block.language == "swift" {
            var text = block.lines.joined(separator: "\n")
            if !text.contains("import VGGKit") { text = "import VGGKit\n" + text }
            try folder.write(Array(text.utf8), to: "main.swift")
            let compiler = Process()
            compiler.executableURL = URL(fileURLWithPath: "/usr/bin/env")
            compiler.arguments =
                ["swiftc", "-typecheck", "-swift-version", "6", "-I", build.appending(path: "Modules").path]
                + maps.flatMap { ["-Xcc", "-fmodule-map-file=\($0)"] } + [folder.url("main.swift").path]
            let said = Pipe()
            compiler.standardError = said
            try compiler.run()
            let errors = try said.fileHandleForReading.readToEnd() ?? Data()
            compiler.waitUntilExit()
            // A warning is no good example either.
            #expect(
                compiler.terminationStatus == 0 && errors.isEmpty,
                "\(document.name), line \(block.line): \(String(decoding: errors, as: UTF8.self))")
        }
    }
}

/// The notation of the documents' commands.
@Suite struct DocumentCommandTests {
    private func command(_ lines: String) throws -> DocumentCommand {
        try #require(Document("", text: "```\n\(lines)\n```").commands.first)
    }

    @Test func knowsEffortsAndLines() {
        let text = """
            ```swift
            $ no command
            ```
            ```
            $ first # with a comment
            a
            b
            # long: an hour
            $ second
            # not run: a reason
            $ third
            $ fourth
            ```
            ```
            $ fifth
            ```
            """
        let commands = Document("", text: text).commands
        #expect(commands.map(\.text) == ["first # with a comment", "second", "third", "fourth", "fifth"])
        #expect(commands.map(\.effort) == [.seconds, .long, .notRun, .notRun, .seconds])
        #expect(commands.map(\.line) == [5, 9, 11, 12, 15])
        #expect(commands.map(\.output) == [["a", "b"], [], [], [], []])
    }

    @Test(arguments: [
        ("a\nb", "a\nb"), ("…", ""), ("…", "a\nb"), ("a\n…", "a"), ("a\n…\nc", "a\nb\nb\nc"),
        ("…\nb\n…", "a\nb\nb"),
        ("a\n…\nb\n…\nc", "a\nb\nx\nb\nc"), ("a … c", "a b c"), ("…c", "abc"),
        ("≈1.5 s, ≈1,000", "27 s, 1.25"),
        ("(a.b)*", "(a.b)*"),
    ]) func showsWhatIsPrinted(_ shown: String, _ printed: String) throws {
        let lines = printed.isEmpty ? [] : printed.components(separatedBy: "\n")
        #expect(try command("$ x\n\(shown)").mismatch(lines) == nil)
    }

    @Test(arguments: [
        ("a", "", 3), ("a\nb", "a", 4), ("a", "a\nb", 4), ("965 MB", "1.02 GB", 3), ("a\n…\nc", "a\nb", 5),
        ("a\n…\nc\n…\ne", "a\nc\nd", 7), ("a … c", "a b", 3), ("≈1 s", "x s", 3), ("≈1 s", "1 ms", 3),
        ("a.b", "axb", 3),
    ]) func seesWhatIsNot(_ shown: String, _ printed: String, _ line: Int) throws {
        let lines = printed.isEmpty ? [] : printed.components(separatedBy: "\n")
        let mismatch = try command("$ x\n\(shown)").mismatch(lines)
        #expect(mismatch?.hasPrefix("line \(line) shows") == true, "\(mismatch ?? "")")
        // Without a line below it a command prints nothing.
        #expect(try command("$ x").mismatch(["a"]) != nil)
    }
}
