import Foundation
import VGGEngine
import VGGModel

/// What a network is shown of each picture when it is asked what that is: the picture as it is, and besides, as
/// test-time augmentation, mirrored and moved by some pixels. Its answer is then the mean of the probabilities.
///
///     let logits = ImageViews(mirrors: true, shift: 1).logits(of: images, by: executor)
public struct ImageViews: Hashable, Sendable {
    /// One view of a picture.
    struct View: Hashable, Sendable {
        /// By how many pixels it is moved down and to the right; its edge pixels are repeated where it leaves a gap.
        var rows = 0
        var columns = 0
        /// Whether it is then mirrored left to right.
        var isMirrored = false
    }

    /// Whether each view is also shown mirrored left to right.
    public var mirrors: Bool
    /// By how many pixels the picture is also moved up, down, left and right; 0 for not at all.
    public var shift: Int

    /// - Precondition: `shift` is not negative.
    public init(mirrors: Bool = false, shift: Int = 0) {
        precondition(shift >= 0, "a shift of \(shift) pixels is none")
        self.mirrors = mirrors
        self.shift = shift
    }

    /// The picture as it is comes first.
    var all: [View] {
        let moved =
            [View()]
            + (shift > 0
                ? [(-shift, 0), (shift, 0), (0, -shift), (0, shift)].map { View(rows: $0, columns: $1) } : [])
        return moved
            + (mirrors ? moved.map { View(rows: $0.rows, columns: $0.columns, isMirrored: true) } : [])
    }

    /// Numbers that a softmax, or of a single output a sigmoid, makes the mean of the views' probabilities: of one view
    /// the network's logits, of more the logarithms of that mean.
    /// - Returns: [count, classes].
    public func logits(of images: ImageBatch, by executor: Executor) -> [Float] {
        let views = all
        guard views.count > 1 else { return executor.logits(images) }
        return Self.mean(
            views.map { executor.logits(images.seen($0)) }, outputs: executor.plan.network.output.count)
    }

    /// - Parameter answers: logits `[count, outputs]` of each view.
    static func mean(_ answers: [[Float]], outputs: Int) -> [Float] {
        let images = (answers.first?.count ?? 0) / outputs
        return (0..<images).flatMap { image in
            let own = image * outputs..<(image + 1) * outputs
            let views = answers.map { Prediction.probabilities($0[own]) }
            let sums = views[0].indices.map { place in views.reduce(0) { $0 + $1[place] } }
            // A class that is out of the question still has a finite logarithm.
            let logarithms = sums.map { log(max($0 / Double(views.count), .leastNormalMagnitude)) }
            return outputs == 1 ? [Float(logarithms[1] - logarithms[0])] : logarithms.map { Float($0) }
        }
    }
}

extension ImageBatch {
    /// A view of each image.
    func seen(_ view: ImageViews.View) -> ImageBatch {
        guard view != ImageViews.View(), case .map(_, let height, let width) = shape else { return self }
        // Where each column comes from.
        let columns = (0..<width).map { column in
            let own = view.isMirrored ? width - 1 - column : column
            return min(max(own - view.columns, 0), width - 1)
        }
        var seen: [Float] = []
        seen.reserveCapacity(values.count)
        for plane in stride(from: 0, to: values.count, by: height * width) {
            for row in 0..<height {
                let start = plane + min(max(row - view.rows, 0), height - 1) * width
                for column in columns { seen.append(values[start + column]) }
            }
        }
        return ImageBatch(checked: seen, count: count, shape: shape, labels: labels)
    }
}
