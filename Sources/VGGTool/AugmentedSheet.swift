import VGGKit

extension ContactSheet {
    /// What a network sees of an image of each of the first classes: in its first column as in a test, then as in the
    /// first epochs of a training.
    init(
        augmentationsOf dataset: ImageDataset, _ preprocessing: Preprocessing, _ augmentation: Augmentation,
        seed: UInt64, columns: Int = 10, classes: Int = 10
    ) throws {
        var items: [Item] = []
        for label in 0..<min(classes, dataset.classNames.count) {
            guard let example = dataset.labels.firstIndex(of: UInt16(label)) else { continue }
            var preparation = dataset.preparation(preprocessing)
            let pixels = try dataset.images.pixels(at: example, alpha: preparation.alpha)
            for column in 0..<columns {
                preparation.augmentation = column == 0 ? nil : augmentation
                let draw = ExampleDraw(seed: seed, epoch: column - 1, example: example)
                let caption = column == 0 ? dataset.classNames[label] : "epoch \(column)"
                items.append(
                    Item(preparation.input(from: pixels, draw: draw), by: preprocessing, caption: caption))
            }
        }
        let size = preprocessing.size
        self.init(items, columns: columns, scale: max(1, 84 / size))
    }
}

extension ContactSheet.Item {
    /// A network's input as the picture that it was made of.
    /// - Parameter input: of one image.
    init(_ input: ImageBatch, by preprocessing: Preprocessing, caption: String) {
        let channels = preprocessing.channels.count
        let plane = input.values.count / channels
        let whole: Float = preprocessing.range == .unit ? 255 : 1
        let pixels = (0..<plane).flatMap { place in
            (0..<channels).map { channel in
                let own = preprocessing.channels == .bgr ? channels - 1 - channel : channel
                let value =
                    input.values[own * plane + place] * preprocessing.std[own] + preprocessing.mean[own]
                return UInt8(min(max((value * whole).rounded(), 0), 255))
            }
        }
        self.init(
            pixels: pixels, width: preprocessing.size, height: preprocessing.size, channels: channels,
            caption: caption)
    }
}
