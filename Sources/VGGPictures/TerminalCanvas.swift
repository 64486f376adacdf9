/// A grid of characters for a terminal, with finer dots (2 × 4 a character, Unicode braille) to draw lines on.
struct TerminalCanvas {
    private struct Cell {
        var character: Character = " "
        /// Braille dots, one bit each; none where the cell holds a character.
        var dots: UInt8 = 0
        var colour: Colour?
    }

    let width: Int
    let height: Int
    private var cells: [Cell]

    /// - Precondition: `width` and `height` are not negative.
    init(width: Int, height: Int) {
        self.width = width
        self.height = height
        cells = [Cell](repeating: Cell(), count: width * height)
    }

    /// Writes text from left to right; what is beside the canvas is left out.
    mutating func write(_ text: String, column: Int, row: Int) {
        guard (0..<height).contains(row) else { return }
        for (offset, character) in text.enumerated() where (0..<width).contains(column + offset) {
            cells[row * width + column + offset] = Cell(character: character)
        }
    }

    private mutating func setDot(x: Int, y: Int, colour: Colour) {
        guard (0..<width * 2).contains(x), (0..<height * 4).contains(y) else { return }
        // The order of the bits, row by row, is Unicode's (chapter "Braille Patterns").
        let bits: [[UInt8]] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]]
        let index = y / 4 * width + x / 2
        cells[index].dots |= bits[y % 4][x % 2]
        cells[index].colour = colour
    }

    /// Draws the line through `points`, in dots from the upper left corner; a single point is one dot.
    mutating func draw(_ points: [(x: Int, y: Int)], colour: Colour, dash: Dash) {
        guard let first = points.first else { return }
        let pattern: [Bool] =
            switch dash {
            case .solid: [true]
            case .dashed: [true, true, true, true, false, false]
            case .dashDot: [true, true, true, true, false, false, true, false, false]
            case .dotted: [true, false, false]
            }
        setDot(x: first.x, y: first.y, colour: colour)
        var phase = 1
        for (start, end) in zip(points, points.dropFirst()) {
            let steps = max(abs(end.x - start.x), abs(end.y - start.y))
            for step in 0..<steps {
                let t = Double(step + 1) / Double(steps)
                if pattern[phase % pattern.count] {
                    setDot(
                        x: start.x + Int((Double(end.x - start.x) * t).rounded()),
                        y: start.y + Int((Double(end.y - start.y) * t).rounded()), colour: colour)
                }
                phase += 1
            }
        }
    }

    /// The rows as lines of exactly `width` characters, with a line feed after each.
    /// - Parameter isColoured: whether ANSI sequences (256 colours) switch to each cell's colour and back.
    func text(isColoured: Bool) -> String {
        var text = ""
        for row in 0..<height {
            var current: Colour?
            for cell in cells[row * width..<(row + 1) * width] {
                if isColoured, cell.colour != current {
                    text += cell.colour.map { "\u{1B}[38;5;\($0.terminalIndex)m" } ?? "\u{1B}[39m"
                    current = cell.colour
                }
                if cell.dots == 0 {
                    text.append(cell.character)
                } else {
                    text.unicodeScalars.append(Unicode.Scalar(0x2800 + UInt32(cell.dots)) ?? " ")
                }
            }
            text += current == nil ? "\n" : "\u{1B}[39m\n"
        }
        return text
    }
}

extension Colour {
    /// The nearest colour of the 6 × 6 × 6 cube in a terminal's 256 colours.
    fileprivate var terminalIndex: Int {
        let levels = [0, 95, 135, 175, 215, 255]
        func nearest(_ value: UInt8) -> Int {
            levels.indices.min { abs(levels[$0] - Int(value)) < abs(levels[$1] - Int(value)) } ?? 0
        }
        return 16 + 36 * nearest(red) + 6 * nearest(green) + nearest(blue)
    }
}
