import Foundation
import Testing
import VGGImages
import VGGTestSupport

@Suite struct ResamplerTests {
    /// An image that Pillow resized; see Scripts/goldens/resize.py.
    struct Golden: Decodable, Sendable, CustomTestStringConvertible {
        let size: [Int]
        let newSize: [Int]
        let channels: Int
        let input: Data
        /// nil where only the CRC-32 is stored.
        let output: Data?
        let crc32: UInt32

        var testDescription: String { "\(size) → \(newSize), \(channels) channels" }

        static let all: [Golden] = {
            let url = Bundle.module.url(forResource: "resize", withExtension: "json", subdirectory: "Goldens")
            return try! JSONDecoder().decode([Golden].self, from: Data(contentsOf: url!))
        }()
    }

    @Test(arguments: Golden.all) func equalsPillow(golden: Golden) {
        let resampler = Resampler(
            height: golden.size[0], width: golden.size[1], toHeight: golden.newSize[0],
            width: golden.newSize[1],
            channels: golden.channels)
        let resized = resampler.resize(Array(golden.input))
        #expect(resized.count == golden.newSize[0] * golden.newSize[1] * golden.channels)
        if let output = golden.output { #expect(resized == Array(output)) }
        #expect(crc32(resized) == golden.crc32)
    }

    /// A part of the resized image is that part of it, whichever axis comes first.
    @Test(arguments: [
        (40, 30, 13, 29), (30, 40, 29, 13), (19, 23, 32, 17), (9, 90, 60, 30), (20, 20, 20, 31),
    ])
    func aPartIsThatOfTheWhole(_ height: Int, _ width: Int, _ newHeight: Int, _ newWidth: Int) {
        for channels in [1, 2, 3] {
            let image = (0..<height * width * channels).map { _ in UInt8.random(in: 0...255) }
            let whole = Resampler(
                height: height, width: width, toHeight: newHeight, width: newWidth, channels: channels
            ).resize(image)
            for (rows, columns) in [
                (0..<newHeight, 3..<7), (2..<9, 0..<newWidth), (4..<5, 5..<12),
                (newHeight - 3..<newHeight, 0..<1),
                // As many as the input has, but not the same.
                (0..<min(height, newHeight), newWidth - min(width, newWidth)..<newWidth),
            ] {
                let part = Resampler(
                    height: height, width: width, toHeight: newHeight, width: newWidth, channels: channels,
                    rows: rows, columns: columns
                ).resize(image)
                let expected = rows.flatMap { row in
                    whole[
                        (row * newWidth + columns.lowerBound)
                            * channels..<(row * newWidth + columns.upperBound) * channels]
                }
                #expect(part == expected, "\(rows) \(columns), \(channels) channels")
            }
        }
    }
}
