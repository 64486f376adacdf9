import Foundation
import Testing
import VGGPictures

@Suite struct BitmapTests {
    /// How many pixels' worth of black there is on white.
    private func ink(_ bitmap: Bitmap) -> Double {
        stride(from: 0, to: bitmap.bytes.count, by: 3).reduce(0) { $0 + Double(255 - bitmap.bytes[$1]) / 255 }
    }

    @Test func pngHoldsThePixels() throws {
        var bitmap = Bitmap(width: 7, height: 5, background: Colour(0x102030))
        bitmap[3, 2] = .red
        bitmap[6, 4] = .blue
        let png = try PNG(bitmap.pngData())
        #expect(png.width == 7)
        #expect(png.height == 5)
        #expect(png.bytes == bitmap.bytes)
        #expect(png.colour(x: 3, y: 2) == .red)
        #expect(png.colour(x: 6, y: 4) == .blue)
        #expect(png.colour(x: 0, y: 0) == Colour(red: 0x10, green: 0x20, blue: 0x30))
    }

    /// A quarter turn, to the bit.
    @Test func textRunsUpward() {
        var (level, upright) = (Bitmap(width: 60, height: 60), Bitmap(width: 60, height: 60))
        level.draw("Kgj", at: [10, 30], size: 14, anchor: .middle, colour: .blue)
        level.draw("Kgj", at: [20, 50], size: 14, colour: .red)
        upright.draw("Kgj", at: [30, 50], size: 14, anchor: .middle, colour: .blue, isUpward: true)
        upright.draw("Kgj", at: [50, 40], size: 14, colour: .red, isUpward: true)
        #expect(ink(level) > 50)
        for y in 0..<60 {
            for x in 0..<60 { #expect(upright[y, 59 - x] == level[x, y], "\(x), \(y)") }
        }
    }

    @Test func fillsWholeAndPartsOfPixels() {
        var bitmap = Bitmap(width: 6, height: 6)
        bitmap.fill(from: [1, 2], to: [4, 4.5], colour: .black)
        #expect(bitmap[1, 2] == .black)
        #expect(bitmap[3, 3] == .black)
        #expect(bitmap[4, 3] == .white)
        #expect(bitmap[3, 4] == Colour(0x808080) || bitmap[3, 4] == Colour(0x7F7F7F))
        #expect(abs(ink(bitmap) - 7.5) < 0.02)
        bitmap.fill(from: [-1e300, -5], to: [1e300, 1], colour: .black, opacity: 0.5)
        #expect(abs(ink(bitmap) - 10.5) < 0.04)
    }

    @Test func aLineBetweenPixelRowsFillsThem() {
        var bitmap = Bitmap(width: 20, height: 10)
        bitmap.stroke([[4, 5], [16, 5]], Stroke(.green, width: 2))
        for x in 4..<16 {
            #expect(bitmap[x, 4] == .green)
            #expect(bitmap[x, 5] == .green)
            #expect(bitmap[x, 3] == .white)
            #expect(bitmap[x, 6] == .white)
        }
        #expect(bitmap[2, 4] == .white)
        #expect(bitmap[17, 5] == .white)
    }

    @Test(arguments: [1.0, 2, 5.5])
    func aSlantedLineHasTheAreaOfItsLengthTimesWidth(width: Double) {
        var bitmap = Bitmap(width: 120, height: 100)
        bitmap.stroke([[20, 20], [100, 80]], Stroke(.black, width: width))
        let area = 100 * width + .pi * width * width / 4
        #expect(abs(ink(bitmap) - area) < 0.03 * area)
    }

    @Test func aLineThinnerThanAPixelIsPale() {
        var bitmap = Bitmap(width: 120, height: 20)
        bitmap.stroke([[10, 10.5], [110, 10.5]], Stroke(.black, width: 0.5))
        #expect(abs(ink(bitmap) - 50) < 5)
    }

    @Test func aPointIsADot() {
        var bitmap = Bitmap(width: 20, height: 20)
        bitmap.stroke([[10, 10]], Stroke(.black, width: 8))
        #expect(abs(ink(bitmap) - 16 * .pi) < 1)
        #expect(bitmap[10, 10] == .black)
        #expect(bitmap[7, 7] != .black)
        #expect(bitmap[4, 10] == .white)
    }

    @Test func cornersAreNotMixedTwice() {
        var bitmap = Bitmap(width: 30, height: 30)
        // Half-covered pixels on both sides: a second pass over them would make them darker.
        bitmap.stroke([[5, 10.5], [25, 10.5], [5, 10.5]], Stroke(.black, width: 2))
        #expect(bitmap[15, 9] == bitmap[15, 11])
        #expect(abs(Int(bitmap[15, 9].red) - 128) <= 1)
    }

    @Test(arguments: [(Dash.dashed, 3.0 / 5.8), (.dashDot, 4.2 / 9.4), (.dotted, 0)])
    func dashesLeaveGaps(dash: Dash, drawn: Double) {
        var bitmap = Bitmap(width: 1020, height: 20)
        bitmap.stroke([[10, 10], [400, 10], [1010, 10]], Stroke(.black, width: 4, dash: dash))
        let columns = (10..<1010).filter { bitmap[$0, 10] == .black }.count
        // Round ends add up to a width to each stretch.
        #expect(Double(columns) > 1000 * drawn)
        #expect(columns < 800)
        #expect((10..<1010).contains { bitmap[$0, 10] == .white })
    }

    @Test func whatIsBesideThePictureIsLeftOut() {
        var bitmap = Bitmap(width: 10, height: 10)
        bitmap.stroke([[-50, -50], [-20, 30], [-50, 1000]], Stroke(.black, width: 3))
        bitmap.stroke([[1e9, 5], [2e9, 5]], Stroke(.black, width: 3))
        bitmap.draw("text", at: [5, 500], size: 20)
        bitmap.stroke([], Stroke(.black))
        #expect(bitmap == Bitmap(width: 10, height: 10))
        bitmap.stroke([[-1e6, 5], [1e6, 5]], Stroke(.black, width: 2))
        #expect(bitmap[0, 4] == .black)
        #expect(bitmap[9, 5] == .black)
    }

    private func picture(of text: String) -> Bitmap {
        var bitmap = Bitmap(width: 60, height: 60)
        bitmap.draw(text, at: [12, 42], size: 36)
        return bitmap
    }

    @Test func everyPrintableCharacterHasItsOwnLetter() {
        let characters = (33..<127).map { String(UnicodeScalar(UInt8($0))) } + ["×", "–", "…", "\u{3042}"]
        let pictures = Set(characters.map { picture(of: $0).bytes })
        #expect(pictures.count == characters.count)
        #expect(ink(picture(of: " ")) == 0)
        for character in characters { #expect(ink(picture(of: character)) > 10, "\(character)") }
    }

    @Test func lettersStayInTheirWidth() {
        for code in 33..<127 {
            let text = String(UnicodeScalar(UInt8(code)))
            let bitmap = picture(of: text)
            let end = 12 + Bitmap.width(of: text, size: 36)
            for y in 0..<60 {
                for x in 0..<60 where bitmap[x, y] != .white {
                    // j reaches a little to the left, as in any typeface.
                    #expect(Double(x) > 12 - 4 && Double(x) < end + 1, "\(text)")
                }
            }
        }
    }

    @Test func anchorsMoveText() {
        let width = Bitmap.width(of: "epoch 10", size: 20)
        #expect(abs(width - Bitmap.width(of: "epoch ", size: 20) - Bitmap.width(of: "10", size: 20)) < 1e-9)
        func drawn(_ x: Double, _ anchor: TextAnchor) -> Bitmap {
            var bitmap = Bitmap(width: 200, height: 40)
            bitmap.draw("epoch 10", at: [x, 30], size: 20, anchor: anchor)
            return bitmap
        }
        #expect(drawn(100, .start) == drawn(100 + width, .end))
        #expect(drawn(50, .start) == drawn(50 + width / 2, .middle))
    }
}
