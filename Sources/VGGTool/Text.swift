import Foundation

/// Numbers as people read them.
enum Text {
    /// Such as `12 s`, `3 min 20 s` or `2 h 13 min`.
    static func duration(_ seconds: Double) -> String {
        // Beyond this nobody cares, and Int could overflow.
        let total = Int(min(max(seconds, 0), 1e9).rounded())
        return switch total {
        case ..<60: "\(total) s"
        case ..<3600: "\(total / 60) min \(total % 60) s"
        default: "\(total / 3600) h \(total % 3600 / 60) min"
        }
    }

    /// Such as `1 test` or `10 tests`.
    static func count(_ number: Int, _ noun: String, plural: String? = nil) -> String {
        "\(number) \(number == 1 ? noun : plural ?? "\(noun)s")"
    }

    static func fixed(_ value: Double, _ digits: Int) -> String {
        // The sign of "not a number" says nothing.
        value.isNaN ? "nan" : String(format: "%.\(digits)f", value)
    }

    static func left(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }

    static func right(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(0, width - text.count)) + text
    }

    /// Rows, the header first, as lines whose columns align: `leftColumns` of them left, the rest right.
    /// - Parameter width: the characters of a line. Where a row has more, its columns go on below, indented, in the same
    ///   way for every row. nil for as many as it takes.
    static func table(_ rows: [[String]], leftColumns: Int, width: Int? = nil) -> [String] {
        let widths = (rows.first ?? []).indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        // The columns of each line of a row.
        var lines: [Range<Int>] = []
        var used = 0
        for column in widths.indices {
            if let line = lines.last, used + 2 + widths[column] <= width ?? .max {
                lines[lines.count - 1] = line.lowerBound..<column + 1
                used += 2 + widths[column]
            } else {
                lines.append(column..<column + 1)
                used = (lines.count > 1 ? 2 : 0) + widths[column]
            }
        }
        return rows.flatMap { row in
            lines.enumerated().map { index, columns in
                let cells = columns.map { column in
                    column < leftColumns
                        ? left(row[column], widths[column]) : right(row[column], widths[column])
                }
                let line = (index > 0 ? "  " : "") + cells.joined(separator: "  ")
                return String(line.reversed().drop { $0 == " " }.reversed())
            }
        }
    }

    /// The text with its lines broken between words, so that none has more than `width` characters, if it has no
    /// longer word.
    ///
    /// - Parameter indent: how much further right than the line's beginning stands what goes on below.
    static func wrapped(_ text: some StringProtocol, width: Int, indent: Int = 2) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            guard line.count > width else { return String(line) }
            let column = min(line.prefix { $0 == " " }.count + indent, width / 2)
            var lines = [""]
            var length = 0
            var rest = line[...]
            while !rest.isEmpty {
                let gap = rest.prefix { $0 == " " }
                let word = rest.dropFirst(gap.count).prefix { $0 != " " }
                rest = rest.dropFirst(gap.count + word.count)
                if length + gap.count + word.count > width, length > column {
                    lines.append(String(repeating: " ", count: column) + word)
                    length = column + word.count
                } else {
                    lines[lines.count - 1] += gap + word
                    length += gap.count + word.count
                }
            }
            return lines.joined(separator: "\n")
        }.joined(separator: "\n")
    }
}
