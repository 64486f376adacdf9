import VGGData
import VGGEngine
import VGGModel

extension Executor {
    /// Tests the network in inference mode.
    /// - Parameters:
    ///   - size: the width and height the images are resized to, in pixels.
    ///   - batchSize: at most the plan's.
    ///   - shouldGoOn: told, before each batch, how many examples are done; false stops the test.
    /// - Returns: the sums over all examples; nil if stopped.
    public func evaluate(
        _ dataset: ImageDataset, size: Int, batchSize: Int,
        shouldGoOn: (Int) -> Bool = { _ in true }
    ) -> BatchMetrics? {
        var total: BatchMetrics?
        let loader = BatchLoader(dataset, height: size, width: size, batchSize: batchSize)
        for batch in loader {
            guard shouldGoOn(total?.count ?? 0) else { return nil }
            var sums = evaluate(images: batch.images, labels: batch.labels)
            if let total {
                sums.lossSum += total.lossSum
                sums.correct += total.correct
                sums.count += total.count
            }
            total = sums
        }
        return total
    }
}

extension ModelSpecification {
    /// - Throws: `TrainingError.dataMismatch` if the model cannot take the images or has too few classes.
    public func check(_ dataset: ImageDataset) throws {
        guard dataset.count > 0 else {
            throw TrainingError.dataMismatch(data: dataset.name, reason: "it has no examples")
        }
        let channels = dataset.channels
        guard channels == inChannels else {
            throw TrainingError.dataMismatch(
                data: dataset.name,
                reason:
                    "its images have \(channels) channel\(channels == 1 ? "" : "s"); use --in-channels \(channels)"
            )
        }
        guard dataset.classNames.count <= classes else {
            throw TrainingError.dataMismatch(
                data: dataset.name,
                reason:
                    "it has \(dataset.classNames.count) classes; use --classes \(dataset.classNames.count)")
        }
    }
}
