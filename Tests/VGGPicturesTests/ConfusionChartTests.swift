import Testing
import VGGPictures

@Suite struct ConfusionChartTests {
    /// The share of pixels that have a colour, of a kind of it.
    private func count(_ bitmap: Bitmap, where matches: (Colour) -> Bool) -> Int {
        (0..<bitmap.width * bitmap.height).count { matches(bitmap[$0 % bitmap.width, $0 / bitmap.width]) }
    }

    private func isReddish(_ colour: Colour) -> Bool { Int(colour.red) > Int(colour.blue) + 8 }
    private func isBluish(_ colour: Colour) -> Bool { Int(colour.blue) > Int(colour.red) + 8 }

    @Test func rightIsBlueAndMistakesAreRed() {
        let right = ConfusionChart(names: ["a", "b"], counts: [[5, 0], [0, 3]]).bitmap()
        #expect(count(right, where: isReddish) == 0 && count(right, where: isBluish) > 2 * 40 * 40)
        let wrong = ConfusionChart(names: ["a", "b"], counts: [[0, 4], [2, 0]]).bitmap()
        #expect(count(wrong, where: isBluish) == 0 && count(wrong, where: isReddish) > 2 * 40 * 40)
        // One mistake in a thousand can still be seen.
        let rare = ConfusionChart(names: ["a", "b"], counts: [[999, 1], [0, 9]]).bitmap()
        #expect(count(rare, where: isReddish) > 40 * 40)
    }

    /// Mistakes of row 0 taken for column 1 are at the upper right.
    @Test func rowsAreWhatItIs() throws {
        let chart = ConfusionChart(names: ["a", "b", "c"], counts: [[0, 0, 9], [0, 9, 0], [0, 0, 9]]).bitmap()
        let blue = (0..<chart.width * chart.height).filter {
            isBluish(chart[$0 % chart.width, $0 / chart.width])
        }
        let red = (0..<chart.width * chart.height).filter {
            isReddish(chart[$0 % chart.width, $0 / chart.width])
        }
        let (firstRed, firstBlue) = (try #require(red.first), try #require(blue.first))
        #expect(firstRed / chart.width < firstBlue / chart.width)
        #expect(firstRed % chart.width > firstBlue % chart.width)
    }

    /// What stands above a small matrix is not cut off.
    @Test func isAsWideAsItsTitle() {
        func chart(_ title: String) -> Bitmap {
            ConfusionChart(title: title, names: ["a", "b"], counts: [[5, 0], [0, 3]]).bitmap()
        }
        let long = String(repeating: "a long title ", count: 9)
        #expect(chart(long).width > Int(Bitmap.width(of: long, size: 16)))
        let answer = Bitmap.width(of: "the network's answer", size: 14)
        #expect(chart("").width == chart("short").width && chart("").width > Int(answer) + 40)
    }

    /// A thousand classes still fit a picture that programs open, and long names leave room for the cells.
    @Test(arguments: [1, 10, 100, 1000]) func fitsAnyNumberOfClasses(_ classes: Int) {
        let name = String(repeating: "a long name ", count: 8)
        let chart = ConfusionChart(
            title: "many", names: (0..<classes).map { "\(name)\($0)" },
            counts: (0..<classes).map { row in (0..<classes).map { $0 == row ? 7 : 0 } })
        let bitmap = chart.bitmap()
        #expect(bitmap.width < 3400 && bitmap.height < 3400)
        #expect(count(bitmap, where: isBluish) >= 9 * classes)
    }
}
