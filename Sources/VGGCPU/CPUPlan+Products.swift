import CVGGKernels
import VGGEngine
import VGGModel

/// What is made of the channels of a kept layer, where it lies: pixel by pixel, each with its channels, which is what a
/// product of matrices reads best.
extension CPUPlan {
    func gram(of step: Int, channels: Int, count: Int) -> [Float] {
        let map = layout.steps[step].output
        precondition(map.element == .float32 && map.channels == channels, "products are of maps in fp32")
        let size = channels * channels
        let parts = GramParts(map)
        var sums = [Float](repeating: 0, count: count * parts.count * size)
        sums.withUnsafeMutableBufferPointer { sums in
            guard let sums = sums.baseAddress else { return }
            context.workers.run(count * parts.count) { task, _ in
                let (image, part) = task.quotientAndRemainder(dividingBy: parts.count)
                let first =
                    activation(step + 1).assumingMemoryBound(to: Float.self) + image * map.imageStride
                    + map.interior
                for pixels in parts[part] {
                    addProducts(
                        first + pixels.row * map.rowStride + pixels.first * channels, count: pixels.count,
                        channels: channels, to: sums + task * size)
                }
            }
        }
        return added(sums, images: count, parts: parts.count, channels: channels)
    }

    /// Of each image the sum of its parts' matrices, in their order, whoever made them.
    /// - Parameter sums: [images, parts, channels, channels], right where the column is not behind the row.
    private func added(_ sums: [Float], images: Int, parts: Int, channels: Int) -> [Float] {
        let size = channels * channels
        return [Float](unsafeUninitializedCapacity: images * size) { gram, initialized in
            guard let gram = gram.baseAddress else { return }
            sums.withUnsafeBufferPointer { sums in
                context.workers.run(over: images * channels, grain: 1) { lines, _ in
                    for line in lines {
                        let (image, row) = line.quotientAndRemainder(dividingBy: channels)
                        var total = [Double](repeating: 0, count: row + 1)
                        for part in 0..<parts {
                            let first = (image * parts + part) * size + row * channels
                            for column in 0...row { total[column] += Double(sums[first + column]) }
                        }
                        for column in 0...row {
                            gram[image * size + row * channels + column] = Float(total[column])
                            gram[image * size + column * channels + row] = Float(total[column])
                        }
                    }
                }
            }
            initialized = images * size
        }
    }

    /// Adds the products of the channels of some pixels of a row; of two channels, only the one of the later with the
    /// earlier is right.
    private func addProducts(_ pixels: Floats, count: Int, channels: Int, to sums: Floats) {
        for column in stride(from: 0, to: channels, by: 2 * panel) {
            var product = vgg_product()
            (product.a, product.a_row, product.a_inner) = (UnsafePointer(pixels + column), 1, channels)
            (product.b, product.b_panel, product.b_inner) = (UnsafePointer(pixels + column), panel, channels)
            product.c = sums + column * channels + column
            (product.c_row, product.c_panel) = (channels, panel)
            (product.rows, product.columns) = (channels - column, min(2 * panel, channels - column))
            (product.outer, product.inner, product.accumulate) = (1, count, 1)
            context.kernels.product(&product)
        }
    }

    func writeGradient(
        multiplying matrices: [Float], of step: Int, channels: Int, count: Int, adding: Bool
    ) {
        let map = layout.steps[step].output
        precondition(map.element == .float32 && map.channels == channels, "products are of maps in fp32")
        let panels = channels.panels
        // A matrix as the product reads it: panels of 16 columns.
        var packed = [Float](repeating: 0, count: count * panels * channels * panel + slack)
        for image in 0..<count {
            for column in 0..<channels {
                let target = ((image * panels + column / panel) * channels) * panel + column % panel
                // Symmetric: its rows are its columns.
                let source = (image * channels + column) * channels
                for row in 0..<channels { packed[target + row * panel] = matrices[source + row] }
            }
        }
        packed.withUnsafeBufferPointer { packed in
            guard let packed = packed.baseAddress else { return }
            context.workers.run(over: count * map.height, grain: 1) { rows, _ in
                for place in rows {
                    let (image, y) = place.quotientAndRemainder(dividingBy: map.height)
                    var product = vgg_product()
                    product.a = UnsafePointer(
                        activation(step + 1).assumingMemoryBound(to: Float.self) + image * map.imageStride
                            + map.interior + y * map.rowStride)
                    (product.a_row, product.a_inner) = (channels, 1)
                    product.b = packed + image * panels * channels * panel
                    (product.b_panel, product.b_inner) = (channels * panel, panel)
                    product.c =
                        gradient(step + 1).assumingMemoryBound(to: Float.self) + image * map.gradientStride
                        + y * map.plain.rowStride
                    (product.c_row, product.c_panel) = (channels, panel)
                    (product.rows, product.columns) = (map.width, channels)
                    (product.outer, product.inner, product.accumulate) = (1, channels, adding ? 1 : 0)
                    context.kernels.product(&product)
                }
            }
        }
    }
}

/// How the pixels of a map are dealt out for their products: in parts, whose sums are added in order, so that the sum
/// follows from the map alone.
private struct GramParts {
    /// Some pixels of a row, as many as the nearest cache holds with their channels.
    struct Piece {
        let row, first, count: Int
    }

    private let map: ActivationLayout
    private let longest: Int
    private let piecesInRow: Int
    let count: Int

    init(_ map: ActivationLayout) {
        self.map = map
        longest = max(64, 32768 / map.channels)
        piecesInRow = (map.width + longest - 1) / longest
        count = min(16, map.height * piecesInRow)
    }

    subscript(part: Int) -> [Piece] {
        let pieces = map.height * piecesInRow
        return (pieces * part / count..<pieces * (part + 1) / count).map { piece in
            let (row, place) = piece.quotientAndRemainder(dividingBy: piecesInRow)
            let first = map.width * place / piecesInRow
            return Piece(row: row, first: first, count: map.width * (place + 1) / piecesInRow - first)
        }
    }
}
