import Foundation
import VGGData
import VGGEngine
import VGGFiles
import VGGInference
import VGGModel

extension Executor {
    /// Tests the network in inference mode.
    /// - Parameters:
    ///   - examples: with labels, in batches of at most the plan's size.
    ///   - views: what the network is shown of each image; of several the mean of the probabilities counts.
    ///   - shouldGoOn: told, before each batch, how many examples are done; false stops the test.
    ///   - visit: called with each batch that has images, and the logits of these, [count, classes].
    ///
    /// A network of one output is tested as PyTorch's `BCEWithLogitsLoss` trains it: a sigmoid makes the output the
    /// probability of class 1, and what is at least 0.5 is taken for it.
    /// - Returns: the sums over all examples; nil if stopped.
    /// - Throws: `FileError` if an image is a file that cannot be read.
    public func evaluate(
        _ examples: BatchLoader, views: ImageViews = ImageViews(), shouldGoOn: (Int) -> Bool = { _ in true },
        visit: (LoadedBatch, [Float]) -> Void = { _, _ in }
    ) throws(FileError) -> BatchMetrics? {
        var total: BatchMetrics?
        for batch in examples {
            guard shouldGoOn(total?.count ?? 0) else { return nil }
            if let problem = batch.firstProblem { throw problem }
            guard let images = batch.images else { continue }
            var (sums, logits) = test(images, views)
            visit(batch, logits)
            if let total { sums.add(total) }
            total = sums
        }
        return total
    }

    /// Tests the network with a batch.
    package func test(_ images: ImageBatch, _ views: ImageViews) -> (metrics: BatchMetrics, logits: [Float]) {
        let isSingle = plan.network.output.count == 1
        guard isSingle || views != ImageViews() else {
            return evaluateWithLogits(images)
        }
        let logits = views.logits(of: images, by: self)
        let labels = images.labels ?? []
        return (isSingle ? Self.binary(logits, labels) : Self.crossEntropy(logits, labels), logits)
    }

    /// The cross-entropy and right answers of logits, [count, classes].
    private static func crossEntropy(_ logits: [Float], _ labels: [Int32]) -> BatchMetrics {
        var metrics = BatchMetrics(lossSum: 0, correct: 0, count: labels.count)
        let classes = logits.count / max(labels.count, 1)
        for (image, label) in labels.enumerated() {
            let own = logits[image * classes..<(image + 1) * classes]
            let best = own.indices.max { own[$0] < own[$1] } ?? 0
            let largest = Double(own[best])
            metrics.lossSum +=
                log(own.reduce(0) { $0 + exp(Double($1) - largest) }) + largest
                - Double(own[own.startIndex + Int(label)])
            if best - own.startIndex == Int(label) { metrics.correct += 1 }
        }
        return metrics
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
