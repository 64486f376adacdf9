extension Pixels {
    /// The garment of a photo as Fashion-MNIST shows one: grey and bright on black, trimmed, and in the middle of a square
    /// whose side is its longer one (Xiao, Rasul & Vollgraf 2017, section 2; there the photos have one light background).
    ///
    /// The background is what most of the picture's edge shows, and may become lighter or darker across it. Where nothing
    /// stands out from it, as where a garment fills the whole picture, the whole picture is taken, negated as there.
    /// A garment is told from its background by colour, but drawn by how much lighter or darker it is.
    public var garment: Pixels {
        let picture = reduced(to: 512).with(channels: 3)
        let background = Background(of: picture)
        guard let found = Silhouette(of: picture, before: background) else {
            let whole = picture.with(channels: 1)
            return whole.making { input, output in
                for place in input.indices { output[place] = 255 - input[place] }
            }.centred(0..<picture.height, 0..<picture.width)
        }
        return picture.contrast(of: found, to: background).centred(found.rows, found.columns)
    }

    /// The same, at most so many pixels long.
    private func reduced(to length: Int) -> Pixels {
        let longer = max(height, width)
        guard longer > length else { return self }
        let newHeight = max(1, height * length / longer)
        let newWidth = max(1, width * length / longer)
        return resized(
            Window(top: 0, left: 0, height: height, width: width), toHeight: newHeight, width: newWidth)
    }

    /// In grey, how far what was found is from the background, as a share of how far it could be, towards black or towards
    /// white: a shoe may be darker, and its sole lighter. The rest is black.
    private func contrast(of found: Silhouette, to background: Background) -> Pixels {
        with(channels: 1).making { grey, output in
            output.initialize(repeating: 0)
            for place in found.places {
                let behind = background.luma(place / width, place % width)
                let lighter = Float(grey[place]) - behind
                let share = lighter < 0 ? -lighter / max(behind, 1) : lighter / max(255 - behind, 1)
                output[place] = UInt8((255 * min(share, 1)).rounded())
            }
        }
    }

    /// These rows and columns in the middle of a black square.
    private func centred(_ rows: Range<Int>, _ columns: Range<Int>) -> Pixels {
        let side = max(rows.count, columns.count)
        return cropped(
            to: Window(
                top: rows.lowerBound, left: columns.lowerBound, height: rows.count, width: columns.count)
        ).cropped(
            to: Window(
                top: -((side - rows.count) / 2), left: -((side - columns.count) / 2), height: side,
                width: side))
    }
}

/// The colour behind what a picture shows: a plane over the picture for each channel.
private struct Background {
    /// Red, green and blue in the picture's middle, and how they change to its right and lower edges.
    private var middle = SIMD3<Float>.zero
    private var right = SIMD3<Float>.zero
    private var down = SIMD3<Float>.zero
    private let height: Int
    private let width: Int
    /// How far the colours of the edge are from it, 0 to 442: as far as half of them.
    private(set) var spread: Float = 0

    /// The planes with the least sum of distances from the colours of the picture's edge, by weighted squares: where less
    /// than half of the edge shows something else, that changes little. The corners count more, as they seldom do.
    init(of picture: Pixels) {
        (height, width) = (picture.height, picture.width)
        let corner = max(1, min(height, width) / 8)
        var edge: [(colour: SIMD3<Float>, x: Float, y: Float, weight: Float)] = []
        for y in 0..<height {
            for x in 0..<width where y == 0 || x == 0 || y == height - 1 || x == width - 1 {
                let isInCorner = min(y, height - 1 - y) < corner && min(x, width - 1 - x) < corner
                let (across, along) = place(y, x)
                edge.append((picture.colour(y * width + x), across, along, isInCorner ? 1 : 0.25))
            }
        }
        var distances = [Float](repeating: 1, count: edge.count)
        for _ in 0..<30 {
            var sums = Sums()
            for (point, distance) in zip(edge, distances) {
                sums.add(point.colour, point.x, point.y, point.weight / max(distance, 0.5))
            }
            (middle, right, down) = sums.plane
            for (index, point) in edge.enumerated() {
                distances[index] = (point.colour - at(point.x, point.y)).length
            }
        }
        spread = distances.sorted()[distances.count / 2]
    }

    /// -1 at the left and upper edges, 1 at the right and lower ones; 0 where there is only one pixel.
    private func place(_ y: Int, _ x: Int) -> (x: Float, y: Float) {
        func part(_ index: Int, _ count: Int) -> Float {
            count > 1 ? 2 * Float(index) / Float(count - 1) - 1 : 0
        }
        return (part(x, width), part(y, height))
    }

    private func at(_ x: Float, _ y: Float) -> SIMD3<Float> { middle + x * right + y * down }

    func colour(_ y: Int, _ x: Int) -> SIMD3<Float> {
        let (x, y) = place(y, x)
        return at(x, y).clamped(lowerBound: .zero, upperBound: SIMD3(repeating: 255))
    }

    /// Of that colour, 0 to 255.
    func luma(_ y: Int, _ x: Int) -> Float { (colour(y, x) * SIMD3(0.299, 0.587, 0.114)).sum() }
}

/// The sums of a weighted least-squares fit of planes.
private struct Sums {
    private var weight: Double = 0
    private var x = 0.0, y = 0.0, xx = 0.0, xy = 0.0, yy = 0.0
    private var colour = SIMD3<Double>.zero, xColour = SIMD3<Double>.zero, yColour = SIMD3<Double>.zero

    mutating func add(_ colour: SIMD3<Float>, _ x: Float, _ y: Float, _ weight: Float) {
        let (x, y, weight, colour) = (Double(x), Double(y), Double(weight), SIMD3<Double>(colour))
        self.weight += weight
        self.x += weight * x
        self.y += weight * y
        xx += weight * x * x
        xy += weight * x * y
        yy += weight * y * y
        self.colour += weight * colour
        xColour += weight * x * colour
        yColour += weight * y * colour
    }

    /// By Cramer's rule, about the means; flat in a direction that the picture does not have.
    var plane: (middle: SIMD3<Float>, right: SIMD3<Float>, down: SIMD3<Float>) {
        let (meanX, meanY, mean) = (x / weight, y / weight, colour / weight)
        let (varX, varY, covariance) = (
            xx / weight - meanX * meanX, yy / weight - meanY * meanY, xy / weight - meanX * meanY
        )
        let (withX, withY) = (xColour / weight - meanX * mean, yColour / weight - meanY * mean)
        let determinant = varX * varY - covariance * covariance
        var (right, down) = (SIMD3<Double>.zero, SIMD3<Double>.zero)
        if determinant > 1e-9 {
            right = (withX * varY - withY * covariance) / determinant
            down = (withY * varX - withX * covariance) / determinant
        }
        return (SIMD3(mean - meanX * right - meanY * down), SIMD3(right), SIMD3(down))
    }
}

/// Which pixels of a picture stand out from its background.
private struct Silhouette {
    /// In no order.
    private(set) var places: [Int] = []
    private(set) var rows = 0..<0
    private(set) var columns = 0..<0

    /// The distance of colours from which on pixels stand out: 5 % of the greatest, as in the making of Fashion-MNIST.
    private static let distance: Float = 0.05 * 441.673
    /// Of the picture a garment is at least this part.
    private static let least = 0.002
    /// Of the largest part of a garment the others, such as a second shoe, are at least this part; what is smaller is dust.
    private static let leastOfLargest = 0.02

    /// nil if nothing does.
    init?(of picture: Pixels, before background: Background) {
        let (height, width) = (picture.height, picture.width)
        // Where the background itself is that uneven, more is asked for.
        let threshold = max(Self.distance, 4 * background.spread)
        var isLeft = (0..<height * width).map { place in
            (picture.colour(place) - background.colour(place / width, place % width)).length > threshold
        }
        // The parts that hang together, edge to edge.
        var parts: [[Int]] = []
        for start in isLeft.indices where isLeft[start] {
            isLeft[start] = false
            var part = [start]
            var next = 0
            while next < part.count {
                let place = part[next]
                next += 1
                let (y, x) = (place / width, place % width)
                let neighbours = [
                    x > 0 ? place - 1 : nil, x + 1 < width ? place + 1 : nil,
                    y > 0 ? place - width : nil, y + 1 < height ? place + width : nil,
                ]
                for case let neighbour? in neighbours where isLeft[neighbour] {
                    isLeft[neighbour] = false
                    part.append(neighbour)
                }
            }
            parts.append(part)
        }
        guard let largest = parts.map(\.count).max(),
            Double(largest) >= Self.least * Double(height * width)
        else { return nil }
        places = parts.filter { Double($0.count) >= Self.leastOfLargest * Double(largest) }.flatMap(\.self)
        var (top, bottom, left, right) = (height, 0, width, 0)
        for place in places {
            let (y, x) = (place / width, place % width)
            (top, bottom, left, right) = (min(top, y), max(bottom, y), min(left, x), max(right, x))
        }
        (rows, columns) = (top..<bottom + 1, left..<right + 1)
    }
}

extension Pixels {
    /// - Precondition: there are three channels.
    fileprivate func colour(_ place: Int) -> SIMD3<Float> {
        let start = bytes.startIndex + 3 * place
        return SIMD3(Float(bytes[start]), Float(bytes[start + 1]), Float(bytes[start + 2]))
    }
}

extension SIMD3<Float> {
    fileprivate var length: Float { (self * self).sum().squareRoot() }
}
