import Foundation

/// Lines for people and programs. Results go to standard output, everything else to standard error.
enum Console {
    static func print(_ line: String) {
        Swift.print(line)
        // A pipe would otherwise hold lines back for minutes.
        fflush(nil)
    }

    static func error(_ line: String) { write(line + "\n") }

    /// Something to know that is no error.
    static func note(_ line: String) { error("note: \(line)") }

    /// Text without a line break, on standard error.
    static func write(_ text: String) { try? FileHandle.standardError.write(contentsOf: Data(text.utf8)) }

    /// Whether standard error is a terminal, on which a line can be redrawn.
    static var isTerminal: Bool { isatty(STDERR_FILENO) == 1 }

    /// Whether standard output is a terminal, which shows colours.
    static var isOutputTerminal: Bool { isatty(STDOUT_FILENO) == 1 }

    /// The width of the terminal in characters.
    static var columns: Int {
        var size = winsize()
        guard ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
        return Int(size.ws_col)
    }
}
