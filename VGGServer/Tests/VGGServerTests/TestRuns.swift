import Foundation
import Testing
import VGGTraining

/// Runs as the program leaves them, in a folder of their own.
struct TestRuns {
    let folder = FileManager.default.temporaryDirectory.appending(path: "vgg-runs-\(UUID().uuidString)")

    var path: String { folder.path }

    func add(_ name: String, rate: Float, metrics: Data) throws {
        let run = folder.appending(path: name)
        try FileManager.default.createDirectory(at: run, withIntermediateDirectories: true)
        var configuration = TrainingConfiguration()
        configuration.optimizer.learningRate = rate
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        var members = try #require(
            try JSONSerialization.jsonObject(with: encoder.encode(configuration)) as? [String: Any])
        members["format"] = 2
        try JSONSerialization.data(withJSONObject: members).write(to: run.appending(path: "config.json"))
        try write(metrics, of: name)
    }

    /// Replaces the figures of a run.
    func write(_ metrics: Data, of name: String) throws {
        try metrics.write(to: folder.appending(path: "\(name)/metrics.jsonl"), options: .atomic)
    }

    func remove() { try? FileManager.default.removeItem(at: folder) }

    /// The line of an epoch of 1000 steps.
    static func epoch(_ epoch: Int, trainLoss: Double = 0.5) -> String {
        """
        {"epoch":\(epoch),"event":"epoch","examples_per_sec":100,"seconds":\(epoch),"step":\(1000 * epoch),"test_acc":0.5,\
        "test_loss":1.5,"train_acc":0.6,"train_loss":\(trainLoss),"wall_examples_per_sec":99}

        """
    }

    /// The figures of epochs whose losses these are.
    static func epochs(_ losses: [Double]) -> Data {
        Data(losses.enumerated().map { epoch($0 + 1, trainLoss: $1) }.joined().utf8)
    }
}
