import Foundation
import VGGFiles

/// One file fetched over HTTP(S) by the system's curl.
///
/// What has come is kept in a file, by whatever the fetch is ended, and the next one goes on behind it.
struct Download {
    let address: String
    /// The file for what has come, which is made when the first bytes do.
    let path: String
    /// How long the server may be silent.
    let timeout: TimeInterval
    /// The most bytes that a file may have.
    let limit: Int
    /// Where curl is.
    let curl: String

    /// Waits until the whole file is there.
    /// - Parameter progress: told the bytes that are there and, if known, the total, from the calling thread.
    /// - Throws: `DatasetFetcher.Failure`; `FileError` if the file cannot be written.
    func run(progress: (Int, Int?) -> Void) throws {
        let begun = sizeOfFile(path)
        let headers = FileManager.default.temporaryDirectory.appending(path: "swift-vgg-\(UUID().uuidString)")
            .path
        TemporaryFiles.add(headers)
        defer {
            try? FileManager.default.removeItem(atPath: headers)
            TemporaryFiles.remove(headers)
        }
        let (process, content, errors) = (Process(), Pipe(), Pipe())
        process.executableURL = URL(filePath: curl)
        process.arguments = arguments(begun: begun, headers: headers)
        process.standardInput = FileHandle.nullDevice
        // A pipe, so that curl ends when this program does.
        process.standardOutput = content
        process.standardError = errors
        do {
            try process.run()
        } catch {
            throw broken("\(curl) does not start")
        }
        defer {
            if process.isRunning { process.terminate() }
        }
        var (size, descriptor, answer) = (begun, Int32(-1), Answer?.none)
        defer { if descriptor >= 0 { close(descriptor) } }
        while let chunk = try? content.fileHandleForReading.read(upToCount: 1 << 16), !chunk.isEmpty {
            if descriptor < 0 {
                let flags = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC
                descriptor = path.withSystemPath { open($0, flags, 0o666) }
                guard descriptor >= 0 else { throw FileError(path, failed: "cannot be written") }
            }
            try append(chunk, to: descriptor)
            size += chunk.count
            guard size <= limit else { throw useless("the server sends more than a data set has") }
            // curl writes what stands before the content before it.
            answer = answer ?? Answer(headers)
            progress(size, answer?.total(begun: begun))
        }
        let said = (try? errors.fileHandleForReading.readToEnd()) ?? Data()
        process.waitUntilExit()
        try check(process, String(decoding: said, as: UTF8.self), Answer(headers))
    }

    private func arguments(begun: Int, headers: String) -> [String] {
        let seconds = "\(max(1, Int(timeout)))"
        return [
            // What somebody has set for curl by hand may print, or go, elsewhere.
            "--disable", "--silent", "--show-error", "--fail", "--globoff",
            "--location", "--max-redirs", "5", "--proto", "=http,https", "--proto-redir", "=https",
            "--connect-timeout", seconds, "--speed-limit", "1", "--speed-time", seconds,
            "--dump-header", headers,
        ] + (begun > 0 ? ["--continue-at", "\(begun)"] : []) + ["--url", address]
    }

    private func append(_ chunk: Data, to descriptor: Int32) throws(FileError) {
        var rest = chunk
        while !rest.isEmpty {
            let written = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            if written < 0, errno == EINTR { continue }
            guard written > 0 else { throw FileError(path, failed: "cannot be written") }
            rest = rest.dropFirst(written)
        }
    }

    /// What curl's exit code means (curl's manual page, "Exit codes").
    private func check(
        _ process: Process, _ said: String, _ answer: Answer
    ) throws(DatasetFetcher.Failure) {
        guard process.terminationReason == .exit else { throw broken("curl was ended by a signal") }
        switch process.terminationStatus {
        case 0: break
        case 1: throw useless("the server leads on to an address without https")
        case 22:
            let status = answer.status ?? 0
            let reason = "the server answers with status \(status)"
            throw status < 500 ? useless(reason) : broken(reason)
        case 28: throw broken("the server does not answer")
        case 33: throw useless("the server cannot go on in the middle of a file")
        case let code:
            // "curl: (7) Failed to connect to …"
            let line = said.split(separator: "\n").last?.replacing(/^curl: \(\d+\)\ /, with: "") ?? ""
            throw broken(line.isEmpty ? "curl fails with code \(code)" : String(line))
        }
    }

    /// What has come so far is good.
    private func broken(_ reason: String) -> DatasetFetcher.Failure {
        DatasetFetcher.Failure(reasons: ["\(address): \(reason)"], isPartGood: true)
    }

    /// What has come so far is of no use.
    private func useless(_ reason: String) -> DatasetFetcher.Failure {
        DatasetFetcher.Failure(reasons: ["\(address): \(reason)"])
    }

    /// What the headers of a server's last answer say; before it there are those that led on to it.
    private struct Answer {
        var status: Int?
        private var length: Int?

        /// - Parameter path: the file that curl writes them to.
        init(_ path: String) {
            let text = FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) }
            // For Swift a line's end is one character.
            for line in (text ?? "").split(separator: "\r\n") {
                if line.hasPrefix("HTTP/") {
                    (status, length) = (line.split(separator: " ").dropFirst().first.flatMap { Int($0) }, nil)
                } else if let colon = line.firstIndex(of: ":"),
                    line[..<colon].lowercased() == "content-length"
                {
                    length = Int(line[colon...].dropFirst().filter { !$0.isWhitespace })
                }
            }
        }

        /// Bytes of the whole file, of which the server sends what follows the first `begun`.
        func total(begun: Int) -> Int? { length.map { $0 + begun } }
    }
}
