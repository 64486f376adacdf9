import Foundation
import Synchronization

/// Serves the files of a folder over HTTP on the loopback interface, one request after the other.
final class FileServer: Sendable {
    struct Answer {
        var status = 200
        var body: Data
        /// Where to hang up, to look like a lost connection; nil to send everything.
        var sentBytes: Int?
    }

    let address: String
    private let listener: Int32
    private let requested = Mutex<[String]>([])
    private let isStopped = Atomic(false)

    /// The names that were asked for so far.
    var requests: [String] { requested.withLock { $0 } }

    /// - Parameter answer: what to send for a file name.
    init(_ answer: @escaping @Sendable (String) -> Answer) throws {
        #if canImport(Glibc)
            let stream = Int32(SOCK_STREAM.rawValue)
        #else
            let stream = SOCK_STREAM
        #endif
        let listener = socket(AF_INET, stream, 0)
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isListening = withUnsafeMutablePointer(to: &name) { name in
            name.withMemoryRebound(to: sockaddr.self, capacity: 1) { name in
                bind(listener, name, length) == 0 && listen(listener, 8) == 0
                    && getsockname(listener, name, &length) == 0
            }
        }
        guard isListening else { throw POSIXError(.EADDRNOTAVAIL) }
        self.listener = listener
        address = "http://127.0.0.1:\(UInt16(bigEndian: name.sin_port))/"
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

    private func serve(_ connection: Int32, _ answer: (String) -> Answer) {
        var request: [UInt8] = []
        var byte: UInt8 = 0
        while !request.ends(with: Array("\r\n\r\n".utf8)), read(connection, &byte, 1) == 1 {
            request.append(byte)
        }
        let path = String(decoding: request, as: UTF8.self).split(separator: " ").dropFirst().first ?? "/"
        let name = String(path.dropFirst())
        requested.withLock { $0.append(name) }
        let answer = answer(name)
        let head = """
            HTTP/1.1 \(answer.status) Status\r\nContent-Length: \(answer.body.count)\r\nConnection: close\r\n\r\n
            """
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
