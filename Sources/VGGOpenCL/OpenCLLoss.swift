import VGGEngine
import VGGModel

/// What makes a batch's loss on the device: the images' labels, which come there with them, and what the kernel says of each image.
final class OpenCLLoss {
    /// Bytes of each of its buffers.
    struct Layout {
        /// Three numbers an image: its class, its partner's, and the partner's share.
        let targets: Int
        /// Two numbers an image: its loss, and whether it is recognised.
        let results: Int
        let classWeights: Int

        var total: Int { 2 * targets + results + classWeights }

        init(batchSize: Int, classes: Int) {
            let number = Element.float32.size
            targets = 3 * batchSize * number
            results = 2 * batchSize * number
            classWeights = classes * number
        }
    }

    private let queue: OpenCLQueue
    private let classes: Int
    /// Of the batch that came last; the targets themselves may be in use when they come.
    let arriving: OpenCLBuffer
    private let targets: OpenCLBuffer
    private let results: OpenCLBuffer
    private let classWeights: OpenCLBuffer
    /// Those that the device has.
    private var knownWeights: [Float] = []

    /// - Throws: `PlanError.outOfMemory`.
    init(_ layout: Layout, classes: Int, _ queue: OpenCLQueue) throws(PlanError) {
        self.queue = queue
        self.classes = classes
        arriving = try OpenCLBuffer(bytes: layout.targets, queue.context, queue)
        targets = try OpenCLBuffer(bytes: layout.targets, queue.context, queue)
        results = try OpenCLBuffer(bytes: layout.results, queue.context, queue)
        classWeights = try OpenCLBuffer(bytes: layout.classWeights, queue.context, queue)
    }

    /// What the kernel reads of a batch's labels. As floats classes are exact up to 2²⁴.
    static func targets(of images: ImageBatch) -> [Float] {
        (images.labels ?? []).enumerated().flatMap { image, label in
            let partner = images.partners?[image]
            return [Float(label), Float(partner?.label ?? label), partner?.share ?? 0]
        }
    }

    /// Takes what has arrived.
    func takeTargets() { queue.copy(arriving, to: targets) }

    /// - Parameter gradient: where that of the logits goes; nil where nobody needs it.
    func metrics(
        of logits: OpenCLBuffer, labels: [Int32], _ pass: Pass, gradient: OpenCLBuffer?
    ) -> PendingMetrics {
        let (loss, smoothing) = (pass.loss, pass.loss.smoothing)
        let scale = Float(loss.scale(of: labels, in: pass.node))
        if let weights = loss.classWeights, weights != knownWeights {
            queue.write(weights, to: classWeights)
            knownWeights = weights
        }
        queue.sums(
            "cross_entropy", labels.count, 1, Int32(classes), 1 - smoothing, smoothing / Float(classes),
            scale, loss.classWeights == nil ? nil : classWeights, targets, logits, gradient, results)
        let numbers = queue.readLater(2 * labels.count, from: results)
        return PendingMetrics {
            let numbers = numbers.wait()
            let results = labels.indices.map { (Double(numbers[2 * $0]), numbers[2 * $0 + 1] == 1) }
            return pass.metrics(results, labels: labels)
        }
    }
}
