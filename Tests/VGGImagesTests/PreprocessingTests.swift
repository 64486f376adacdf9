import Foundation
import Testing
import VGGImages
import VGGTestSupport

@Suite struct PreprocessingTests {
    /// What torchvision's transforms make of a file; see Scripts/goldens/photos.py.
    struct Golden: Decodable, Sendable, CustomTestStringConvertible {
        let file: String
        let preprocessing: Preprocessing
        let first: [Float]
        let crc32: UInt32

        var testDescription: String {
            "\(file), \(preprocessing.channels) to \(preprocessing.resize) and \(preprocessing.size)"
        }

        static let all: [Golden] = Goldens.decode("preprocessing.json")
    }

    @Test(.enabled(if: Goldens.areReadable), arguments: Golden.all)
    func equalsTorchvision(golden: Golden) throws {
        let image = try RGBImage(decoding: Goldens.bytes("photos/\(golden.file)"))
        let (size, channels) = (golden.preprocessing.size, golden.preprocessing.channels.count)
        let input = golden.preprocessing.input(from: image)
        #expect(input.shape == .map(channels: channels, height: size, width: size))
        // The golden's channels come last.
        let numbers = (0..<size * size).flatMap { pixel in
            (0..<channels).map { input.values[$0 * size * size + pixel] }
        }
        #expect(Array(numbers.prefix(3)) == golden.first)
        #expect(numbers.withUnsafeBytes { VGGTestSupport.crc32($0) } == golden.crc32)
    }

    @Test func presetsAreTheGoldens() throws {
        let settings = Set(Golden.all.map(\.preprocessing))
        #expect(settings.isSuperset(of: [.imageNet, .caffe]))
        #expect(try settings.contains(.plain(28, channels: .grey)))
        #expect(try settings.contains(.imageNet.resized(to: 224)))
        // torchvision's for networks of other sizes: the size divided by 0.875, to the nearest whole number.
        for (size, resize) in [(112, 128), (32, 37), (64, 73), (96, 110), (288, 329)] {
            let resized = try Preprocessing.imageNet.resized(to: size)
            #expect(resized.resize == resize)
            #expect(size > 100 || settings.contains(resized))
        }
    }

    /// A picture a thousand times as long as it is wide is not resized as a whole.
    @Test func extremesNeedLittleMemory() throws {
        for (width, height) in [(1, 300_000), (300_000, 1)] {
            let image = RGBImage(width: width, height: height, pixels: Array(repeating: 51, count: 900_000))
            let numbers = try Preprocessing.plain(64).input(from: image).values
            #expect(numbers.count == 64 * 64 * 3 && numbers.allSatisfy { $0 == 0.2 })
        }
    }

    @Test func greyIsPillows() {
        // Image.new("RGB", …, colour).convert("L") of red, green, blue, and of one where the half decides.
        let image = RGBImage(
            width: 2, height: 2, pixels: [255, 0, 0, 0, 255, 0, 0, 0, 255, 1, 1, 0])
        #expect(Pixels(image).with(channels: 1).bytes == [76, 150, 29, 1])
    }

    @Test func travelsAsJSON() throws {
        let plain = try Preprocessing.plain(32, channels: .grey)
        for preprocessing in [.imageNet, .caffe, plain] {
            let data = try JSONEncoder().encode(preprocessing)
            #expect(try JSONDecoder().decode(Preprocessing.self, from: data) == preprocessing)
        }
    }

    @Test(arguments: [
        #""resize":256,"size":257"#, #""resize":8193"#, #""size":0"#, #""mean":[0,0]"#, #""std":[1,0,1]"#,
        #""std":[1]"#, #""std":[1,-1,1]"#, #""std":[1,1,1e-40]"#, #""channels":"cmyk""#,
        #""channels":"grey""#, #""range":"bits""#,
        #""mean":[0,0,1e99]"#,
    ]) func refusesSettingsThatMakeNoSense(_ change: String) throws {
        var members: [String: Any] = try #require(
            try JSONSerialization.jsonObject(with: JSONEncoder().encode(Preprocessing.imageNet))
                as? [String: Any])
        let changed = try #require(
            try JSONSerialization.jsonObject(with: Data("{\(change)}".utf8)) as? [String: Any])
        members.merge(changed) { $1 }
        let data = try JSONSerialization.data(withJSONObject: members)
        #expect(throws: DecodingError.self) { try JSONDecoder().decode(Preprocessing.self, from: data) }
    }

    @Test func refusesSizesOutOfRange() {
        #expect(throws: PreprocessingError.sizes(resize: 0, size: 0)) { try Preprocessing.plain(0) }
        #expect(throws: PreprocessingError.sizes(resize: .max, size: .max)) {
            try Preprocessing.imageNet.resized(to: .max)
        }
        #expect(throws: PreprocessingError.self) { try Preprocessing.imageNet.resized(to: 8192) }
    }
}
