import VGGImages
import VGGModel

extension Array where Element == Mixture? {
    /// Mixes the images of a batch, `[count, channels, height, width]`, each with its partner from the other end.
    /// - Precondition: there is a mixture, or nil, for each image.
    package func mix(_ images: inout [Float], channels: Int, height: Int, width: Int) {
        let size = channels * height * width
        precondition(images.count == count * size, "\(count) mixtures need as many images")
        images.withUnsafeMutableBufferPointer { images in
            for first in 0..<count / 2 {
                let (one, other) = (first, count - 1 - first)
                let (mine, theirs) = (image(one, of: images, size), image(other, of: images, size))
                // The other is mixed with what was there before.
                let before = self[other] == nil ? [] : [Float](mine)
                self[one]?.apply(to: mine, UnsafeBufferPointer(theirs), height: height, width: width)
                before.withUnsafeBufferPointer {
                    self[other]?.apply(to: theirs, $0, height: height, width: width)
                }
            }
        }
    }

    private func image(
        _ index: Int, of images: UnsafeMutableBufferPointer<Float>, _ size: Int
    ) -> UnsafeMutableBufferPointer<Float> {
        UnsafeMutableBufferPointer(rebasing: images[index * size..<(index + 1) * size])
    }

    /// What each image is mixed with, and how much of its target is that one's class. With a loss of smoothed targets this
    /// is timm's `mixup_target`.
    /// - Precondition: there is a label for each image.
    package func partners(_ labels: [Int32]) -> [MixingPartner] {
        precondition(labels.count == count, "\(count) mixtures need as many labels")
        return zip(self, labels.reversed()).map { mixture, label in
            MixingPartner(label: label, share: 1 - (mixture?.share ?? 1))
        }
    }
}

extension Mixture {
    /// Mixes an image, `[channels, height, width]`, with its partner.
    fileprivate func apply(
        to image: UnsafeMutableBufferPointer<Float>, _ partner: UnsafeBufferPointer<Float>, height: Int,
        width: Int
    ) {
        switch self {
        case .blend(let share):
            for index in image.indices { image[index] = image[index] * share + partner[index] * (1 - share) }
        case .paste(let window, _):
            for line in stride(from: 0, to: image.count, by: width)
            where (0..<window.height).contains(line / width % height - window.top) {
                for index in line + window.left..<line + window.left + window.width {
                    image[index] = partner[index]
                }
            }
        }
    }
}
