import Testing
import VGGImages
import VGGTestSupport

/// Pictures of rectangles for garments, so that what must come out is known to the pixel.
@Suite struct GarmentTests {
    typealias Colour = SIMD3<Int>

    private static func grey(_ luma: Int) -> Colour { Colour(repeating: luma) }

    /// A T-shirt of 20×24 pixels: sleeves of 4 pixels at both sides of a body.
    private static func isShirt(_ y: Int, _ x: Int) -> Bool {
        (0..<20).contains(y) && (0..<24).contains(x) && (y < 8 || (4..<20).contains(x))
    }

    /// A colour picture, pixel by pixel.
    private func picture(_ height: Int, _ width: Int, _ colour: (Int, Int) -> Colour) -> Pixels {
        var bytes: [UInt8] = []
        for y in 0..<height {
            for x in 0..<width {
                for channel in 0..<3 { bytes.append(UInt8(clamping: colour(y, x)[channel])) }
            }
        }
        return Pixels(height: height, width: width, channels: 3, bytes: bytes[...])
    }

    /// A shirt at row 10 and column 18 before a background.
    private func shirt(_ colour: Colour, before background: (Int, Int) -> Colour) -> Pixels {
        picture(48, 64) { y, x in Self.isShirt(y - 10, x - 18) ? colour : background(y, x) }
    }

    private func value(_ picture: Pixels, _ y: Int, _ x: Int) -> UInt8 {
        picture.bytes[picture.bytes.startIndex + y * picture.width + x]
    }

    /// - Parameter top: where the shirt begins in the square.
    private func expectShirt(
        _ found: Pixels, _ expected: (Int, Int) -> Double, within tolerance: Double = 1,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(found.channels == 1, sourceLocation: sourceLocation)
        guard (found.height, found.width) == (24, 24) else {
            Issue.record("\(found.height)×\(found.width), not 24×24", sourceLocation: sourceLocation)
            return
        }
        for y in 0..<24 {
            for x in 0..<24 {
                let wanted = Self.isShirt(y - 2, x) ? expected(y + 8, x + 18) : 0
                let difference = abs(Double(value(found, y, x)) - wanted)
                // What is black is black.
                guard difference > (wanted == 0 ? 0 : tolerance) else { continue }
                Issue.record(
                    "row \(y), column \(x): \(value(found, y, x)), not \(wanted)",
                    sourceLocation: sourceLocation)
                return
            }
        }
    }

    @Test(arguments: [
        (garment: 80, background: 253), (garment: 0, background: 200), (garment: 200, background: 5),
        (garment: 255, background: 0), (garment: 150, background: 100), (garment: 100, background: 150),
    ])
    func findsItOnOneColour(_ luma: (garment: Int, background: Int)) {
        let found = shirt(Self.grey(luma.garment)) { _, _ in Self.grey(luma.background) }.garment
        let (garment, background) = (Double(luma.garment), Double(luma.background))
        let share =
            garment < background ? 1 - garment / background : (garment - background) / (255 - background)
        expectShirt(found) { _, _ in 255 * share }
    }

    /// A white shoulder does not vanish over a dark body.
    @Test func findsWhatIsLighterAndWhatIsDarker() {
        let found = picture(48, 64) { y, x in
            Self.isShirt(y - 10, x - 18) ? Self.grey(y < 15 ? 230 : 30) : Self.grey(110)
        }.garment
        let (lighter, darker) = (255 * 120 / 145.0, 255 * 80 / 110.0)
        expectShirt(found) { y, _ in y < 15 ? lighter : darker }
    }

    /// The light comes from the side, and there is some noise.
    @Test func findsItOnAnUnevenBackground() {
        func background(_ y: Int, _ x: Int) -> Int { 140 + 110 * x / 63 - 20 * y / 47 }
        var random = SeededGenerator(state: 1)
        let found = shirt(Self.grey(60)) { y, x in
            Self.grey(background(y, x) + Int.random(in: -3...3, using: &random))
        }.garment
        expectShirt(found, { y, x in 255 * (1 - 60 / Double(background(y, x))) }, within: 5)
    }

    @Test func findsColoursOnColours() {
        // Red (luma 76) on green (150): darker.
        let found = shirt(Colour(255, 0, 0)) { _, _ in Colour(0, 255, 0) }.garment
        expectShirt(found) { _, _ in 255 * (1 - 76.2 / 149.7) }
    }

    /// One channel, as a photo that was grey in its file.
    @Test func findsItInGrey() {
        let colours = shirt(Self.grey(40)) { _, _ in Self.grey(240) }
        #expect(colours.with(channels: 1).garment == colours.garment)
    }

    /// Dust is no garment, a second shoe is.
    @Test func knowsDustFromAPair() {
        let found = picture(60, 60) { y, x in
            let isShoe = (20..<30).contains(y) && ((10..<25).contains(x) || (30..<45).contains(x))
            return Self.grey(isShoe || (y, x) == (3, 3) || (y, x) == (50, 40) ? 0 : 250)
        }.garment
        #expect(found.height == 35 && found.width == 35)
        for (y, x) in [(12, 0), (21, 14), (12, 20), (21, 34)] { #expect(value(found, y, x) == 255) }
        for (y, x) in [(11, 0), (22, 14), (12, 15), (12, 19)] { #expect(value(found, y, x) == 0) }
    }

    /// Trousers that reach from edge to edge, and from side to side.
    @Test(arguments: [true, false]) func mayTouchTheEdges(isUpright: Bool) {
        let found = picture(60, 60) { y, x in
            Self.grey((isUpright ? 22..<38 : 25..<35).contains(isUpright ? x : y) ? 30 : 240)
        }.garment
        #expect(found.height == 60)
        let inside = isUpright ? (0, 30) : (30, 0)
        let beside = isUpright ? (30, 21) : (24, 30)
        #expect(value(found, inside.0, inside.1) == 223 && value(found, beside.0, beside.1) == 0)
    }

    /// What fills the picture cannot be told from a background: it is taken as the data set's makers would.
    @Test func takesTheWholePictureWhereNothingStandsOut() {
        var random = SeededGenerator(state: 2)
        let cloth = picture(30, 20) { _, _ in Self.grey(Int.random(in: 60...68, using: &random)) }
        let found = cloth.garment
        #expect((found.height, found.width) == (30, 30))
        let grey = cloth.with(channels: 1)
        for y in 0..<30 {
            for x in 0..<30 {
                let wanted = (5..<25).contains(x) ? 255 - value(grey, y, x - 5) : 0
                #expect(value(found, y, x) == wanted)
            }
        }
    }

    /// A picture of the data set itself is that already.
    @Test func leavesThePicturesOfTheDataSet() {
        var random = SeededGenerator(state: 3)
        let bytes = (0..<784).map { place -> UInt8 in
            (7..<21).contains(place % 28) ? UInt8.random(in: 40...255, using: &random) : 0
        }
        let picture = Pixels(height: 28, width: 28, channels: 1, bytes: bytes[...])
        #expect(picture.garment == picture)
    }

    @Test func reducesLargePhotos() {
        let found = picture(1200, 900) { y, x in
            Self.grey((300..<900).contains(y) && (300..<600).contains(x) ? 20 : 230)
        }.garment
        // The garment is half as high as 512 pixels, and resizing spreads each edge by one.
        #expect(found.height == found.width && (256...258).contains(found.height))
    }

    @Test(arguments: [(1, 1), (1, 9), (9, 1), (2, 2)]) func takesAnySize(_ size: (Int, Int)) {
        let found = picture(size.0, size.1) { y, x in Self.grey(40 * (x + y)) }.garment
        #expect(found.height == found.width && found.channels == 1)
    }

    /// It is found before the picture is resized and becomes numbers, by the same preparation for all.
    @Test func isAPartOfThePreprocessing() throws {
        let plain = try Preprocessing.plain(24, channels: .grey)
        let preprocessing = plain.looking(for: .garment)
        #expect(try preprocessing.resized(to: 24) == preprocessing && !preprocessing.isPlain)
        let photo = shirt(Self.grey(0)) { _, _ in Self.grey(255) }
        let input = Preparation(preprocessing).input(from: photo)
        #expect(input.values == photo.garment.bytes.map { Float($0) / 255 })
        let image = RGBImage(width: 64, height: 48, pixels: Array(photo.bytes))
        #expect(preprocessing.crop(image).pixels == photo.garment.bytes.flatMap { [$0, $0, $0] })
    }
}
