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

            \(Surroundings.help)
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
            try checkCommand()
            var command = try parseAsRoot(arguments)
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

    /// The arguments as `FileName` has them: Swift's own lose the bytes that are not UTF-8.
    private static var arguments: [String] {
        (1..<max(1, Int(CommandLine.argc))).compactMap { index in
            CommandLine.unsafeArgv[index].map { argument in
                FileName.text(UnsafeRawBufferPointer(start: argument, count: strlen(argument)).map { $0 })
            }
        }
    }

    /// - Throws: `ValidationError` that lists the commands, if the first argument is none.
    private static func checkCommand() throws {
        let commands = configuration.subcommands.map { $0.configuration }
        guard let name = arguments.first, !name.hasPrefix("-"), name != "help",
            !commands.contains(where: { $0.commandName == name })
        else { return }
        let names = commands.filter(\.shouldDisplay).compactMap(\.commandName)
        throw ValidationError(
            "there is no command '\(name)'; the commands are \(names.joined(separator: ", "))")
    }

    /// - Throws: `ValidationError` if the environment asks for kernels that there are not, or for memory that
    ///   is no number.
    private static func checkEnvironment() throws {
        let environment = ProcessInfo.processInfo.environment
        let variable = InstructionSet.environmentVariable
        let names = InstructionSet.allCases.map { "\($0)" }
        if let value = environment[variable], !value.isEmpty, !names.contains(value) {
            throw ValidationError("\(variable) must be one of \(names.joined(separator: ", ")), not \(value)")
        }
        let memory = FreeMemory.environmentVariable
        if let value = environment[memory], !value.isEmpty, Int(value) == nil {
            throw ValidationError("\(memory) must be a number of bytes, not \(value)")
        }
    }
}
