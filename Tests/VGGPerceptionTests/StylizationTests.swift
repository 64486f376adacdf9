import Testing
import VGGCPU
import VGGEngine
import VGGImages
import VGGModel
import VGGPerception
import VGGTestSupport

/// Whole style transfers, against a PyTorch program (Scripts/goldens/perception.py).
@Suite struct StylizationTests {
    private func stylization(
        _ golden: PerceptionGolden, _ change: (inout StylizationSettings) -> Void
    ) -> Stylization {
        var settings = StylizationSettings()
        settings.styleWeight = 100
        change(&settings)
        return Stylization(
            golden.network, weights: golden.weights, preprocessing: .imageNet, settings: settings,
            device: .cpu(threads: 2))
    }

    @Test(arguments: [
        ("adam", PictureOptimizer.adam(Adam(learningRate: 0.02)), 20),
        ("lbfgs", .lbfgs(LBFGS(learningRate: 1, history: 4)), 10),
    ])
    func stepsArePyTorchs(_ name: String, _ optimizer: PictureOptimizer, _ steps: Int) throws {
        let golden = try PerceptionGolden()
        let stylization = stylization(golden) {
            $0.optimizer = optimizer
            $0.scales = [.init(size: 56, steps: steps)]
        }
        var losses: [Double] = []
        let picture = try stylization.picture(
            of: golden.picture("content"), inTheMannerOf: [(golden.picture("manner"), 1)]
        ) {
            losses.append($0.losses.total)
            return true
        }
        let expected = try golden.tensor("\(name)/losses").values
        #expect(losses.count == steps && expected[expected.count - 1] < 0.7 * expected[0])
        for (step, loss) in losses.enumerated() {
            #expect(abs(loss - Double(expected[step])) < 1e-3 * Double(expected[step]), "step \(step)")
        }
        let colours = PictureColours(.imageNet)
        let wanted = colours.picture(
            of: Array(try golden.tensor("\(name)/picture").values), height: 40, width: 56)
        let differences = zip(picture.pixels, wanted.pixels).map { abs(Int($0) - Int($1)) }
        #expect(picture.width == 56 && differences.reduce(0, +) < differences.count / 4)
    }

    @Test func goesOnFromScaleToScaleUntilToldToStop() throws {
        let golden = try PerceptionGolden()
        let stylization = stylization(golden) {
            $0.scales = [.init(size: 32, steps: 3), .init(size: 48, steps: 5)]
            $0.start = .noise(seed: 7)
        }
        var states: [String] = []
        var last: RGBImage?
        let picture = try stylization.picture(
            of: golden.picture("content"),
            inTheMannerOf: [(golden.picture("manner"), 2), (golden.picture("other"), 1)]
        ) { state in
            states.append("\(state.scale)/\(state.scales) \(state.step)/\(state.steps)")
            last = state.picture()
            return states.count < 5
        }
        #expect(states == ["0/2 1/3", "0/2 2/3", "0/2 3/3", "1/2 1/5", "1/2 2/5"])
        #expect(picture == last && picture.width == 48 && picture.height == 34)
    }

    @Test func theContentsColoursAreKept() throws {
        let golden = try PerceptionGolden()
        let content = try golden.picture("content")
        let stylization = stylization(golden) {
            $0.scales = [.init(size: 56, steps: 2)]
            $0.keepsColours = true
        }
        let picture = try stylization.picture(
            of: content, inTheMannerOf: [(golden.picture("manner"), 1)])
        #expect(picture != content)
        // Every channel of a pixel moves by as much, where none is cut off.
        for start in stride(from: 0, to: content.pixels.count, by: 3) {
            let pixel = picture.pixels[start..<start + 3]
            guard pixel.allSatisfy({ (1...254).contains($0) }) else { continue }
            let moves = zip(pixel, content.pixels[start..<start + 3]).map { Int($0) - Int($1) }
            #expect((moves.max() ?? 0) - (moves.min() ?? 0) <= 1)
        }
    }

    @Test func memoryIsThatOfTheLargestScale() throws {
        let golden = try PerceptionGolden()
        let content = try golden.picture("content")
        func memory(_ sizes: [Int], _ optimizer: PictureOptimizer = .adam(Adam())) throws -> Int {
            try stylization(golden) {
                $0.scales = sizes.map { .init(size: $0, steps: 1) }
                $0.optimizer = optimizer
            }.memory(of: content)
        }
        #expect(try memory([512]) == memory([64, 512, 256]))
        #expect(try memory([512]) > 2 * memory([256]))
        let lbfgs = PictureOptimizer.lbfgs(LBFGS(history: 20))
        #expect(try memory([64], lbfgs) - memory([64]) == 40 * 3 * 64 * 46 * 4)
    }

    @Test func refusesWhatDoesNotFitIntoMemory() throws {
        let golden = try PerceptionGolden()
        let stylization = Stylization(
            golden.network, weights: golden.weights, preprocessing: .imageNet,
            device: Device.cpu.limited(toMemory: 1 << 20))
        #expect(throws: PlanError.self) {
            try stylization.picture(
                of: golden.picture("content"), inTheMannerOf: [(golden.picture("manner"), 1)])
        }
    }

    @Test func sidesKeepTheirProportion() {
        let picture = RGBImage(width: 3, height: 2, pixels: Array(repeating: 9, count: 18))
        for (longer, height, width) in [(100, 67, 100), (1, 1, 1), (3, 2, 3)] {
            let sides = picture.sides(withLonger: longer)
            #expect(sides.height == height && sides.width == width)
        }
        #expect(picture.resized(height: 4, width: 5).pixels == Array(repeating: 9, count: 60))
    }
}
