import Foundation
import Testing
import VGGData
import VGGFiles
import VGGInference
import VGGTestSupport
import VGGTraining

/// Figures of a test beside loss and accuracy, as scikit-learn has them (Scripts/goldens/report.py).
@Suite struct ReportTests {
    struct Golden: Decodable {
        let labels: [Int]
        let logits: [[Float]]
        let confusion: [[Int]]
        let accuracy: Double
        let topFive: Double
        /// Precision, recall, F1 and support of each class.
        let scores: [[Double]]
        let macro: [Double]
        let weighted: [Double]
        /// Examples, the one with the highest loss first.
        let worst: [Int]
        let worstProbabilities: [Double]
    }

    let golden: Golden
    let report: EvaluationReport

    init() throws {
        let url = Bundle.module.bundleURL.appending(path: "Goldens/report.json")
        let golden = try JSONText.decode(Golden.self, from: String(contentsOf: url, encoding: .utf8))
        var report = EvaluationReport(classes: golden.scores.count)
        for start in stride(from: 0, to: golden.labels.count, by: 64) {
            let part = start..<min(start + 64, golden.labels.count)
            report.add(
                examples: Array(part), labels: part.map { Int32(golden.labels[$0]) },
                logits: part.flatMap { golden.logits[$0] })
        }
        (self.golden, self.report) = (golden, report)
    }

    private func figures(_ scores: ClassScores) -> [Double] {
        [scores.precision, scores.recall, scores.f1Score, Double(scores.support)]
    }

    @Test func figuresAreScikitLearns() {
        let confusion = report.confusion
        #expect(confusion.rows == golden.confusion && confusion.total == golden.labels.count)
        expectClose([confusion.accuracy], [golden.accuracy], tolerance: 1e-12, "accuracy")
        for (number, (scores, expected)) in zip(confusion.scores, golden.scores).enumerated() {
            expectClose(figures(scores), expected, tolerance: 1e-12, "class \(number)")
        }
        expectClose(figures(confusion.macroAverage), golden.macro, tolerance: 1e-12, "macro average")
        expectClose(figures(confusion.weightedAverage), golden.weighted, tolerance: 1e-12, "weighted average")
        expectClose([report.topFiveAccuracy ?? .nan], [golden.topFive], tolerance: 1e-12, "top 5")
    }

    @Test func theWorstMistakesComeFirst() {
        let worst = report.worstMistakes(12)
        #expect(worst.map(\.example) == golden.worst)
        expectClose(
            worst.map(\.actualProbability), golden.worstProbabilities, tolerance: 1e-6, "probabilities")
        #expect(worst.allSatisfy { $0.actual != $0.guess && $0.probability > $0.actualProbability })
        #expect(report.worstMistakes(1000).count == golden.labels.count - Int(golden.accuracy * 200 + 0.5))
        let pairs = report.confusion.mistakes(most: 3)
        #expect(pairs.count == 3 && pairs[0].count >= pairs[1].count && pairs[1].count >= pairs[2].count)
        #expect(
            pairs.allSatisfy { $0.count == golden.confusion[$0.actual][$0.guess] && $0.actual != $0.guess })
    }

    /// The first of equal ones counts, as in the accuracy; of a single output half and half is the second class.
    @Test func tiesAreBrokenAsInTheAccuracy() {
        var two = EvaluationReport(classes: 2)
        two.add(examples: [0, 1], labels: [0, 1], logits: [1, 1, 1, 1])
        #expect(two.confusion.rows == [[1, 0], [1, 0]] && two.topFiveAccuracy == nil)
        #expect(two.worstMistakes(9).map(\.example) == [1])
        var single = EvaluationReport(classes: 2)
        single.add(examples: [5, 6, 7], labels: [0, 1, 1], logits: [0, 3, -2])
        #expect(single.confusion.rows == [[0, 1], [1, 1]])
        expectClose(single.worstMistakes(1).map(\.actualProbability), [1 / (1 + exp(2.0))], "sigmoid")
    }
}
