import VGGKit

/// Sees pictures as a metric does: those of one size together.
struct PictureComparison {
    private let maps: LoadedMaps
    private let metric: PerceptualMetric
    /// The side of the square that is compared; nil for whole pictures of their own size.
    private let size: Int?
    private let batchSize: Int
    private let colours: PictureColours
    /// Of the pictures' size before, which the next ones will mostly have.
    private var distance: PerceptualDistance?

    init(_ maps: LoadedMaps, _ metric: PerceptualMetric, size: Int?, batchSize: Int) {
        (self.maps, self.metric, self.size, self.batchSize) = (maps, metric, size, batchSize)
        colours = PictureColours(maps.preprocessing)
    }

    /// Numbers of a picture's embedding.
    private(set) var embeddingCount = 0

    /// The picture of a file, of which the middle is cut out where a size was asked for.
    /// - Throws: `FileError` that names the file.
    func picture(_ file: String) throws -> RGBImage {
        let picture = try RGBImage(named: file)
        guard let size else { return picture }
        return try Preprocessing.plain(size).crop(picture)
    }

    /// - Throws: what `PerceptualDistance` throws.
    mutating func embeddings(of pictures: [RGBImage]) throws -> [PictureEmbedding] {
        var embeddings = [PictureEmbedding?](repeating: nil, count: pictures.count)
        let groups = Dictionary(grouping: pictures.indices) {
            Shape.map(channels: colours.channels, height: pictures[$0].height, width: pictures[$0].width)
        }
        for (shape, indices) in groups.sorted(by: { $0.value[0] < $1.value[0] }) {
            let (height, width) = (shape.dimensions[1], shape.dimensions[2])
            let distance = try distance(height: height, width: width, count: indices.count)
            let values = try indices.flatMap { index in
                try colours.input(of: colours.numbers(of: pictures[index]), height: height, width: width)
                    .values
            }
            let batch = try ImageBatch(values, count: indices.count, shape: shape)
            for (index, embedding) in zip(indices, try distance.embeddings(of: batch)) {
                embeddings[index] = embedding
            }
        }
        return embeddings.compactMap(\.self)
    }

    private mutating func distance(height: Int, width: Int, count: Int) throws -> PerceptualDistance {
        let shape = Shape.map(channels: colours.channels, height: height, width: width)
        if let distance, distance.input == shape { return distance }
        // Two sizes at a time would be twice the memory.
        distance = nil
        let made = try maps.fitting {
            try PerceptualDistance(
                metric, maps.network, weights: maps.weights, height: height, width: width,
                batchSize: batchSize, device: maps.device)
        }
        distance = made
        embeddingCount = made.count
        return made
    }
}
