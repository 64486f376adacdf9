import Foundation
import Synchronization
import VGGData
import VGGEngine
import VGGInference
import VGGModel
import VGGTraining

/// Where a model errs: a test of all its test images, made once when somebody asks.
final class ErrorsService: Sendable {
    private enum Progress: Sendable {
        case none
        case running(done: Int, of: Int)
        case done(Outcome)
        case failed(String)
    }

    private struct Outcome: Sendable {
        let test: TestSet
        let report: EvaluationReport
        let loss: Double
        /// The answer to each image, and what the network gave it.
        let answers: [Int: (guess: Int, probability: Double)]
    }

    private let progress = Mutex(Progress.none)
    private let queue = DispatchQueue(label: "VGGServer.Errors", qos: .utility)
    private let model: TrainedModel
    private let predictor: Predictor
    private let settings: ServerSettings
    private let test: Lane<TestSet>

    init(_ model: TrainedModel, _ predictor: Predictor, _ settings: ServerSettings, _ test: Lane<TestSet>) {
        (self.model, self.predictor, self.settings, self.test) = (model, predictor, settings, test)
    }

    /// How far the test is, or what it showed; the first question starts it.
    func answer() async throws -> JSON {
        let isFirst = progress.withLock { progress in
            guard case .none = progress else { return false }
            progress = .running(done: 0, of: 0)
            return true
        }
        if isFirst {
            do {
                start(try await test.run { $0 })
            } catch {
                // The data may be there next time.
                progress.withLock { $0 = .none }
                throw error
            }
        }
        switch progress.withLock({ $0 }) {
        case .none: return ["state": "running", "done": 0, "of": 0]
        case .running(let done, let count):
            return ["state": "running", "done": .number(Double(done)), "of": .number(Double(count))]
        case .failed(let reason): return ["state": "failed", "error": .string(reason)]
        case .done(let outcome): return Self.json(outcome)
        }
    }

    private func start(_ test: TestSet) {
        queue.async { [self] in
            do {
                let outcome = try evaluate(test)
                progress.withLock { $0 = .done(outcome) }
            } catch {
                progress.withLock { $0 = .failed("\(error)") }
            }
        }
    }

    private func evaluate(_ test: TestSet) throws -> Outcome {
        let batchSize = 32
        let executor = try model.executor(
            for: predictor.network, batchSize: batchSize, precision: settings.precision,
            device: settings.device)
        let classes = predictor.network.output.count
        var report = EvaluationReport(classes: max(classes, 2))
        var answers: [Int: (guess: Int, probability: Double)] = [:]
        let sums = try executor.evaluate(
            BatchLoader(test.images, test.preparation, batchSize: batchSize),
            shouldGoOn: { done in
                self.progress.withLock { $0 = .running(done: done, of: test.images.count) }
                return true
            },
            visit: { batch, logits in
                report.add(batch, logits: logits)
                let examples = batch.examples.filter { batch.problems[$0] == nil }
                for (place, example) in examples.enumerated() {
                    let own = Array(logits[place * classes..<(place + 1) * classes])
                    let names = (0..<max(classes, 2)).map { "\($0)" }
                    guard let best = Prediction(logits: own, names: names, top: 1).top.first else { continue }
                    answers[example] = (best.label, best.probability)
                }
            })
        guard let sums else { throw CancellationError() }
        try executor.checkDevice()
        try model.checkFinite([Float(sums.lossSum)])
        return Outcome(test: test, report: report, loss: sums.meanLoss, answers: answers)
    }

    private static func json(_ outcome: Outcome) -> JSON {
        let confusion = outcome.report.confusion
        let surest = outcome.report.worstMistakes(.max).sorted { $0.probability > $1.probability }.prefix(24)
        return [
            "state": "done", "accuracy": .number(confusion.accuracy), "loss": .number(outcome.loss),
            "count": .number(Double(confusion.total)),
            "classes": .array(outcome.test.images.classNames.map(JSON.string)),
            "matrix": .array(confusion.rows.map(JSON.integers)),
            "scores": .array(
                confusion.scores.map {
                    [
                        "precision": .number($0.precision), "recall": .number($0.recall),
                        "f1": .number($0.f1Score), "support": .number(Double($0.support)),
                    ]
                }),
            "surest": .array(
                surest.compactMap { mistake in
                    try? outcome.test.json(
                        mistake.example,
                        [
                            "guess": .string(outcome.test.images.classNames[mistake.guess]),
                            "probability": .number(mistake.probability),
                        ])
                }),
        ]
    }

    /// The images of a cell of the confusion matrix, the surest answers first.
    /// - Parameter count: at most so many.
    /// - Throws: `APIError` if the test is not done.
    func cell(actual: Int, guess: Int, count: Int) throws -> JSON {
        guard case .done(let outcome) = progress.withLock({ $0 }) else {
            throw APIError.busy("the test is not done yet")
        }
        let found = outcome.answers.filter {
            $0.value.guess == guess && Int(outcome.test.images.labels[$0.key]) == actual
        }.sorted { ($1.value.probability, $0.key) < ($0.value.probability, $1.key) }
        return [
            "count": .number(Double(found.count)),
            "examples": .array(
                try found.prefix(count).map {
                    try outcome.test.json($0.key, ["probability": .number($0.value.probability)])
                }),
        ]
    }
}
