import VGGImages

extension Array where Element == Mixture? {
    /// Mixes the images of a batch, `[count, channels, height, width]`, each with its partner from the other end.
    /// - Precondition: there is a mixture, or nil, for each image.
    package func mix(_ images: inout [Float], channels: Int, height: Int, width: Int) {
        let size = channels * height * width
        precondition(images.count == count * size, "\(count) mixtures need as many images")
        images.withUnsafeMutableBufferPointer { images in
            for first in 0..<count / 2 {
                let last = count - 1 - first
                let (mine, theirs) = (first * size, last * size)
                mix(images, mine, theirs, self[first], self[last], channels, height, width)
            }
        }
    }

    /// Mixes two images, which begin at these places, with each other.
    private func mix(
        _ images: UnsafeMutableBufferPointer<Float>, _ mine: Int, _ theirs: Int, _ my: Mixture?,
        _ their: Mixture?, _ channels: Int, _ height: Int, _ width: Int
    ) {
        for channel in 0..<channels {
            for row in 0..<height {
                let line = (channel * height + row) * width
                for column in 0..<width {
                    let (a, b) = (images[mine + line + column], images[theirs + line + column])
                    images[mine + line + column] = my.mixed(a, b, row, column)
                    images[theirs + line + column] = their.mixed(b, a, row, column)
                }
            }
        }
    }

    /// What the network is to say about each image, `[count, classes]`, in sums of 1: its class and its partner's
    /// by their shares, less the smoothing, which all classes have alike.
    ///
    /// These are timm's `mixup_target`, and without mixtures (nil) torch's `CrossEntropyLoss(label_smoothing:)`.
    /// - Precondition: there is a label below `classes` for each image.
    package func targets(_ labels: [Int32], classes: Int, smoothing: Float = 0) -> [Float] {
        precondition(labels.count == count, "\(count) mixtures need as many labels")
        precondition(labels.allSatisfy { (0..<classes).contains(Int($0)) }, "a label is below \(classes)")
        let others = smoothing / Float(classes)
        let own = 1 - smoothing + others
        var targets = [Float](repeating: others, count: count * classes)
        for (image, label) in labels.enumerated() {
            let share = self[image]?.share ?? 1
            let partner = labels[count - 1 - image]
            for number in Set([label, partner]) {
                targets[image * classes + Int(number)] =
                    (number == label ? own : others) * share + (number == partner ? own : others)
                    * (1 - share)
            }
        }
        return targets
    }
}

extension Mixture? {
    /// A number of an image, given that of its partner at the same place.
    @inline(__always)
    fileprivate func mixed(_ own: Float, _ partners: Float, _ row: Int, _ column: Int) -> Float {
        switch self {
        case nil: own
        case .blend(let share): own * share + partners * (1 - share)
        case .paste(let window, _):
            (0..<window.height).contains(row - window.top)
                && (0..<window.width).contains(column - window.left)
                ? partners : own
        }
    }
}
