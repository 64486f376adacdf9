import Testing
import VGGPictures

@Suite struct ContactSheetTests {
    let grey = ContactSheet.Item(
        pixels: [0, 50, 100, 150, 200, 250], width: 3, height: 2, channels: 1, caption: "")
    let coloured = ContactSheet.Item(
        pixels: [255, 0, 0, 0, 255, 0, 0, 0, 255, 9, 8, 7], width: 2, height: 2, channels: 3, caption: "a\nb",
        captionColour: .red)

    /// Where the pixels of a colour are.
    private func positions(of colour: Colour, in png: PNG) -> [(x: Int, y: Int)] {
        (0..<png.width * png.height).map { ($0 % png.width, $0 / png.width) }
            .filter { png.colour(x: $0.0, y: $0.1) == colour }
    }

    @Test func pixelsBecomeSquares() throws {
        let png = try PNG(ContactSheet([grey], columns: 1, scale: 8).png())
        let first = try #require(positions(of: Colour(0x323232), in: png).first)
        #expect(positions(of: Colour(0x323232), in: png).count == 64)
        #expect(png.colour(x: first.x - 1, y: first.y) == .black)
        #expect(png.colour(x: first.x + 8, y: first.y) == Colour(0x646464))
        #expect(png.colour(x: first.x, y: first.y + 8) == Colour(0xC8C8C8))
        #expect(png.colour(x: first.x, y: first.y - 1) == .white)
    }

    @Test func coloursAreKept() throws {
        let png = try PNG(ContactSheet([coloured], columns: 3, scale: 5).png())
        for colour in [Colour(0xFF0000), Colour(0x00FF00), Colour(0x0000FF), Colour(0x090807)] {
            #expect(positions(of: colour, in: png).count == 25)
        }
    }

    @Test func rowsAreFilledFromTheLeft() throws {
        let items = [grey, grey, grey, coloured, grey]
        let png = try PNG(ContactSheet(items, columns: 2, scale: 4).png())
        // 3 × 4 pixels and 10 of margin a column; the third row has one picture.
        #expect(png.width == 2 * (12 + 10) + 10)
        let red = positions(of: Colour(0xFF0000), in: png)
        #expect(red.map(\.x).min() == 10 + 22)
        #expect(try #require(red.map(\.y).min()) > png.height / 3)
        #expect(try #require(red.map(\.y).max()) < png.height * 2 / 3)
    }

    @Test func captionsAreBelowAndStayInTheirColumn() throws {
        let long = ContactSheet.Item(
            pixels: [UInt8](repeating: 255, count: 784), width: 28, height: 28, channels: 1,
            caption: "a caption much longer than the picture", captionColour: .blue)
        let png = try PNG(ContactSheet([long], columns: 1, scale: 2).png())
        let inked = (0..<png.width * png.height).map { ($0 % png.width, $0 / png.width) }
            .filter { png.colour(x: $0.0, y: $0.1) != .white }
        #expect(!inked.isEmpty)
        #expect(inked.allSatisfy { $0.1 >= 10 + 56 && $0.0 >= 9 && $0.0 <= 10 + 56 })
    }

    @Test func anEmptySheetIsAPicture() throws {
        #expect(try PNG(ContactSheet([], columns: 4, scale: 2).png()).width > 0)
    }
}
