import VGGData
import VGGInference

/// What a test shows beside loss and accuracy, gathered image by image.
///
///     var report = EvaluationReport(classes: 10)
///     _ = try executor.evaluate(batches, visit: { report.add($0, logits: $1) })
///     print(report.confusion.scores, report.worstMistakes(12))
public struct EvaluationReport: Hashable, Sendable {
    /// An image that was taken for another class than it is of.
    public struct Mistake: Hashable, Sendable {
        /// Its number in the data set.
        public var example: Int
        /// The number of the class that it is of.
        public var actual: Int
        /// That of the class that it was taken for.
        public var guess: Int
        /// What the network gave the guess.
        public var probability: Double
        /// What it gave the class that the image is of.
        public var actualProbability: Double
    }

    /// Of all images so far.
    public private(set) var confusion: ConfusionMatrix
    /// Images whose class is among the five likeliest.
    private var amongFive = 0
    private var mistakes: [Mistake] = []

    /// - Precondition: `classes` is at least 2: a network of one output tells two apart.
    public init(classes: Int) {
        precondition(classes > 1, "one class is nothing to tell apart")
        confusion = ConfusionMatrix(classes: classes)
    }

    /// Counts a batch.
    /// - Parameter logits: `[count, outputs]` of its images, which have labels.
    public mutating func add(_ batch: LoadedBatch, logits: [Float]) {
        guard let labels = batch.images?.labels else { return }
        // Only these have an image.
        add(
            examples: batch.examples.filter { batch.problems[$0] == nil }, labels: labels, logits: logits)
    }

    /// The same for images that some other code has tested.
    package mutating func add(examples: [Int], labels: [Int32], logits: [Float]) {
        let outputs = logits.count / labels.count
        for (place, (example, label)) in zip(examples, labels).enumerated() {
            add(example, Int(label), Array(logits[place * outputs..<(place + 1) * outputs]))
        }
    }

    private mutating func add(_ example: Int, _ label: Int, _ logits: [Float]) {
        // Half and half is the second class of a single output; else the first of equal ones counts, as in the accuracy.
        let scores = logits.count == 1 ? [0, logits[0]] : logits
        let guess =
            logits.count == 1
            ? (logits[0] >= 0 ? 1 : 0) : scores.indices.max { scores[$0] < scores[$1] } ?? 0
        confusion.add(actual: label, guess: guess)
        let rank = scores.indices.count {
            scores[$0] > scores[label] || scores[$0] == scores[label] && $0 < label
        }
        if rank < 5 { amongFive += 1 }
        guard guess != label else { return }
        let probabilities = Prediction.probabilities(logits)
        mistakes.append(
            Mistake(
                example: example, actual: label, guess: guess, probability: probabilities[guess],
                actualProbability: probabilities[label]))
    }

    /// The share of images whose class is among the five likeliest; nil if there are no more than five classes.
    public var topFiveAccuracy: Double? {
        confusion.classes > 5 ? Double(amongFive) / Double(confusion.total) : nil
    }

    /// Those with the highest loss, the worst first.
    public func worstMistakes(_ most: Int) -> [Mistake] {
        Array(
            mistakes.sorted { ($0.actualProbability, $0.example) < ($1.actualProbability, $1.example) }
                .prefix(most))
    }
}
