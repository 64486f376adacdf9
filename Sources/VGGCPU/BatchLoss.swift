import CVGGKernels
import VGGEngine
import VGGModel

extension Workers {
    /// The loss of a batch from its logits.
    /// - Parameters:
    ///   - logits: of each image `classes`.
    ///   - stride: from one image's to the next's.
    ///   - gradient: that of the logits of the batch's mean loss, [count, classes]; nil where nobody needs it.
    func loss(
        logits: UnsafePointer<Float>, stride: Int, classes: Int, labels: [Int32], partners: [MixingPartner]?,
        _ pass: Pass, gradient: UnsafeMutablePointer<Float>?
    ) -> BatchMetrics {
        let scale = pass.loss.scale(of: labels, in: pass.node)
        let weights = pass.loss.classWeights ?? []
        var results = [(loss: Double, isCorrect: Bool)](repeating: (0, false), count: labels.count)
        weights.withUnsafeBufferPointer { weights in
            results.withUnsafeMutableBufferPointer { results in
                // Each task writes its image's.
                nonisolated(unsafe) let (results, weights) = (results, weights)
                run(labels.count) { image, _ in
                    let logits = UnsafeBufferPointer(start: logits + image * stride, count: classes)
                    let (label, partner) = (labels[image], partners?[image])
                    var target = vgg_target(
                        label: label, partner: partner?.label ?? label, share: partner?.share ?? 0,
                        smoothing: pass.loss.smoothing, weights: weights.isEmpty ? nil : weights.baseAddress)
                    let loss = vgg_softmax_cross_entropy(
                        logits.baseAddress, classes, &target, Float(scale),
                        gradient.map { $0 + image * classes })
                    let best = logits.indices.max { logits[$0] < logits[$1] }
                    results[image] = (loss, best == Int(partner?.larger(than: label) ?? label))
                }
            }
        }
        return pass.metrics(results, labels: labels)
    }
}
