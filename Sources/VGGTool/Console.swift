import Foundation
import VGGKit

/// Lines for people and programs. Results go to standard output, everything else to standard error.
///
/// This is the only place that writes to either, and where the settings that the libraries name become options. A result that cannot be written is an error; a message that cannot
/// is not, for nobody could be told.
enum Console {
    /// Lines on standard output; on a terminal, broken between words where they are too long for it.
    static func print(_ text: String) throws(OutputError) {
        let text = Setting.spelledAsOptions(text)
        let fitting = outputColumns.map { Text.wrapped(text, width: $0) } ?? text
        try write(fitting + "\n", to: STDOUT_FILENO)
    }

    /// Lines that are as wide as they have to be, and may hold escape sequences, on standard output.
    /// - Parameter lines: so many of those that are there are replaced, on a terminal.
    static func print(chart: String, over lines: Int = 0) throws(OutputError) {
        try write(removing(lines) + chart + "\n", to: STDOUT_FILENO)
    }

    /// Takes away the last lines of a terminal.
    static func remove(lines: Int) throws(OutputError) {
        if lines > 0 { try write(removing(lines), to: STDOUT_FILENO) }
    }

    /// What moves a terminal's cursor up, and clears all from there on.
    private static func removing(_ lines: Int) -> String { lines > 0 ? "\u{1B}[\(lines)A\u{1B}[J" : "" }

    /// A value as one line of JSON on standard output.
    static func print(json value: some Encodable) throws {
        try write(try JSONText.line(value) + "\n", to: STDOUT_FILENO)
    }

    /// Lines on standard error; on a terminal, broken between words where they are too long for it.
    static func error(_ text: String) {
        let text = Setting.spelledAsOptions(text)
        let fitting = isatty(STDERR_FILENO) == 1 ? Text.wrapped(text, width: columns) : text
        write(fitting + "\n")
    }

    /// Something to know that is no error.
    static func note(_ line: String) { error("note: \(line)") }

    /// Text without a line break, on standard error.
    static func write(_ text: String) { try? write(text, to: STDERR_FILENO) }

    private static func write(_ text: String, to descriptor: Int32) throws(OutputError) {
        var text = text
        let code = text.withUTF8 { bytes -> Int32 in
            var rest = UnsafeRawBufferPointer(bytes)
            while let start = rest.baseAddress, !rest.isEmpty {
                let written = Foundation.write(descriptor, start, rest.count)
                if written >= 0 {
                    rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(written))
                } else if errno == EAGAIN {
                    // Another program has made the terminal or pipe that both share non-blocking.
                    var wish = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                    poll(&wish, 1, -1)
                } else if errno != EINTR {
                    return errno
                }
            }
            return 0
        }
        if code != 0 { throw OutputError(code: code) }
    }

    /// Puts something into the places of standard input, output and error that were closed when the program began:
    /// the next file to be opened would otherwise become one of them.
    static func occupyClosedDescriptors() {
        for (descriptor, mode) in [
            (STDIN_FILENO, O_WRONLY), (STDOUT_FILENO, O_RDONLY), (STDERR_FILENO, O_RDONLY),
        ] where fcntl(descriptor, F_GETFD) < 0 {
            // The wrong way round, so that reading and writing still fail. The lowest number that is free is taken.
            _ = open("/dev/null", mode)
        }
    }

    /// Whether standard error is a terminal on which a line can be redrawn.
    static var isTerminal: Bool { isatty(STDERR_FILENO) == 1 && !isDumb }

    /// Whether standard output is a terminal that shows colours, which nobody has asked to do without
    /// (https://no-color.org).
    static var isColoured: Bool {
        isatty(STDOUT_FILENO) == 1 && !isDumb
            && ProcessInfo.processInfo.environment["NO_COLOR"].map(\.isEmpty) ?? true
    }

    /// Whether standard output is a terminal.
    static var isOutputTerminal: Bool { isatty(STDOUT_FILENO) == 1 }

    /// A terminal that only prints.
    private static var isDumb: Bool {
        let name = ProcessInfo.processInfo.environment["TERM"] ?? ""
        return name.isEmpty || name == "dumb"
    }

    /// The width in characters of the terminal that is standard error.
    static var columns: Int { columns(of: STDERR_FILENO) }

    /// The width in characters of the terminal that is standard output; nil if it is none.
    static var outputColumns: Int? { isOutputTerminal ? columns(of: STDOUT_FILENO) : nil }

    /// The height in lines of the terminal that is standard output; nil if it is none, or does not say.
    static var outputRows: Int? {
        size(of: STDOUT_FILENO).flatMap { $0.ws_row > 0 ? Int($0.ws_row) : nil }
    }

    private static func columns(of descriptor: Int32) -> Int {
        size(of: descriptor).flatMap { $0.ws_col > 0 ? Int($0.ws_col) : nil } ?? 80
    }

    private static func size(of descriptor: Int32) -> winsize? {
        var size = winsize()
        return ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0 ? size : nil
    }
}

/// Standard output that cannot be written.
struct OutputError: Error, CustomStringConvertible {
    /// The system's, such as `ENOSPC`.
    let code: Int32
    /// What is left to do, in words that follow.
    var advice = ""

    /// Whether nobody reads it any more, which needs no words.
    var isClosedPipe: Bool { code == EPIPE }

    var description: String {
        "standard output cannot be written: \(String(cString: strerror(code)))\(advice)"
    }
}
