import Testing
import VGGKit

extension ToolTests {
    @Test(arguments: [
        "summary", "train", "eval", "predict", "features", "explain", "convert", "data", "bench",
    ])
    func everyCommandHasHelpWithAnExample(_ command: String) throws {
        let result = try run("\(command) --help")
        #expect(result.status == 0 && result.errors.isEmpty)
        #expect(result.output.contains("USAGE: vgg \(command)"))
        #expect(
            result.output.contains("  vgg \(command)") || result.output.contains("Example: vgg \(command)"))
    }

    @Test(arguments: [
        "summary", "train", "eval", "predict", "features", "explain", "convert", "data", "bench",
    ])
    func examplesFitIntoALine(_ command: String) throws {
        let help = try run("\(command) --help").output
        let examples = try #require(help.components(separatedBy: "Examples:\n").dropFirst().first)
        let lines = examples.components(separatedBy: "\n\n")[0]
        #expect(lines.split(separator: "\n").allSatisfy { $0.hasPrefix("  ") })
    }

    @Test func namesTheCommandsForOneThatThereIsNot() throws {
        let result = try run("frobnicate")
        #expect(result.status == 64 && result.output.isEmpty)
        #expect(result.errors.contains("there is no command 'frobnicate'; the commands are summary, train, "))
        #expect(result.errors.hasSuffix(", bench\n"))
    }

    @Test func namesItsCommandsAndVersion() throws {
        let help = try run("--help")
        for command in [
            "summary", "train", "eval", "predict", "features", "explain", "convert", "data", "bench",
        ] {
            #expect(help.output.contains("  \(command) "))
        }
        #expect(try run("--version").output == "\(vggVersion)\n")
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
            "--preset",
            "--device", "--estimate", "--format", "--freeze", "--lr-head",
        ] {
            #expect(help.contains("\(option) ") || help.contains("\(option)\n"), "\(option)")
        }
    }
}
