import Foundation
import Testing

private let training = """
    train --conv-arch 1x8,1x16 --size 8 --batch-size 32 --train-limit 320 --test-limit 1000 --precision fp32 \
    --epochs 1 --run-dir run
    """

extension ToolTests {
    /// What a terminal of so many columns is sent.
    func sent(_ arguments: String, columns: Int, environment: String = "") throws -> String {
        let command =
            "stty cols \(columns) rows 40; unset NO_COLOR; export TERM=xterm \(environment); '$0' $*"
        let result = try run(arguments, shell: "exec script -qec \"\(command)\" /dev/null")
        #expect(result.status == 0 && !result.output.isEmpty, "\(arguments): \(result.errors)")
        return result.output
    }

    /// The lines that are seen at any time, without colours.
    func lines(_ sent: String) -> [String] {
        sent.replacing(/\u{1B}\[[0-9;]*[mAJ]/, with: "").split { $0.isNewline || $0 == "\r" }.map(String.init)
    }

    /// What a terminal shows at the end, as far as these sequences go: the cursor goes up, and what follows it is cleared.
    private func screen(_ sent: String) -> [String] {
        var lines = [""]
        var row = 0
        var rest = sent.replacing("\r\n", with: "\n").replacing(/\u{1B}\[[0-9;]*m/, with: "")[...]
        while let character = rest.first {
            if let up = rest.prefixMatch(of: /\u{1B}\[([0-9]+)A\u{1B}\[J/) {
                row -= Int(up.1) ?? 0
                lines.removeSubrange((row + 1)...)
                lines[row] = ""
                rest = rest[up.range.upperBound...]
                continue
            }
            rest.removeFirst()
            if character == "\n" {
                row += 1
                if row == lines.count { lines.append("") }
            } else if character == "\r" {
                lines[row] = ""
            } else {
                lines[row].append(character)
            }
        }
        return lines
    }

    /// The chart is drawn in its own place again and again, and only the last one stays, below all lines.
    @Test(.enabled(if: hasTerminals)) func theChartGrows() throws {
        let long = training.replacing("--epochs 1", with: "--epochs 3")
        let sent = try sent(long, columns: 80)
        #expect(sent.matches(of: /train loss/).count > 3 && sent.contains("\u{1B}[17A\u{1B}[J"))
        let seen = screen(sent)
        #expect(seen.count { $0.contains("train loss") } == 1)
        // The axis is an epoch's, too.
        let epochs = seen.indices.filter { seen[$0].prefixMatch(of: /epoch [0-9]/) != nil }
        #expect(
            epochs.count == 3 && !seen[..<epochs[2]].contains { $0.contains("┤") }, "nothing is left of it")
        let legend = try #require(seen.firstIndex { $0.contains("train loss") })
        #expect(legend > epochs[2] && seen.contains { $0.hasPrefix("curves: ") })
        // Going on, it has what was there before.
        let more = try self.sent("train --resume run --epochs 4", columns: 80)
        #expect(screen(more).count { $0.contains("train loss") } == 1)
    }

    static let hasTerminals = FileManager.default.isExecutableFile(atPath: "/usr/bin/script")

    @Test(
        .enabled(if: hasTerminals),
        arguments: [
            "summary --plan --width-divisor 4", "summary --by layer --arch vgg16", "train --help", "--help",
            "bench --conv-arch 1x8,1x8 --size 8 --steps 1 --batch-size 2",
        ], [20, 40, 60, 80, 200])
    func linesFitTerminals(_ arguments: String, _ columns: Int) throws {
        for line in lines(try sent(arguments, columns: columns)) {
            // A word that is longer than the terminal is wide can only be left alone.
            let isWord = !line.trimmingCharacters(in: .whitespaces).contains(" ")
            #expect(line.count <= columns || isWord, "\(line)")
        }
    }

    @Test(.enabled(if: hasTerminals), arguments: [20, 40, 60, 80])
    func aTrainingFitsTerminals(_ columns: Int) throws {
        let seen = lines(try sent(training, columns: columns))
        #expect(seen.allSatisfy { $0.count <= columns })
        let bars = seen.filter { $0.contains("━") || $0.contains("╌") }
        #expect(!bars.isEmpty && bars.allSatisfy { $0.count < columns })
        #expect(bars.contains { $0.hasPrefix("epoch 1/1 ") } && bars.contains { $0.hasPrefix("test 1/1 ") })
        // The most important figure stays longest.
        #expect(bars.contains { $0.contains("loss") } == (columns >= 40))
        #expect(bars.contains { $0.contains("img/s") } == (columns >= 80))
    }

    @Test(.enabled(if: hasTerminals)) func terminalsThatAskForItGetNoEscapes() throws {
        let coloured = try sent(training, columns: 80)
        #expect(coloured.contains("\u{1B}[38;5;"))
        for environment in ["NO_COLOR=1", "TERM=dumb", "TERM="] {
            try FileManager.default.removeItem(at: folder.url("run"))
            let plain = try sent(training, columns: 80, environment: environment)
            #expect(!plain.contains("\u{1B}") && plain.contains("examples/sec on cpu"))
            // A bar is a line that is drawn again.
            #expect(plain.replacing("\r\n", with: "").contains("\r") == (environment == "NO_COLOR=1"))
        }
        try FileManager.default.removeItem(at: folder.url("run"))
        #expect(try sent(training, columns: 80, environment: "NO_COLOR=").contains("\u{1B}"))
    }
}
