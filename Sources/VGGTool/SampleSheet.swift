import VGGKit

extension ContactSheet {
    /// The first samples of each class, a row for each of the first classes.
    init(samplesOf dataset: ImageDataset, perClass: Int = 10, classes: Int = 100) throws {
        var rows = [[Item]](repeating: [], count: min(dataset.classNames.count, classes))
        for (index, label) in dataset.labels.enumerated()
        where Int(label) < rows.count && rows[Int(label)].count < perClass {
            rows[Int(label)].append(
                Item(
                    pixels: Array(try dataset.pixels(at: index)), width: dataset.width,
                    height: dataset.height, channels: dataset.channels,
                    caption: dataset.classNames[Int(label)]))
        }
        self.init(rows.flatMap { $0 }, columns: perClass, scale: max(1, 84 / dataset.width))
    }
}
