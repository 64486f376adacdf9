import Foundation
import VGGData
import VGGEngine
import VGGFiles

extension Executor {
    /// Tests the network in inference mode.
    /// - Parameters:
    ///   - examples: with labels, in batches of at most the plan's size.
    ///   - shouldGoOn: told, before each batch, how many examples are done; false stops the test.
    ///
    /// A network of one output is tested as PyTorch's `BCEWithLogitsLoss` trains it: a sigmoid makes the output the
    /// probability of class 1, and what is at least 0.5 is taken for it.
    /// - Returns: the sums over all examples; nil if stopped.
    /// - Throws: `FileError` if an image is a file that cannot be read.
    public func evaluate(
        _ examples: BatchLoader, shouldGoOn: (Int) -> Bool = { _ in true }
    ) throws(FileError) -> BatchMetrics? {
        var total: BatchMetrics?
        for batch in examples {
            guard shouldGoOn(total?.count ?? 0) else { return nil }
            if let problem = batch.firstProblem { throw problem }
            guard let images = batch.images else { continue }
            var sums =
                plan.network.output.count == 1
                ? Self.binary(logits(images), images.labels ?? []) : evaluate(images)
            if let total {
                sums.lossSum += total.lossSum
                sums.correct += total.correct
                sums.count += total.count
            }
            total = sums
        }
        return total
    }

    /// The binary cross-entropy and right answers of logits for class 1.
    /// - Parameter labels: 0 or 1.
    private static func binary(_ logits: [Float], _ labels: [Int32]) -> BatchMetrics {
        var metrics = BatchMetrics(lossSum: 0, correct: 0, count: labels.count)
        for (logit, label) in zip(logits, labels) {
            // log(1 + e^z) without an overflow, z being how much speaks against the label.
            let against = label == 1 ? -Double(logit) : Double(logit)
            metrics.lossSum += max(against, 0) + log1p(exp(-abs(against)))
            if (logit >= 0) == (label == 1) { metrics.correct += 1 }
        }
        return metrics
    }
}
