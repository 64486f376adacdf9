import Testing
import VGGImages
import VGGTestSupport

/// What is drawn for an example: by timm's own code out of the same random numbers, and in thousands of draws.
@Suite struct AugmentationDrawTests {
    static let goldens = AugmentationGoldens.all

    /// The draws of many examples.
    private func examples(_ count: Int, epoch: Int = 0) -> [ExampleDraw] {
        (0..<count).map { ExampleDraw(seed: 11, epoch: epoch, example: $0) }
    }

    /// Expects something of this probability to have happened so often in so many draws, to five standard deviations:
    /// one test in two million would fail if the draws were independent of the seed.
    private func expectShare(
        _ found: Int, of count: Int, _ probability: Double, _ what: String,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let expected = probability * Double(count)
        let deviation = (expected * (1 - probability)).squareRoot()
        #expect(
            abs(Double(found) - expected) <= 5 * deviation, "\(what): \(found) of \(count)",
            sourceLocation: sourceLocation)
    }

    @Test(arguments: goldens.parts) func partsAreTimms(golden: [Double]) {
        let crop = RandomResizedCrop(scale: golden[2]...golden[3], ratio: golden[4]...golden[5])
        let draws = ExampleDraw(seed: UInt64(golden[6]), epoch: Int(golden[7]), example: Int(golden[8]))
        let window = crop.window(height: Int(golden[0]), width: Int(golden[1]), draws)
        #expect(
            [window.top, window.left, window.height, window.width].map(Double.init) == Array(golden[9...]))
    }

    /// Where nothing fits it is the middle, whatever is drawn.
    @Test(arguments: goldens.central) func theMiddleIsTorchvisions(golden: [Double]) {
        let crop = RandomResizedCrop(scale: 1...1, ratio: golden[2]...golden[3])
        for draws in examples(20) {
            let window = crop.window(height: Int(golden[0]), width: Int(golden[1]), draws)
            #expect(
                [window.top, window.left, window.height, window.width].map(Double.init) == Array(golden[4...])
            )
        }
    }

    @Test func aPictureOfOnePixelHasAPart() {
        let pixel = Window(top: 0, left: 0, height: 1, width: 1)
        let crop = RandomResizedCrop(ratio: 5...6)
        #expect(examples(20).allSatisfy { crop.window(height: 1, width: 1, $0) == pixel })
    }

    /// Of a large picture, where rounding does not matter and everything fits.
    @Test func partsHaveTheSharesAndRatiosThatAreAskedFor() {
        let (side, count) = (10_000.0, 4000)
        let windows = examples(count).map {
            RandomResizedCrop(scale: 0.1...0.5).window(height: Int(side), width: Int(side), $0)
        }
        let shares = windows.map { Double($0.height * $0.width) / (side * side) }
        #expect(shares.allSatisfy { (0.0999...0.5001).contains($0) })
        for quarter in 0..<4 {
            let bounds = (0.1 + 0.1 * Double(quarter))..<(0.2 + 0.1 * Double(quarter))
            expectShare(shares.count { bounds.contains($0) }, of: count, 0.25, "shares in \(bounds)")
        }
        let ratios = windows.map { Double($0.width) / Double($0.height) }
        #expect(ratios.allSatisfy { (0.7499...1.3334).contains($0) })
        // The middle of the logarithms is 1, and those of the halves are the roots of the ends.
        expectShare(ratios.count { $0 < 1 }, of: count, 0.5, "ratios below 1")
        expectShare(ratios.count { $0 < 0.75.squareRoot() }, of: count, 0.25, "ratios in the lowest quarter")
        expectShare(
            windows.count { Double($0.top) < (side - Double($0.height)) / 2 }, of: count, 0.5, "above")
        expectShare(windows.count { Double($0.left) < (side - Double($0.width)) / 2 }, of: count, 0.5, "left")
    }

    @Test func cropsWithPaddingAreUniform() {
        let count = 10_000
        let windows = examples(count).map { RandomCrop(padding: 2).window(height: 28, width: 30, $0) }
        #expect(windows.allSatisfy { $0.height == 28 && $0.width == 30 })
        let places = Dictionary(grouping: windows) { [$0.top, $0.left] }
        #expect(places.keys.joined().allSatisfy((-2...2).contains) && places.count == 25)
        for (place, windows) in places { expectShare(windows.count, of: count, 1 / 25, "\(place)") }
    }

    @Test(arguments: [0, 0.25, 0.5, 1]) func flipsAreAsFrequentAsAskedFor(probability: Double) {
        let flip = RandomFlip(horizontal: probability, vertical: 1 - probability)
        let directions = examples(4000).map(flip.directions)
        expectShare(directions.count(where: \.horizontally), of: 4000, probability, "horizontally")
        expectShare(directions.count(where: \.vertically), of: 4000, 1 - probability, "vertically")
        // One does not follow from the other.
        expectShare(
            directions.count { $0.horizontally && $0.vertically }, of: 4000, probability * (1 - probability),
            "both")
    }

    @Test func alternatingFlipsShowBothForms() {
        let flip = RandomFlip(alternates: true)
        let first = examples(4000).map { flip.directions($0).horizontally }
        expectShare(first.count { $0 }, of: 4000, 0.5, "in the first epoch")
        for epoch in 1..<5 {
            let later = examples(4000, epoch: epoch).map { flip.directions($0).horizontally }
            #expect(later == (epoch % 2 == 0 ? first : first.map { !$0 }))
        }
    }

    @Test func jitterIsAsStrongAsAskedFor() {
        let count = 4800
        let jitter = ColorJitter(brightness: 0.4, contrast: 2, saturation: 0.1, hue: 0.25)
        let drawn = examples(count).map(jitter.operations)
        var orders: [String: Int] = [:]
        var factors: [String: [Double]] = [:]
        for operations in drawn {
            var order = ""
            for operation in operations {
                let (name, factor) =
                    switch operation {
                    case .brightness(let factor): ("brightness", factor)
                    case .contrast(let factor): ("contrast", factor)
                    case .color(let factor): ("color", factor)
                    case .hue(let shift): ("hue", shift)
                    default: ("\(operation)", 0)
                    }
                order += name
                factors[name, default: []].append(factor)
            }
            orders[order, default: 0] += 1
        }
        #expect(orders.count == 24)
        for (order, number) in orders { expectShare(number, of: count, 1 / 24, order) }
        for (name, range) in [
            ("brightness", 0.6...1.4), ("contrast", 0...3), ("color", 0.9...1.1), ("hue", -0.25...0.25),
        ] {
            let values = factors[name] ?? []
            #expect(values.count == count && values.allSatisfy(range.contains), "\(name)")
            let quarter = range.lowerBound + (range.upperBound - range.lowerBound) / 4
            expectShare(values.count { $0 < quarter }, of: count, 0.25, name)
        }
        #expect(examples(100).allSatisfy { ColorJitter(0.4).operations($0).count == 3 })
        #expect(examples(100).allSatisfy { ColorJitter().operations($0).isEmpty })
    }

    @Test func everyKindAndStrengthIsAsFrequent() {
        let count = 14 * 500
        let drawn = examples(count).map(TrivialAugmentWide.operation)
        for (kind, isSo) in [
            ("identity", { $0 == .identity }), ("equalize", { $0 == .equalize }),
            ("rotate", { if case .rotate = $0 { true } else { false } }),
            ("solarize", { if case .solarize = $0 { true } else { false } }),
        ] as [(String, (ImageOperation) -> Bool)] {
            expectShare(drawn.count(where: isSo), of: count, 1 / 14, kind)
        }
        // Strengths are counted from 0 to 30, in steps of 4.5 degrees, to either side.
        let degrees = examples(10 * count).map(TrivialAugmentWide.operation).compactMap {
            if case .rotate(let degrees) = $0 { degrees } else { nil }
        }
        let strengths = Dictionary(grouping: degrees) { abs($0) / 4.5 }
        #expect(Set(strengths.keys) == Set((0...30).map(Double.init)))
        for (strength, found) in strengths {
            expectShare(found.count, of: degrees.count, 1 / 31, "\(strength)")
            if strength > 0 { expectShare(found.count { $0 > 0 }, of: found.count, 0.5, "\(strength) left") }
        }
    }

    @Test(arguments: goldens.erased) func erasingIsTimms(golden: AugmentationGoldens.Erased) {
        let erasing = RandomErasing(probability: golden.probability, mode: golden.mode, count: golden.count)
        let (channels, height, width) = (golden.shape[0], golden.shape[1], golden.shape[2])
        let draws = ExampleDraw(
            seed: golden.draw[0], epoch: Int(golden.draw[1]), example: Int(golden.draw[2]))
        var input = [Float](repeating: 1, count: channels * height * width)
        for erasure in erasing.erasures(height: height, width: width, channels: channels, draws) {
            var span = input.mutableSpan
            erasure.apply(to: &span, channels: channels, height: height, width: width)
        }
        // Single precision's last bit, for logarithms and cosines.
        expectClose(input, golden.result, within: 5e-7, "\(golden.mode)")
    }

    @Test func erasingIsAsFrequentAsAskedFor() {
        let erasing = RandomErasing(probability: 0.3, mode: .rand, count: 3)
        let drawn = examples(6000).map { erasing.erasures(height: 100, width: 200, channels: 3, $0) }
        let erased = drawn.filter { !$0.isEmpty }
        expectShare(erased.count, of: 6000, 0.3, "erased")
        for number in 1...3 {
            expectShare(erased.count { $0.count == number }, of: erased.count, 1 / 3, "\(number) rectangles")
        }
        for erasures in erased {
            for erasure in erasures {
                let (window, number) = (erasure.window, Double(erasures.count))
                #expect(window.top >= 0 && window.top + window.height <= 100 && window.height < 100)
                #expect(window.left >= 0 && window.left + window.width <= 200 && window.width < 200)
                // Sides are rounded by up to half a pixel.
                let (height, width) = (Double(window.height), Double(window.width))
                #expect((height + 0.5) * (width + 0.5) >= 0.02 * 20_000 / number)
                #expect((height - 0.5) * (width - 0.5) <= 20_000 / 3 / number)
                #expect(erasure.values.count == 3)
            }
        }
        let values = erased.joined().flatMap(\.values).map(Double.init)
        expectShare(values.count { $0 < 0 }, of: values.count, 0.5, "below the mean")
        expectShare(values.count { abs($0) < 1 }, of: values.count, 0.682689, "within a deviation")
    }

    /// A draw depends on the seed, the epoch, the example and what it is for, and on nothing else.
    @Test func drawsAreIndependent() {
        func crop(_ seed: UInt64, _ epoch: Int, _ example: Int) -> Window {
            RandomResizedCrop().window(
                height: 5000, width: 5000, ExampleDraw(seed: seed, epoch: epoch, example: example))
        }
        #expect(crop(1, 2, 3) == crop(1, 2, 3))
        let places = [crop(1, 2, 3), crop(2, 2, 3), crop(1, 3, 3), crop(1, 2, 4), crop(1 << 32, 2, 3)]
        #expect(Set(places).count == places.count)
        // Erasing takes thousands of numbers; those of the next example are others.
        let erasing = RandomErasing(probability: 1, mode: .pixel, area: 0.3...0.3)
        let values = examples(3).map { erasing.erasures(height: 100, width: 100, channels: 3, $0)[0].values }
        #expect(Set(values.joined()).count > 3 * 8500)
    }
}
