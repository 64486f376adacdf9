import Foundation
import Testing
import VGGData
import VGGImages
import VGGTestSupport

/// How batches are mixed: by timm's own code out of the same random numbers and with the same parameters (see
/// Scripts/goldens/mixing.py), and in thousands of draws.
@Suite struct MixingTests {
    struct Goldens: Decodable, Sendable {
        struct Drawn: Decodable, Sendable {
            let mixup: Double
            let cutmix: Double
            let sides: [Double]?
            let probability: Double
            let `switch`: Double
            /// Seed, epoch, batch.
            let draw: [UInt64]
            let shape: [Int]
            let labels: [Int32]
            let images: [Float]
            let targets: [Float]

            var mixing: BatchMixing {
                BatchMixing(
                    mixup: mixup, cutmix: cutmix, cutmixSides: sides.map { $0[0]...$0[1] },
                    probability: probability, switchProbability: `switch`)
            }
            var draws: BatchDraws {
                BatchDraws(seed: draw[0], epoch: Int(draw[1]), batch: Int(draw[2]))
            }
        }

        struct Given: Decodable, Sendable {
            struct Parameters: Decodable, Sendable {
                let share: Double
                /// Of the rectangle; nil for mixup.
                let center: [Int]?
            }
            let mode: BatchMixing.Mode
            let given: [Parameters]
            let shape: [Int]
            let labels: [Int32]
            let images: [Float]
            let targets: [Float]
        }

        let drawn: [Drawn]
        let given: [Given]

        static let all: Goldens = {
            let url = Bundle.module.url(forResource: "mixing", withExtension: "json", subdirectory: "Goldens")
            return try! JSONDecoder().decode(Goldens.self, from: Data(contentsOf: url!))
        }()
    }

    /// The images that the goldens begin with, all different nearby.
    private func images(_ shape: [Int]) -> [Float] {
        (0..<shape.reduce(1, *)).map { Float(($0 * 37) % 101 - 50) / 8 }
    }

    /// What the loss makes of labels and partners, of five classes and with a smoothing of 0.1.
    private func targets(_ mixtures: [Mixture?], _ labels: [Int32]) -> [Float] {
        zip(labels, mixtures.partners(labels)).flatMap { label, partner in
            (0..<5).map { number in
                0.02 + 0.9
                    * ((number == label ? 1 - partner.share : 0)
                        + (number == partner.label ? partner.share : 0))
            }
        }
    }

    @Test(arguments: Goldens.all.drawn) func drawsAreTimms(golden: Goldens.Drawn) {
        let shape = golden.shape
        let mixtures = golden.mixing.mixtures(
            golden.draws, count: shape[0], height: shape[2], width: shape[3])
        var images = images(shape)
        mixtures.mix(&images, channels: shape[1], height: shape[2], width: shape[3])
        // Single precision, for a share out of logarithms and cosines.
        expectClose(images, golden.images, tolerance: 3e-7, "images")
        expectClose(
            targets(mixtures, golden.labels), golden.targets, tolerance: 3e-7, "targets")
    }

    @Test(arguments: Goldens.all.given) func mixturesAreTimms(golden: Goldens.Given) {
        let (count, height, width) = (golden.shape[0], golden.shape[2], golden.shape[3])
        let mixtures: [Mixture?] = (0..<count).map { image in
            let given = golden.given[golden.mode == .elem ? image : min(image, count - 1 - image)]
            guard given.share < 1 else { return nil }
            guard let center = given.center else { return .blend(share: Float(given.share)) }
            let window = Window.cutmix(
                share: given.share, center: (center[0], center[1]), height: height, width: width)
            return .paste(window, height: height, width: width)
        }
        var images = images(golden.shape)
        mixtures.mix(&images, channels: golden.shape[1], height: height, width: width)
        #expect(images == golden.images)
        expectClose(
            targets(mixtures, golden.labels), golden.targets, within: 1e-7, "targets")
    }

    /// The middle image of an odd number is its own partner.
    @Test func theMiddleStays() {
        let mixtures: [Mixture?] = Array(repeating: .blend(share: 0.25), count: 3)
        var images: [Float] = [0, 8, 4]
        mixtures.mix(&images, channels: 1, height: 1, width: 1)
        #expect(images == [3, 8, 1])
        #expect(mixtures.partners([0, 1, 2]).map(\.label) == [2, 1, 0])
        #expect(mixtures.partners([0, 1, 2]).allSatisfy { $0.share == 0.75 })
    }

    @Test func modesSayWhoSharesWhatIsDrawn() {
        func mixtures(_ mode: BatchMixing.Mode) -> [Mixture?] {
            BatchMixing(mixup: 1, mode: mode)
                .mixtures(BatchDraws(seed: 1, epoch: 2, batch: 3), count: 8, height: 5, width: 5)
        }
        #expect(Set(mixtures(.batch)).count == 1 && mixtures(.batch).count == 8)
        #expect(Set(mixtures(.pair)).count == 4 && mixtures(.pair) == mixtures(.pair).reversed())
        #expect(Set(mixtures(.elem)).count == 8)
        // What an image gets does not depend on how many there are beside it.
        #expect(mixtures(.elem)[0] == mixtures(.batch)[0] && mixtures(.pair)[0] == mixtures(.batch)[0])
    }

    /// Shares and places, to five standard deviations.
    @Test func drawsAreAsFrequentAsAskedFor() {
        func draw(_ mixing: BatchMixing) -> [Mixture?] {
            (0..<4000).map {
                mixing.mixtures(BatchDraws(seed: 5, epoch: 1, batch: $0), count: 2, height: 40, width: 60)[0]
            }
        }
        func expect(_ found: Int, _ probability: Double, of count: Int = 4000) {
            let deviation = (Double(count) * probability * (1 - probability)).squareRoot()
            #expect(abs(Double(found) - Double(count) * probability) <= 5 * deviation, "\(found) of \(count)")
        }
        let both = draw(BatchMixing(mixup: 1, cutmix: 1, probability: 0.8, switchProbability: 0.25))
        expect(both.count { $0 != nil }, 0.8)
        expect(both.count { if case .paste = $0 { true } else { false } }, 0.2)

        // Beta(1, 1) is uniform; of Beta(1/2, 1/2) a third each lies below 1/4 and above 3/4.
        let even = draw(BatchMixing(mixup: 1)).compactMap(\.?.share)
        expect(even.count { $0 < 0.25 }, 0.25)
        expect(even.count { $0 < 0.5 }, 0.5)
        let outer = draw(BatchMixing(mixup: 0.5)).compactMap(\.?.share)
        expect(outer.count { $0 < 0.25 }, 1 / 3)
        expect(outer.count { $0 > 0.75 }, 1 / 3)

        let sides = draw(BatchMixing(cutmixSides: 0.25...0.75))
        for case .paste(let window, let share) in sides {
            #expect((10..<30).contains(window.height) && (15..<45).contains(window.width))
            #expect(window.top >= 0 && window.top + window.height <= 40)
            #expect(window.left >= 0 && window.left + window.width <= 60)
            expectClose([1 - share], [Float(window.height * window.width) / 2400], within: 1e-6, "share")
        }
        #expect(sides.allSatisfy { $0 != nil })
    }
}
