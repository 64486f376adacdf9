import VGGEngine
import VGGImages
import VGGModel
import VGGPerception

/// How alike pictures look to a served model. For one thread at a time; what was made for pictures of the last size is kept
/// beside the model's memory, if they are not large.
final class PictureDistances {
    /// A picture, no larger than it is compared.
    struct Shrunk: Sendable {
        /// Of the picture as it came.
        private let height, width: Int
        private let whole, square: RGBImage

        /// - Parameter size: the longer side at most, and the side of the square.
        init(_ picture: RGBImage, size: Int) throws {
            (self.height, self.width) = (picture.height, picture.width)
            let (height, width) = picture.sides(withLonger: min(size, max(picture.height, picture.width)))
            whole = picture.resized(height: height, width: width)
            square = try Preprocessing.plain(size).crop(picture)
        }

        /// Both whole where they are of one size, else the squares in their middle.
        static func alike(_ one: Shrunk, _ other: Shrunk) -> [RGBImage] {
            (one.height, one.width) == (other.height, other.width)
                ? [one.whole, other.whole] : [one.square, other.square]
        }
    }

    private let maps: PictureMaps
    private let metrics: [(name: String, metric: PerceptualMetric)]
    private let colours: PictureColours
    private let device: Device
    /// Numbers of a picture of the usual size: for one of 1024 pixels it would be gigabytes.
    private static let mostKept = 3 * 256 * 256
    private var kept: (input: Shape, distances: [(name: String, distance: PerceptualDistance)])?

    init(_ maps: PictureMaps, linear: LPIPSWeights?, device: Device) {
        (self.maps, self.device) = (maps, device)
        metrics = maps.metrics(linear)
        colours = PictureColours(maps.preprocessing)
    }

    /// - Parameter pictures: two of one size.
    /// - Throws: `APIError` if they are too small, there is no memory or the distance is not finite.
    func json(_ pictures: [RGBImage]) throws -> JSON {
        let (height, width) = (pictures[0].height, pictures[0].width)
        var answer: [String: JSON] = ["height": .number(Double(height)), "width": .number(Double(width))]
        do {
            let values = try pictures.flatMap {
                try colours.input(of: colours.numbers(of: $0), height: height, width: width).values
            }
            let input = Shape.map(channels: colours.channels, height: height, width: width)
            let batch = try ImageBatch(values, count: pictures.count, shape: input)
            for (name, distance) in try distances(of: input) {
                let seen = try distance.embeddings(of: batch)
                answer[name] = try Self.json(distance, seen[0], seen[1])
            }
        } catch {
            throw PictureMaps.problem(error)
        }
        return .object(answer)
    }

    private func distances(of input: Shape) throws -> [(name: String, distance: PerceptualDistance)] {
        if let kept, kept.input == input { return kept.distances }
        // Two sizes at a time would be twice the memory.
        kept = nil
        let made = try metrics.map { name, metric in
            (
                name,
                try PerceptualDistance(
                    metric, maps.network, weights: maps.weights, height: input.dimensions[1],
                    width: input.dimensions[2], batchSize: 2, device: device)
            )
        }
        if input.count <= Self.mostKept { kept = (input, made) }
        return made
    }

    private static func json(
        _ distance: PerceptualDistance, _ one: PictureEmbedding, _ other: PictureEmbedding
    ) throws -> JSON {
        let whole = one.distance(to: other)
        guard whole.isFinite else {
            throw APIError.invalid("the network's answer to these pictures is not finite")
        }
        return [
            "distance": .number(whole),
            "layers": .array(
                distance.layers(of: one, other).map {
                    ["layer": .string($0.name), "distance": .number($0.distance)]
                }),
        ]
    }
}
