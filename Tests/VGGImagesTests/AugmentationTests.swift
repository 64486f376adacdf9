import Foundation
import Testing
import VGGImages
import VGGTestSupport

/// What torchvision and Pillow made with given parameters; see Scripts/goldens/augmentation.py.
struct AugmentationGoldens: Decodable, Sendable {
    struct Picture: Decodable, Sendable, CustomTestStringConvertible {
        let height: Int
        let width: Int
        let channels: Int
        let bytes: Data
        let flips: [UInt32]
        let windows: [[Int]]
        let resized: [[Int]]
        let jitter: [String: [UInt32]]
        let wide: [String: [UInt32]]

        var image: Pixels {
            Pixels(height: height, width: width, channels: channels, bytes: [UInt8](bytes)[...])
        }
        var testDescription: String { "\(height)×\(width)×\(channels)" }
    }

    /// What timm makes of ones.
    struct Erased: Decodable, Sendable {
        let mode: RandomErasing.Mode
        let count: Int
        let probability: Double
        /// Channels, height, width.
        let shape: [Int]
        /// Seed, epoch, example.
        let draw: [UInt64]
        let result: [Float]
    }

    let factors: [Double]
    let shifts: [Double]
    let hues: [UInt32]
    let central: [[Double]]
    let parts: [[Double]]
    let erased: [Erased]
    let pictures: [Picture]

    static let all = try! JSONDecoder().decode(
        AugmentationGoldens.self, from: Data(Goldens.bytes("augmentation.json")))
}

extension Pixels {
    fileprivate var crc: UInt32 { crc32(bytes) }
}

@Suite struct ImageOperationTests {
    typealias Picture = AugmentationGoldens.Picture
    static let goldens = AugmentationGoldens.all

    @Test(arguments: goldens.pictures) func flipsAreTorchvisions(picture: Picture) {
        let image = picture.image
        #expect(image.flipped(horizontally: true).crc == picture.flips[0])
        #expect(image.flipped(horizontally: false, vertically: true).crc == picture.flips[1])
        #expect(image.flipped(horizontally: true, vertically: true).crc == picture.flips[2])
        #expect(image.flipped(horizontally: false) == image)
    }

    @Test(arguments: goldens.pictures) func cropsWithPaddingAreTorchvisions(picture: Picture) {
        #expect(picture.windows.count > 5)
        for golden in picture.windows {
            let window = Window(top: golden[0], left: golden[1], height: golden[2], width: golden[3])
            #expect(Int(picture.image.cropped(to: window, beyond: .constant).crc) == golden[4], "\(window)")
            #expect(Int(picture.image.cropped(to: window, beyond: .reflect).crc) == golden[5], "\(window)")
        }
    }

    @Test(arguments: goldens.pictures) func resizedPartsAreTorchvisions(picture: Picture) {
        #expect(picture.resized.count == 3)
        for golden in picture.resized {
            let window = Window(top: golden[0], left: golden[1], height: golden[2], width: golden[3])
            let resized = picture.image.resized(window, toHeight: golden[4], width: golden[5])
            #expect(Int(resized.crc) == golden[6], "\(window) to \(golden[4])×\(golden[5])")
        }
    }

    @Test(arguments: goldens.pictures) func jitterIsTorchvisions(picture: Picture) throws {
        let image = picture.image
        for (name, values, operation) in [
            ("brightness", Self.goldens.factors, ImageOperation.brightness),
            ("contrast", Self.goldens.factors, ImageOperation.contrast),
            ("color", Self.goldens.factors, ImageOperation.color),
            ("hue", Self.goldens.shifts, ImageOperation.hue),
        ] {
            let expected = try #require(picture.jitter[name])
            #expect(values.map { image.applying(operation($0)).crc } == expected, "\(name)")
        }
    }

    /// Every fifth byte in each channel.
    @Test func huesAreTorchvisions() {
        let levels = (0..<52).map { UInt8(5 * $0) }
        let bytes = levels.flatMap { red in
            levels.flatMap { green in levels.flatMap { blue in [red, green, blue] } }
        }
        let colors = Pixels(height: 52, width: 2704, channels: 3, bytes: bytes[...])
        #expect(Self.goldens.shifts.map { colors.applying(.hue($0)).crc } == Self.goldens.hues)
    }

    /// All kinds with all strengths, in both directions.
    @Test(arguments: goldens.pictures) func trivialAugmentWideIsTorchvisions(picture: Picture) throws {
        let image = picture.image
        #expect(
            picture.wide.count == TrivialAugmentWide.Kind.allCases.count,
            "Scripts/goldens/augmentation.py asks torchvision for each")
        for kind in TrivialAugmentWide.Kind.allCases {
            let name = "\(kind)"
            let expected = try #require(picture.wide[name.prefix(1).uppercased() + name.dropFirst()])
            // Kinds without strengths have one number, those without a sign 31.
            let places = (0..<expected.count).map { place in
                expected.count == 62 ? (place / 2, place % 2 == 1) : (place, false)
            }
            for ((magnitude, isNegative), crc) in zip(places, expected) {
                let operation = TrivialAugmentWide.operation(
                    kind, magnitude: magnitude, isNegative: isNegative)
                #expect(image.applying(operation).crc == crc, "\(operation)")
            }
        }
    }
}
