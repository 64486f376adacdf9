import Foundation
import Synchronization

/// Serves the files of a folder over HTTP on the loopback interface, one request after the other.
final class FileServer: Sendable {
    struct Answer {
        var status = 200
        var body: Data
        /// Where to hang up, to look like a lost connection; nil to send everything.
        var sentBytes: Int?
        /// Whether a part of the file may be asked for.
        var takesRanges = false
        /// Another header, without the line's end.
        var header = ""
        /// Whether to say nothing at all until the client gives up.
        var isSilent = false
    }

    /// With a slash at its end.
    let address: String
    private let port: UInt16
    private let listener: Int32
    private let requested = Mutex<[String]>([])
    private let isStopped = Atomic(false)

    /// The names that were asked for so far.
    var requests: [String] { requested.withLock { $0 } }

    /// - Parameter answer: what to send for a file name.
    init(_ answer: @escaping @Sendable (String) -> Answer) throws {
        let listener = Self.makeSocket()
        var name = Self.loopback(port: 0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isListening = withUnsafeMutablePointer(to: &name) { name in
            name.withMemoryRebound(to: sockaddr.self, capacity: 1) { name in
                bind(listener, name, length) == 0 && listen(listener, 8) == 0
                    && getsockname(listener, name, &length) == 0
            }
        }
        guard isListening else { throw POSIXError(.EADDRNOTAVAIL) }
        self.listener = listener
        port = UInt16(bigEndian: name.sin_port)
        address = "http://127.0.0.1:\(port)/"
        Thread.detachNewThread { [self] in
            while true {
                let connection = accept(listener, nil, nil)
                if isStopped.load(ordering: .acquiring) {
                    close(connection)
                    // Here and not in `stop`: the number may then be another server's, whose connections this
                    // thread would take.
                    close(listener)
                    return
                }
                if connection < 0 { continue }
                serve(connection, answer)
                close(connection)
            }
        }
    }

    /// Ends the thread. (A thread that waits in `accept` would keep the server alive, so `deinit` cannot.)
    func stop() {
        isStopped.store(true, ordering: .releasing)
        shutdown(listener, Int32(SHUT_RDWR))
    }

    private static func makeSocket() -> Int32 {
        #if canImport(Glibc)
            let stream = Int32(SOCK_STREAM.rawValue)
        #else
            let stream = SOCK_STREAM
        #endif
        return socket(AF_INET, stream, 0)
    }

    private static func loopback(port: UInt16) -> sockaddr_in {
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        name.sin_port = port.bigEndian
        return name
    }

    /// What the server answers to the plainest request for a file, with the headers.
    func get(_ name: String) throws -> Data {
        let connection = Self.makeSocket()
        defer { close(connection) }
        var place = Self.loopback(port: port)
        let isConnected = withUnsafePointer(to: &place) { place in
            place.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(connection, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
        let request = Array("GET /\(name) HTTP/1.0\r\n\r\n".utf8)
        guard isConnected, send(connection, request, request.count, Int32(MSG_NOSIGNAL)) == request.count
        else { throw POSIXError(.ECONNREFUSED) }
        var answer = Data()
        var chunk = [UInt8](repeating: 0, count: 1 << 12)
        while case let count = read(connection, &chunk, chunk.count), count > 0 {
            answer += chunk.prefix(count)
        }
        return answer
    }

    private func serve(_ connection: Int32, _ answer: (String) -> Answer) {
        var request: [UInt8] = []
        var byte: UInt8 = 0
        while !request.ends(with: Array("\r\n\r\n".utf8)), read(connection, &byte, 1) == 1 {
            request.append(byte)
        }
        let text = String(decoding: request, as: UTF8.self)
        let path = text.split(separator: " ").dropFirst().first ?? "/"
        let name = String(path.dropFirst())
        requested.withLock { $0.append(name) }
        var answer = answer(name)
        if answer.isSilent {
            while read(connection, &byte, 1) > 0 {}
            return
        }
        if answer.takesRanges, let range = text.firstMatch(of: /Range: bytes=(\d+)-/),
            let begin = Int(range.1)
        {
            answer.header = "Content-Range: bytes \(begin)-\(answer.body.count - 1)/\(answer.body.count)"
            (answer.status, answer.body) = (206, answer.body.dropFirst(begin))
        }
        let head =
            [
                "HTTP/1.1 \(answer.status) Status", "Content-Length: \(answer.body.count)",
                "Connection: close",
                answer.header,
            ].filter { !$0.isEmpty }.map { $0 + "\r\n" }.joined() + "\r\n"
        for part in [Data(head.utf8), answer.body.prefix(answer.sentBytes ?? answer.body.count)] {
            var rest = part
            while !rest.isEmpty {
                let sent = rest.withUnsafeBytes {
                    send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
                }
                if sent <= 0 { return }
                rest = rest.dropFirst(sent)
            }
        }
    }
}

extension Array where Element: Equatable {
    fileprivate func ends(with suffix: [Element]) -> Bool { self.suffix(suffix.count) == suffix[...] }
}
