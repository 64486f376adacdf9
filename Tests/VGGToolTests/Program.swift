import Foundation
import Testing
import VGGKit
import VGGTestSupport

/// The program `vgg` that was built beside these tests.
struct Program {
    struct Result {
        var status: Int32
        var output: String
        var errors: String

        /// The lines on standard error but for notes of how a file of no known depth was read.
        var complaints: [Substring] {
            errors.split(separator: "\n").filter { !($0.hasPrefix("note: ") && $0.contains(": read as ")) }
        }

        var lines: [String] { output.split(separator: "\n").map(String.init) }

        /// Each line of the output as a JSON object.
        func objects() throws -> [[String: Any]] {
            try lines.map { line in
                try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
            }
        }
    }

    /// Beside the test bundle on Linux; some folders above the test runner's or the bundle's own on macOS.
    static let path: String? = {
        let starts = [CommandLine.arguments[0]] + Bundle.allBundles.map(\.bundlePath)
        for start in starts {
            var folder = URL(fileURLWithPath: start)
            for _ in 0..<4 {
                folder.deleteLastPathComponent()
                let candidate = folder.appending(path: "vgg").path
                if FileManager.default.isExecutableFile(atPath: candidate) { return candidate }
            }
        }
        return nil
    }()

    /// Starts the program with standard output and error in files, which no pipe can block.
    static func start(_ arguments: [String], in folder: TemporaryFolder, shell: String? = nil) throws
        -> Process
    {
        let program = try #require(path, "the program vgg was not built beside the tests")
        let process = Process()
        if let shell {
            // The shell sets up what the program is to suffer, and becomes the program.
            process.executableURL = URL(fileURLWithPath: "/bin/sh")
            process.arguments = ["-c", "\(shell); exec \"$0\" \"$@\"", program] + arguments
        } else {
            process.executableURL = URL(fileURLWithPath: program)
            process.arguments = arguments
        }
        process.currentDirectoryURL = URL(fileURLWithPath: folder.path)
        for name in ["output", "errors"] {
            _ = FileManager.default.createFile(atPath: "\(folder.path)/\(name)", contents: nil)
        }
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = try FileHandle(forWritingTo: folder.url("output"))
        process.standardError = try FileHandle(forWritingTo: folder.url("errors"))
        try process.run()
        return process
    }

    static func finish(_ process: Process, in folder: TemporaryFolder) throws -> Result {
        process.waitUntilExit()
        // A shell's way to tell an exit from a signal.
        let signal: Int32 = process.terminationReason == .uncaughtSignal ? 128 : 0
        let result = Result(
            status: signal + process.terminationStatus,
            output: try String(contentsOf: folder.url("output"), encoding: .utf8),
            errors: try String(contentsOf: folder.url("errors"), encoding: .utf8))
        // Whatever the libraries say reaches people with options in place of settings.
        for setting in Setting.allCases {
            #expect(!(result.output + result.errors).contains(setting.description))
        }
        return result
    }

    static func run(_ arguments: String, in folder: TemporaryFolder, shell: String? = nil) throws -> Result {
        let process = try start(arguments.split(separator: " ").map(String.init), in: folder, shell: shell)
        return try finish(process, in: folder)
    }
}

/// Runs one program at a time: each takes all processors.
@Suite(.serialized) struct ToolTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    func run(_ arguments: String, shell: String? = nil) throws -> Program.Result {
        try Program.run(arguments, in: folder, shell: shell)
    }

    /// The same with arguments that have spaces in them.
    func run(words arguments: [String]) throws -> Program.Result {
        try Program.finish(Program.start(arguments, in: folder), in: folder)
    }
}
