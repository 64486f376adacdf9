import Foundation
import Testing
import VGGKit

extension ToolTests {
    private static let commands = [
        "summary", "train", "eval", "predict", "features", "explain", "distance", "stylize", "convert",
        "data",
        "runs", "recipes", "devices", "bench",
    ]

    /// What a command's help gives as examples, with whatever pipe they stand behind.
    private func examples(_ command: String) throws -> [String] {
        let help = try run("\(command) --help").output
        let lines: [String] = help.components(separatedBy: "\n")
        return lines.prefix { !$0.hasPrefix("USAGE:") }.filter { $0.hasPrefix("  ") && $0.contains("vgg ") }
    }

    @Test(arguments: commands)
    func everyCommandHasHelpWithAnExample(_ command: String) throws {
        let result = try run("\(command) --help")
        #expect(result.status == 0 && result.errors.isEmpty)
        #expect(result.output.contains("USAGE: vgg \(command)"))
        #expect(try examples(command).contains { $0.hasPrefix("  vgg \(command)") })
    }

    @Test(arguments: commands)
    func examplesFitIntoALine(_ command: String) throws {
        let help = try run("\(command) --help").output
        let examples = try #require(help.components(separatedBy: "Examples:\n").dropFirst().first)
        let lines = examples.components(separatedBy: "\n\n")[0]
        #expect(lines.split(separator: "\n").allSatisfy { $0.hasPrefix("  ") })
    }

    /// Runs a command that is out of memory before it does any work: an option that there is not has the exit code
    /// 64, and everything else, such as a photo that is missing here, another one.
    private func expectParses(_ text: String, _ place: String) throws {
        let command = text.components(separatedBy: "vgg ").last?.components(separatedBy: " #")[0] ?? ""
        let result = try run(command, shell: "export VGG_MAX_MEMORY=1")
        #expect(result.status == 0 || result.status == 1, "\(place): \(text): \(result.errors)")
    }

    @Test(arguments: commands + [""]) func examplesInHelpParse(_ command: String) throws {
        let examples = try examples(command)
        #expect(!examples.isEmpty)
        for example in examples { try expectParses(example, "vgg \(command) --help") }
    }

    @Test(arguments: Document.all) func commandsInDocumentsParse(_ document: Document) throws {
        let commands = document.commands.filter { $0.effort != .seconds }.map(\.text)
        for text in commands + document.commandsInSentences where text.hasPrefix("vgg ") {
            try expectParses(text, document.name)
        }
    }

    /// A run that an example speaks of is made by one before it; files that are not made are plainly the user's own.
    private func expectRunsAreMade(_ commands: [String], _ place: String) {
        var made: Set<String> = []
        for command in commands {
            let words = command.split(separator: " ").map(String.init)
            for (index, word) in words.enumerated() where word.hasPrefix("runs/") {
                if words[index - 1] == "--run-dir" { made.insert(word) }
                #expect(made.contains(word), "\(place): nothing before \"\(command)\" makes \(word)")
            }
        }
    }

    @Test(arguments: commands) func runsInHelpAreMadeThere(_ command: String) throws {
        expectRunsAreMade(try examples(command), "vgg \(command) --help")
    }

    @Test(arguments: Document.all) func runsInDocumentsAreMadeThere(_ document: Document) {
        expectRunsAreMade(document.commands.map(\.text), document.name)
    }

    @Test func namesTheCommandsForOneThatThereIsNot() throws {
        let result = try run("frobnicate")
        #expect(result.status == 64 && result.output.isEmpty)
        let names = Self.commands.joined(separator: ", ")
        #expect(
            result.errors.contains("there is no command 'frobnicate'; the commands are \(names)\n"),
            "a new command has its name in ToolTests.commands, too, by which its help is tested")
    }

    @Test func namesItsCommandsAndVersion() throws {
        let help = try run("--help")
        for command in Self.commands { #expect(help.output.contains("  \(command) ")) }
        #expect(try run("--version").output == "\(vggVersion)\n")
    }

    /// Every variable that the sources read, and every exit code that the tests of mistakes see.
    @Test func namesWhatItsSurroundingsDecide() throws {
        let help = try run("--help").output
        let sources = Document.root.appending(path: "Sources").path
        let files = try #require(FileManager.default.enumerator(atPath: sources)).compactMap { $0 as? String }
        var variables: Set<String> = []
        for file in files where file.hasSuffix(".swift") {
            let text = try String(contentsOfFile: "\(sources)/\(file)", encoding: .utf8)
            for match in text.matches(of: /environment\["([A-Z_]+)"\]|environmentVariable = "([A-Z_]+)"/) {
                variables.insert(String(match.1 ?? match.2 ?? ""))
            }
        }
        #expect(variables.isSuperset(of: ["VGG_MAX_ISA", "VGG_MAX_MEMORY", "XDG_CACHE_HOME"]))
        for variable in variables { #expect(help.contains("  \(variable) "), "\(variable)") }
        let codes = Set(Self.mistakes.map(\.status)).union([0])
        for code in codes { #expect(help.contains("  \(code) "), "exit code \(code)") }
    }

    /// The options whose names are a contract.
    @Test func trainHasItsOptions() throws {
        let help = try run("train --help").output
        for option in [
            "--arch", "--conv-arch", "--width-divisor", "--in-channels", "--classes", "--dropout",
            "--adaptive-pool", "--data", "--data-dir", "--size", "--epochs", "--lr", "--momentum",
            "--nesterov",
            "--weight-decay", "--batch-size", "--seed", "--threads", "--precision", "--run-dir", "--resume",
            "--init", "--weight-init", "--no-shuffle", "--train-limit", "--test-limit", "--max-steps",
            "--recipe", "--preset", "--device", "--estimate", "--format", "--freeze", "--lr-head",
            "--smoothing",
            "--no-norm-decay", "--sched", "--warmup-epochs", "--warmup-lr", "--min-lr", "--decay-epochs",
            "--decay-milestones", "--decay-rate", "--crop-padding", "--scale", "--ratio", "--hflip",
            "--vflip", "--alternating-flip", "--color-jitter", "--auto-augment", "--reprob", "--remode",
            "--recount", "--mixup", "--cutmix", "--cutmix-minmax", "--mixup-prob", "--mixup-switch-prob",
            "--mixup-mode", "--mixup-off-epoch", "--opt", "--opt-betas", "--opt-eps", "--dampening",
            "--clip-grad", "--grad-accum-steps", "--bn-bias-lr-scale", "--class-weights", "--patience-epochs",
            "--model-ema", "--model-ema-decay", "--model-ema-warmup",
        ] {
            #expect([" ", "\n", "/"].contains { help.contains("\(option)\($0)") }, "\(option)")
        }
    }

    /// A table has them all, with whose they are.
    @Test func theDocumentOnTrainingNamesEveryOption() throws {
        let document = try String(
            contentsOf: Document.root.appending(path: "docs/training.md"), encoding: .utf8)
        var options: [String] = []
        for line in try run("train --help").lines where line.hasPrefix("  --") {
            let words = line.split { " ,/".contains($0) }
            options += words.prefix { $0.hasPrefix("--") }.map(String.init)
        }
        #expect(options.count > 80)
        for option in options where option != "--version" {
            #expect(["`", " "].contains { document.contains("`\(option)\($0)") }, "\(option)")
        }
    }
}

@Suite struct MakefileTests {
    /// `make` lists every target that is meant for people.
    @Test func listsItsTargets() throws {
        let make = Process()
        make.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        make.arguments = ["make", "-s", "help"]
        make.currentDirectoryURL = Document.root
        let said = Pipe()
        make.standardOutput = said
        try make.run()
        let list = String(decoding: try said.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
        make.waitUntilExit()
        let makefile = try String(contentsOf: Document.root.appending(path: "Makefile"), encoding: .utf8)
        let targets = makefile.matches(of: #/\n([^ :\n]+):[^\n]*## /#).map { String($0.1) }
        #expect(targets.contains("bench-kernels") && targets.contains("help"))
        for target in targets { #expect(list.contains("  make \(target) "), "\(target)") }
    }
}
