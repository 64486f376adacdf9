import VGGKit

extension ContactSheet {
    /// The first samples of each class, a row for each of the first classes; photos as small pictures.
    init(samplesOf dataset: ImageDataset, perClass: Int = 10, classes: Int = 100) throws {
        let size = 84
        let small = Preparation(try .plain(size))
        var rows = [[Item]](repeating: [], count: min(dataset.classNames.count, classes))
        for (index, label) in dataset.labels.enumerated()
        where Int(label) < rows.count && rows[Int(label)].count < perClass {
            let whole = try dataset.images.pixels(at: index)
            let pixels = dataset.hasPhotos ? small.framed(whole) : whole
            rows[Int(label)].append(
                Item(
                    pixels: Array(pixels.bytes), width: pixels.width, height: pixels.height,
                    channels: pixels.channels, caption: dataset.classNames[Int(label)]))
        }
        let items = rows.flatMap { $0 }
        self.init(items, columns: perClass, scale: max(1, size / (items.first?.width ?? size)))
    }
}
