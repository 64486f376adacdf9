import VGGKit

extension ContactSheet {
    /// The first samples of each class, a row for each.
    init(samplesOf dataset: ImageDataset, perClass: Int = 10) throws {
        var rows = [[Item]](repeating: [], count: dataset.classNames.count)
        for (index, label) in dataset.labels.enumerated() where rows[Int(label)].count < perClass {
            rows[Int(label)].append(
                Item(
                    pixels: Array(try dataset.pixels(at: index)), width: dataset.width,
                    height: dataset.height, channels: dataset.channels,
                    caption: dataset.classNames[Int(label)]))
        }
        self.init(rows.flatMap { $0 }, columns: perClass, scale: max(1, 84 / dataset.width))
    }
}
