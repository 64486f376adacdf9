import VGGKit

extension ContactSheet {
    /// What a network sees of an image of each of the first classes: in its first column as in a test, then as in the
    /// first epochs of a training, where these images are a batch.
    init(
        augmentationsOf dataset: ImageDataset, _ preprocessing: Preprocessing, _ augmentation: Augmentation,
        _ mixing: MixingSettings?, seed: UInt64, columns: Int = 10, classes: Int = 10
    ) throws {
        let examples = (0..<min(classes, dataset.classNames.count)).compactMap { label in
            dataset.labels.firstIndex(of: UInt16(label))
        }
        var preparation = dataset.preparation(preprocessing)
        let photos = try examples.map { try dataset.images.pixels(at: $0, alpha: preparation.alpha) }
        let (size, channels) = (preprocessing.size, preprocessing.channels.count)
        let count = channels * size * size
        let batches = (0..<columns).map { column -> [Float] in
            let epoch = column - 1
            preparation.augmentation = column == 0 ? nil : augmentation
            var batch = zip(examples, photos).flatMap { example, pixels in
                preparation.input(
                    from: pixels, draw: ExampleDraw(seed: seed, epoch: epoch, example: example)
                ).values
            }
            if column > 0, let mixing = mixing?.mixing(in: epoch) {
                mixing.mixtures(
                    BatchDraws(seed: seed, epoch: epoch, batch: 0), count: examples.count, height: size,
                    width: size
                ).mix(&batch, channels: channels, height: size, width: size)
            }
            return batch
        }
        let items = examples.indices.flatMap { row in
            (0..<columns).map { column in
                Item(
                    batches[column][row * count..<(row + 1) * count], by: preprocessing,
                    caption: column == 0
                        ? dataset.classNames[Int(dataset.labels[examples[row]])] : "epoch \(column)")
            }
        }
        self.init(items, columns: columns, scale: max(1, 84 / size))
    }
}

extension ContactSheet.Item {
    /// A network's input as the picture that it was made of.
    /// - Parameter input: of one image.
    init(_ input: ArraySlice<Float>, by preprocessing: Preprocessing, caption: String) {
        let channels = preprocessing.channels.count
        let plane = input.count / channels
        let whole: Float = preprocessing.range == .unit ? 255 : 1
        let pixels = (0..<plane).flatMap { place in
            (0..<channels).map { channel in
                let own = preprocessing.channels == .bgr ? channels - 1 - channel : channel
                let value =
                    input[input.startIndex + own * plane + place] * preprocessing.std[own]
                    + preprocessing.mean[own]
                return UInt8(min(max((value * whole).rounded(), 0), 255))
            }
        }
        self.init(
            pixels: pixels, width: preprocessing.size, height: preprocessing.size, channels: channels,
            caption: caption)
    }
}
