import Foundation
import HTTPTypes
import Hummingbird
import VGGData
import VGGFiles
import VGGInference
import VGGTraining

/// Starts, stops and goes on with trainings. Each is a process of its own, the program `vgg`, and outlives the server.
struct TrainingService: Sendable {
    private let program: String?
    private let folder: String
    private let runs: RunsService
    private let choices: Lane<JSON>

    init(_ settings: ServerSettings, _ runs: RunsService) {
        (program, folder, self.runs) = (settings.trainer, settings.runs, runs)
        let program = settings.trainer
        choices = Lane("Choices") { try TrainingChoices.json(program) }
    }

    var endpoints: [Endpoint] {
        let base = "/studio/api/training"
        return [
            Endpoint(.get, base, .null) { _ in .json(try await self.choices.run { $0 }) },
            Endpoint(.post, base + "/estimate", .null, access: .change) {
                let words = try await self.words(try await Self.wish($0))
                return try await self.estimate(words)
            },
            Endpoint(.post, base + "/start", .null, access: .change) {
                .json(try await self.start(try await self.words(try await Self.wish($0))))
            },
            Endpoint(.post, base + "/stop", .null, access: .change) { call in
                let run = try await self.run(try await Self.wish(call))
                try Self.stop(run.folder)
                return .json(["stopping": true])
            },
            Endpoint(.post, base + "/resume", .null, access: .change) { call in
                let wish = try await Self.wish(call)
                return .json(try self.resume(try await self.run(wish), wish))
            },
            Endpoint(.get, base + "/log", .null) { call in
                let run = try await self.runs.run(call.query("run") ?? "")
                return .json(["text": .string(Self.end(of: Self.log(of: run.folder)))])
            },
        ]
    }

    /// The body, an object of at most some kilobytes.
    private static func wish(_ call: Call) async throws -> JSON {
        var bytes: [UInt8] = []
        for try await piece in call.request.body {
            bytes += piece.readableBytesView
            guard bytes.count <= 1 << 16 else {
                throw APIError.closing(.contentTooLarge, "the body is too large")
            }
        }
        let wish: JSON
        do {
            wish = try JSON(reading: bytes[...])
        } catch {
            throw APIError.invalid("\(error)")
        }
        guard case .object = wish else { throw APIError.invalid("the body must be an object") }
        return wish
    }

    /// A member that is a text; nil where there is none, or an empty one.
    private static func text(_ name: String, of wish: JSON) throws(APIError) -> String? {
        switch wish[name] {
        case nil, .null?: return nil
        case .string(let text)?: return text.isEmpty ? nil : text
        default: throw .invalid("'\(name)' must be a text")
        }
    }

    private func run(_ wish: JSON) async throws -> RunRecord {
        guard let name = wish["run"]?.string else { throw APIError.invalid("'run' names a run") }
        return try await runs.run(name)
    }

    /// The options of `vgg train` that a client's choices are: only those of the list, with values that lead to no file.
    private func words(_ wish: JSON) async throws -> [String] {
        var words: [String] = []
        if let recipe = try Self.text("recipe", of: wish) {
            words += ["--recipe", try Self.value(recipe)]
        }
        if let data = try Self.text("data", of: wish) {
            guard DatasetStore.knownNames.contains(data) else {
                throw APIError.invalid("unknown data '\(data)'")
            }
            words += ["--data", data]
        }
        // A run that the table has, or a model that is a part of the program.
        if let weights = try Self.text("init", of: wish) {
            let path =
                ShippedModel(rawValue: weights) == nil ? try await runs.run(weights).folder.path : weights
            words += ["--init", path]
        }
        guard case .object(let options) = wish["options"] ?? [:] else {
            throw APIError.invalid("'options' must be an object")
        }
        for (name, value) in options.sorted(by: { $0.key < $1.key }) {
            guard TrainingChoices.options.contains(name) else {
                throw APIError.invalid("the option \(name) is not the studio's")
            }
            switch value {
            case .bool(true): words.append("--\(name)")
            case .bool(false), .null: break
            case .string(let text): words += ["--\(name)=\(try Self.value(text))"]
            default: throw APIError.invalid("\(name) must be a text, or true")
            }
        }
        return words
    }

    /// Numbers, names and lists of them: nothing that could be a path or another option.
    private static func value(_ text: String) throws(APIError) -> String {
        let allowed = text.utf8.allSatisfy {
            switch $0 {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "."), UInt8(ascii: ","),
                UInt8(ascii: "+"),
                UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: ":"):
                true
            default: false
            }
        }
        guard allowed, !text.isEmpty, text.utf8.count <= 200 else {
            throw .invalid("'\(text.prefix(40))' is no value of an option")
        }
        return text
    }

    private func trainer() throws(APIError) -> String {
        guard let program else {
            throw APIError(.notImplemented, "the program vgg is not beside vgg-server; name it by --vgg")
        }
        return program
    }

    private func estimate(_ words: [String]) async throws -> Response {
        let result = try await ChildProcess.run(
            try trainer(), ["train"] + words + ["--estimate", "--format", "json"], limit: .seconds(120))
        guard result.status == 0 else { throw APIError.invalid(Self.reason(result.errors)) }
        return .text(result.output, type: "application/json")
    }

    /// - Throws: `APIError` with what the program says if it ends before there is a run.
    private func start(_ words: [String]) async throws -> JSON {
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.dateFormat = "yyyy-MM-dd-HHmmss"
        let name = formatter.string(from: Date())
        _ = try trainer()
        try? FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let run = RunFolder("\(folder)/\(name)")
        guard mkdir(run.path, 0o777) == 0 else {
            throw errno == EEXIST
                ? APIError.busy("a run of this second is there")
                : APIError(
                    .conflict, "the folder of the runs cannot be written: \(String(cString: strerror(errno)))"
                )
        }
        let process = try begin(run, ["--run-dir", run.path] + words)
        // What is wrong with the options `vgg train` says at once; a run that begins writes what it is.
        for _ in 0..<100 where !run.holdsRun {
            try await Task.sleep(for: .milliseconds(50))
            guard kill(process, 0) != 0 else { continue }
            guard !run.holdsRun else { break }
            let reason = Self.reason(Self.end(of: Self.log(of: run)))
            try? FileManager.default.removeItem(atPath: run.path)
            throw APIError.invalid(reason)
        }
        return ["run": .string(name)]
    }

    private func resume(_ run: RunRecord, _ wish: JSON) throws -> JSON {
        guard run.state != .training else { throw APIError(.conflict, "the run is in training") }
        var words = ["--resume", run.folder.path]
        if let epochs = try Self.text("epochs", of: wish) {
            words += ["--epochs=\(try Self.value(epochs))"]
        }
        try begin(run.folder, words)
        return ["resuming": true]
    }

    @discardableResult
    private func begin(_ run: RunFolder, _ words: [String]) throws -> pid_t {
        let process = try ChildProcess.detach(
            try trainer(), ["train"] + words + ["--format", "json"], log: Self.log(of: run))
        try Data("\(process)\n".utf8).write(to: URL(fileURLWithPath: Self.process(of: run)), options: .atomic)
        return process
    }

    /// Asks a run's process to save it and to end.
    private static func stop(_ run: RunFolder) throws {
        guard run.isInTraining, let text = try? String(contentsOfFile: process(of: run), encoding: .utf8),
            let number = pid_t(text.trimmingCharacters(in: .whitespacesAndNewlines)), number > 1,
            isTraining(number, in: run), kill(number, SIGTERM) == 0
        else { throw APIError(.conflict, "the run is not in training, or was started elsewhere") }
    }

    /// Whether a process is one that trains in the folder, as far as the system tells: numbers are given anew.
    private static func isTraining(_ process: pid_t, in run: RunFolder) -> Bool {
        guard let words = FileManager.default.contents(atPath: "/proc/\(process)/cmdline") else {
            return kill(process, 0) == 0
        }
        return words.split(separator: 0).contains { $0.elementsEqual(run.path.utf8) }
    }

    /// Beside the run's own files.
    private static func log(of run: RunFolder) -> String { "\(run.path)/studio.log" }
    private static func process(of run: RunFolder) -> String { "\(run.path)/studio.pid" }

    private static func end(of log: String) -> String {
        guard let bytes = FileManager.default.contents(atPath: log) else { return "" }
        return String(decoding: bytes.suffix(4000), as: UTF8.self)
    }

    /// The line of an error.
    private static func reason(_ errors: String) -> String {
        let lines = errors.split(separator: "\n").map(String.init)
        return lines.first { $0.lowercased().hasPrefix("error: ") }.map { String($0.dropFirst(7)) }
            ?? lines.last ?? "vgg train says nothing"
    }
}
