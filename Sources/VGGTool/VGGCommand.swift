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
              vgg train --recipe quick
              vgg train

            \(Surroundings.help)
            """,
        version: vggVersion,
        subcommands: [
            SummaryCommand.self, TrainCommand.self, EvalCommand.self, PredictCommand.self,
            FeaturesCommand.self,
            ExplainCommand.self, DistanceCommand.self, StylizeCommand.self, ConvertCommand.self,
            DataCommand.self, RunsCommand.self,
            RecipesCommand.self, DevicesCommand.self, BenchCommand.self,
        ])

    static func main() {
        Console.occupyClosedDescriptors()
        // A file-size limit then fails the write, which is reported, rather than killing the program.
        signal(SIGXFSZ, SIG_IGN)
        Signals.listen()
        Foundation.exit(status())
    }

    /// Does what the command line asks for.
    /// - Returns: the exit code.
    private static func status() -> Int32 {
        do {
            try checkEnvironment()
            try checkCommand()
            do {
                var command = try parseAsRoot(SeparatedNumbers.joining(Recipe.expanding(arguments)))
                try command.run()
            } catch  where exitCode(for: error).isSuccess {
                try show(help: error)
            }
            return EXIT_SUCCESS
        } catch let error as OutputError where error.isClosedPipe {
            // The shell's code for a program that the signal ended, where that is ignored.
            return 128 + SIGPIPE
        } catch {
            let message = message(for: error)
            if !message.isEmpty { Console.error("error: \(message)") }
            return exitCode(for: error).rawValue
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

    /// Prints a text that was asked for: a help, the version.
    private static func show(help: any Error) throws {
        let columns = Console.outputColumns ?? 80
        guard columns < 80 else { return try Console.print(fullMessage(for: help)) }
        // The library breaks examples, and makes two columns also where there is no room for them.
        try Console.print(narrowed(fullMessage(for: help, columns: .max), width: columns))
    }

    /// A help with what names mean below them, not beside them.
    private static func narrowed(_ help: String, width: Int) -> String {
        help.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            let (name, meaning) = (line.prefix(26), line.dropFirst(26))
            let isList = name.hasPrefix("  -") || name.hasPrefix("  <") || name.hasSuffix("  ")
            guard isList, name.last == " ", meaning.first != " " else {
                return Text.wrapped(line, width: width, indent: line.hasPrefix(" ") ? 2 : 0)
            }
            let below = Text.wrapped("      \(meaning)", width: width, indent: 0)
            let above = name.replacing(/\ +$/, with: "")
            return above.isEmpty ? below : "\(above)\n\(below)"
        }.joined(separator: "\n")
    }

    /// - Throws: `ValidationError` that lists the commands, if the first argument, or that of help, is none.
    private static func checkCommand() throws {
        let commands = configuration.subcommands.map { $0.configuration }
        let words = arguments.first == "help" ? Array(arguments.dropFirst()) : arguments
        guard let name = words.first, !name.hasPrefix("-"), name != "help",
            !commands.contains(where: { $0.commandName == name })
        else { return }
        let names = commands.compactMap(\.commandName)
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
