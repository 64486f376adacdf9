import VGGKit

/// Sees pictures as a metric does: those of one size together.
struct PictureComparison {
    /// Pictures that are run at once where nothing is said: more are no faster, as each is large, and take more memory.
    static let defaultBatchSize = 4

    private let maps: LoadedMaps
    private let metric: PerceptualMetric
    /// The side of the square that is compared; nil for whole pictures of their own size.
    private let size: Int?
    private let batchSize: Int
    private let precision: Precision
    private let colours: PictureColours
    /// Of the pictures' size before, which the next ones will mostly have.
    private var distance: PerceptualDistance?

    init(
        _ maps: LoadedMaps, _ metric: PerceptualMetric, size: Int?, batchSize: Int, precision: Precision
    ) {
        (self.maps, self.metric, self.size) = (maps, metric, size)
        (self.batchSize, self.precision) = (batchSize, precision)
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
        for (shape, indices) in groups(of: pictures) {
            let distance = try distance(shape)
            for (index, embedding) in zip(
                indices, try distance.embeddings(of: batch(indices.map { pictures[$0] }, shape)))
            {
                embeddings[index] = embedding
            }
        }
        return embeddings.compactMap(\.self)
    }

    /// The distances of the first picture and the second, the third and the fourth and so on, of which each two have one size.
    /// - Throws: what `PerceptualDistance` throws.
    mutating func distances(ofPairs pictures: [RGBImage]) throws -> [Double] {
        var distances = [Double](repeating: 0, count: pictures.count / 2)
        for (shape, indices) in groups(of: pictures) {
            let found = try distance(shape).distances(ofPairs: batch(indices.map { pictures[$0] }, shape))
            for (pair, distance) in found.enumerated() {
                distances[indices[2 * pair] / 2] = try finite(distance)
            }
        }
        return distances
    }

    /// - Throws: `FileError` if the distance is none, which is the weights' fault.
    func finite(_ distance: Double) throws(FileError) -> Double {
        try TrainedModel.checkFinite(CollectionOfOne(Float(distance)), of: maps.path)
        return distance
    }

    /// Which pictures have the same size.
    private func groups(of pictures: [RGBImage]) -> [(key: Shape, value: [Int])] {
        Dictionary(grouping: pictures.indices) {
            Shape.map(channels: colours.channels, height: pictures[$0].height, width: pictures[$0].width)
        }.sorted { $0.value[0] < $1.value[0] }
    }

    private func batch(_ pictures: [RGBImage], _ shape: Shape) throws -> ImageBatch {
        let (height, width) = (shape.dimensions[1], shape.dimensions[2])
        let values = try pictures.flatMap {
            try colours.input(of: colours.numbers(of: $0), height: height, width: width).values
        }
        return try ImageBatch(values, count: pictures.count, shape: shape)
    }

    private mutating func distance(_ shape: Shape) throws -> PerceptualDistance {
        if let distance, distance.input == shape { return distance }
        // Two sizes at a time would be twice the memory.
        distance = nil
        let made = try maps.fitting {
            try PerceptualDistance(
                metric, maps.network, weights: maps.weights, height: shape.dimensions[1],
                width: shape.dimensions[2], batchSize: batchSize, precision: precision,
                device: maps.device)
        }
        distance = made
        embeddingCount = made.count
        return made
    }
}
