import Foundation
import VGGKit

/// Compares pictures, and prints how far apart they are: results on standard output, problems on standard error, and in JSON
/// there, too.
struct DistanceReport {
    struct Pair: Hashable {
        var a, b: String
    }

    private struct Distance: Encodable {
        var a, b: String
        var distance: Double
    }

    private struct Neighbour: Encodable {
        var file: String
        var distance: Double
    }

    private struct Table: Encodable {
        var files: [String]
        var distances: [[Double]]
    }

    private struct Problem: Encodable {
        var a: String
        var b: String?
        /// Which of them cannot be read; nil where it is both that do not fit.
        var file: String?
        var error: String
    }

    let format: OutputFormat
    private(set) var hasProblems = false

    init(format: OutputFormat) { self.format = format }

    private mutating func fail(_ error: any Error, of a: String, _ b: String? = nil) throws {
        hasProblems = true
        let reason = (error as? FileError)?.reason ?? "\(error)"
        let name = (error as? FileError)?.path ?? ([a, b].compactMap(\.self).joined(separator: " and "))
        Console.error("error: \(name): \(reason)")
        let file = [a, b].contains(name) ? name : nil
        if format == .json { try Console.print(json: Problem(a: a, b: b, file: file, error: reason)) }
    }

    private func text(_ distance: Double) -> String { Text.fixed(distance, 6) }

    /// Each pair's distance, a line.
    mutating func pairs(_ pairs: [Pair], by comparison: inout PictureComparison, _ batchSize: Int) throws {
        let step = max(1, batchSize / 2)
        for start in stride(from: 0, to: pairs.count, by: step) {
            var whole: [Pair] = []
            var pictures: [RGBImage] = []
            for pair in pairs[start..<min(start + step, pairs.count)] {
                do {
                    let (a, b) = (try comparison.picture(pair.a), try comparison.picture(pair.b))
                    guard a.height == b.height, a.width == b.width else {
                        throw FileError(
                            "\(pair.a) and \(pair.b)",
                            "have \(a.width)×\(a.height) and \(b.width)×\(b.height) pixels; --size compares "
                                + "squares of one size")
                    }
                    whole.append(pair)
                    pictures += [a, b]
                } catch let error as FileError {
                    try fail(error, of: pair.a, pair.b)
                }
            }
            for (pair, distance) in zip(whole, try comparison.distances(ofPairs: pictures)) {
                switch format {
                case .json: try Console.print(json: Distance(a: pair.a, b: pair.b, distance: distance))
                case .text: try Console.print("\(text(distance))  \(pair.a)  \(pair.b)")
                }
            }
        }
    }

    /// Of each picture with each.
    mutating func table(
        _ list: PhotoList, by comparison: inout PictureComparison, _ batchSize: Int
    ) throws {
        var files: [String] = []
        var embeddings: [PictureEmbedding] = []
        try each(of: list, by: &comparison, batchSize, keepingAll: true) { file, embedding in
            files.append(file)
            embeddings.append(embedding)
        }
        let distances = try embeddings.map { row in
            try embeddings.map { try comparison.finite(row.distance(to: $0)) }
        }
        switch format {
        case .json: try Console.print(json: Table(files: files, distances: distances))
        case .text:
            let rows = [[""] + files] + zip(files, distances).map { [$0] + $1.map(text) }
            for line in Text.table(rows, leftColumns: 1) { try Console.print(chart: line) }
        }
    }

    /// The so many that are most like a picture, the likest first.
    mutating func nearest(
        _ count: Int, to file: String, among list: PhotoList, by comparison: inout PictureComparison,
        _ batchSize: Int
    ) throws {
        let picture = try comparison.picture(file)
        guard let wanted = try comparison.embeddings(of: [picture]).first else { return }
        var found: [Neighbour] = []
        try each(of: list, by: &comparison, batchSize, like: picture) { other, embedding in
            found.append(Neighbour(file: other, distance: wanted.distance(to: embedding)))
        }
        for neighbour in found { _ = try comparison.finite(neighbour.distance) }
        found.sort { ($0.distance, $0.file) < ($1.distance, $1.file) }
        for neighbour in found.prefix(count) {
            switch format {
            case .json: try Console.print(json: neighbour)
            case .text: try Console.print("\(text(neighbour.distance))  \(neighbour.file)")
            }
        }
    }

    /// Calls `body` with each picture that can be read.
    /// - Parameters:
    ///   - keepsAll: whether all embeddings will be kept, for which there must be memory.
    ///   - first: whose size all must have; nil for the first picture's.
    private mutating func each(
        of list: PhotoList, by comparison: inout PictureComparison, _ batchSize: Int,
        keepingAll keepsAll: Bool = false,
        like first: RGBImage? = nil, _ body: (String, PictureEmbedding) -> Void
    ) throws {
        for problem in list.problems { try fail(problem, of: problem.path) }
        var first = first
        for start in stride(from: 0, to: list.files.count, by: batchSize) {
            var files: [String] = []
            var pictures: [RGBImage] = []
            for file in list.files[start..<min(start + batchSize, list.files.count)] {
                do {
                    let picture = try comparison.picture(file)
                    let wanted = first ?? picture
                    guard picture.width == wanted.width, picture.height == wanted.height else {
                        throw FileError(
                            file,
                            "has \(picture.width)×\(picture.height) pixels where the first has "
                                + "\(wanted.width)×\(wanted.height); --size compares squares of one size")
                    }
                    first = wanted
                    files.append(file)
                    pictures.append(picture)
                } catch let error as FileError {
                    try fail(error, of: file)
                }
            }
            let embeddings = try comparison.embeddings(of: pictures)
            let bytes = (list.files.count - start) * comparison.embeddingCount * MemoryLayout<Float>.stride
            if keepsAll, let free = FreeMemory.bytes, bytes > free {
                throw FileError(
                    files.first ?? "",
                    "and the others take \(ReadableNumber.bytes(bytes)) of memory, but "
                        + "\(ReadableNumber.bytes(free)) are free; name fewer pictures, or use a smaller --size"
                )
            }
            for (file, embedding) in zip(files, embeddings) { body(file, embedding) }
        }
    }
}

extension DistanceReport.Pair {
    /// The pairs of a file, one a line.
    /// - Throws: `FileError` that names the line at fault.
    static func read(_ path: String) throws(FileError) -> [Self] {
        var bytes = try WholeFile.bytes(path, atMost: 1 << 28, expecting: "a list of pairs")[...]
        // What Windows puts before a text.
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { bytes = bytes.dropFirst(3) }
        let lines = bytes.split(separator: 0x0A, omittingEmptySubsequences: false)
        var pairs: [Self] = []
        for (number, line) in lines.enumerated() {
            let line = line.last == 0x0D ? line.dropLast() : line
            guard !line.isEmpty else { continue }
            let separator: UInt8 = line.contains(0x09) ? 0x09 : 0x20
            let names = line.split(separator: separator).map { FileName.text(Array($0)) }
            guard names.count == 2 else {
                throw FileError(
                    path, "line \(number + 1) has \(names.count) names, not two with a tab between")
            }
            pairs.append(Self(a: names[0], b: names[1]))
        }
        guard !pairs.isEmpty else {
            throw FileError(path, "holds no pairs: two pictures a line, a tab between")
        }
        return pairs
    }

    /// The pictures of two folders that have the same names there. Others are noted.
    /// - Throws: `FileError` if there are none.
    static func ofFolders(_ a: String, _ b: String) throws(FileError) -> [Self] {
        let (first, second) = (try PhotoListing(a), try PhotoListing(b))
        let names = Set(second.names)
        let shared = first.names.filter(names.contains)
        guard !shared.isEmpty else {
            throw FileError(a, "has no picture of the same name as one in \(b)")
        }
        let alone = first.names.count + second.names.count - 2 * shared.count
        if alone > 0 {
            Console.note(
                "\(Text.count(alone, "picture")) in one of the folders alone \(alone == 1 ? "is" : "are") left out"
            )
        }
        return shared.map { Self(a: "\(first.folder)/\($0)", b: "\(second.folder)/\($0)") }
    }
}
