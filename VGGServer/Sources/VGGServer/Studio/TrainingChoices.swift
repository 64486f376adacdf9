import Foundation
import VGGData

/// What a training can be made of, in the words of the program that trains.
enum TrainingChoices {
    /// The options that the studio offers, in its order: none of them names a file.
    static let options = [
        "arch", "conv-arch", "width-divisor", "pool", "hidden-features", "dropout", "size", "epochs",
        "batch-size", "lr", "opt", "momentum", "nesterov", "weight-decay", "no-norm-decay", "sched",
        "warmup-epochs", "smoothing", "clip-grad", "crop-padding", "hflip", "reprob", "mixup", "cutmix",
        "model-ema", "val-split", "keep", "patience", "seed", "precision", "train-limit", "test-limit",
        "max-steps",
    ]

    /// - Throws: `APIError` if there is no such program, or it is another one.
    static func json(_ program: String?) throws -> JSON {
        guard let program else { return ["program": false] }
        return [
            "program": true, "recipes": .array(try recipes(program)), "options": .array(try options(program)),
            "data": .array(DatasetStore.knownNames.map(JSON.string)),
        ]
    }

    private static func output(_ program: String, _ arguments: [String]) throws -> String {
        let process = Process()
        let pipe = Pipe()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        process.standardOutput = pipe
        process.standardError = FileHandle.nullDevice
        try process.run()
        let bytes = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw APIError(.badGateway, "\(program) is no vgg of this version")
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func recipes(_ program: String) throws -> [JSON] {
        try output(program, ["recipes", "--format", "json"]).split(separator: "\n").map { line in
            try JSON(reading: Array(line.utf8)[...])
        }
    }

    /// The options with their help, which the program's parser tells in JSON.
    private static func options(_ program: String) throws -> [JSON] {
        let text = try output(program, ["--experimental-dump-help"])
        let whole = try JSON(reading: Array(text.utf8)[...])
        let train = whole["command"]?["subcommands"]?.elements?.first { $0["commandName"]?.string == "train" }
        let arguments = train?["arguments"]?.elements ?? []
        return try options.map { name -> JSON in
            let found = arguments.first { argument in
                argument["names"]?.elements?.contains { $0["name"]?.string == name } ?? false
            }
            guard let found else { throw APIError(.badGateway, "vgg train has no option --\(name)") }
            return [
                "name": .string(name), "is_flag": .bool(found["kind"]?.string == "flag"),
                "help": found["abstract"] ?? "",
                "values": found["allValueStrings"] ?? found["allValues"] ?? .null,
                "default": found["defaultValue"] ?? .null,
            ]
        }
    }
}
