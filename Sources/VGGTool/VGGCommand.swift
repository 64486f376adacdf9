import ArgumentParser
import Foundation
import VGGKit

/// The program `vgg`.
@main
struct VGGCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "vgg",
        abstract: "Define, train and evaluate VGG networks.",
        discussion: """
            The experiment of the VGG chapter, on Fashion-MNIST:
              vgg summary
              vgg train --preset quick
              vgg train
            """,
        version: vggVersion,
        subcommands: [
            SummaryCommand.self, TrainCommand.self, EvalCommand.self, PredictCommand.self,
            FeaturesCommand.self,
            ExplainCommand.self, ConvertCommand.self, DataCommand.self, BenchCommand.self, ChartCommand.self,
        ])

    static func main() {
        // A file-size limit then fails the write, which is reported, rather than killing the program.
        signal(SIGXFSZ, SIG_IGN)
        do {
            try checkEnvironment()
            var command = try parseAsRoot()
            try command.run()
        } catch {
            let code = exitCode(for: error)
            let message = code.isSuccess ? fullMessage(for: error) : message(for: error)
            if code.isSuccess {
                print(message)
            } else if !message.isEmpty {
                Console.error("error: \(message)")
            }
            Foundation.exit(code.rawValue)
        }
    }

    /// - Throws: `ValidationError` if the environment asks for kernels that there are not.
    private static func checkEnvironment() throws {
        let variable = InstructionSet.environmentVariable
        guard let value = ProcessInfo.processInfo.environment[variable], !value.isEmpty else { return }
        let names = InstructionSet.allCases.map { "\($0)" }
        guard names.contains(value) else {
            throw ValidationError("\(variable) must be one of \(names.joined(separator: ", ")), not \(value)")
        }
    }
}
