import Foundation
import VGGServer

/// An answer as it came.
struct Reply: Sendable {
    var status: Int
    /// Names in lower case.
    var headers: [String: String]
    var body: [UInt8]

    var text: String { String(decoding: body, as: UTF8.self) }
    var json: JSON { get throws { try JSON(reading: body[...]) } }
    var problem: String? { get throws { try json["error"]?.string } }
}

struct ConnectionEnded: Error {}

/// A connection to a server of this machine, for one thread: all is sent as it is given, right or wrong.
final class Connection {
    private let descriptor: Int32
    private var received: [UInt8] = []

    init(port: Int) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        let status = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard status == 0 else { throw ConnectionEnded() }
    }

    deinit { close(descriptor) }

    func send(_ bytes: [UInt8]) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let sent = rest.withUnsafeBytes {
                Foundation.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard sent > 0 else { throw ConnectionEnded() }
            rest = rest.dropFirst(sent)
        }
    }

    func send(_ text: String) throws { try send(Array(text.utf8)) }

    /// Nothing more will be sent, though all that comes is read.
    func endSending() { shutdown(descriptor, Int32(SHUT_WR)) }

    private func receiveMore() throws {
        var piece = [UInt8](repeating: 0, count: 1 << 16)
        let count = recv(descriptor, &piece, piece.count, 0)
        guard count > 0 else { throw ConnectionEnded() }
        received += piece[..<count]
    }

    /// The next answer.
    /// - Parameter hasBody: whether what its head says follows; after HEAD nothing does.
    func receive(hasBody: Bool = true) throws -> Reply {
        let mark = Array("\r\n\r\n".utf8)
        var end = received.firstRange(of: mark)
        while end == nil {
            try receiveMore()
            end = received.firstRange(of: mark)
        }
        let lines = String(decoding: received[..<end!.lowerBound], as: UTF8.self).components(
            separatedBy: "\r\n")
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            let words = line.split(separator: ":", maxSplits: 1)
            headers[words[0].lowercased()] = words[1].trimmingCharacters(in: .whitespaces)
        }
        let status = Int(lines[0].split(separator: " ")[1])!
        let length = hasBody ? Int(headers["content-length"] ?? "0")! : 0
        let start = end!.upperBound
        while received.count < start + length { try receiveMore() }
        defer { received.removeFirst(start + length) }
        return Reply(status: status, headers: headers, body: Array(received[start..<start + length]))
    }

    /// The next piece of an answer that has no length, after `receive` has returned its head; nil at its end.
    func receivePiece() throws -> [UInt8]? {
        let mark = Array("\r\n".utf8)
        var end = received.firstRange(of: mark)
        while end == nil {
            try receiveMore()
            end = received.firstRange(of: mark)
        }
        let length = Int(String(decoding: received[..<end!.lowerBound], as: UTF8.self), radix: 16)!
        let start = end!.upperBound
        while received.count < start + length + mark.count { try receiveMore() }
        defer { received.removeFirst(start + length + mark.count) }
        return length == 0 ? nil : Array(received[start..<start + length])
    }

    /// Whether the other side ends the connection without another word.
    func isEnded() -> Bool {
        do {
            try receiveMore()
            return false
        } catch {
            return true
        }
    }
}

/// An answer of server-sent events as it comes.
final class Events {
    let reply: Reply
    private let connection: Connection
    private var text = ""

    /// - Parameter connection: over which they have been asked for.
    init(_ connection: Connection) throws {
        self.connection = connection
        reply = try connection.receive()
    }

    /// nil at the end.
    func next() throws -> (name: String, data: JSON)? {
        while true {
            if let end = text.range(of: "\n\n") {
                let lines = text[..<end.lowerBound].split(separator: "\n")
                text.removeSubrange(..<end.upperBound)
                // A line alone only asks whether somebody listens.
                guard lines.count > 1 else { continue }
                return (
                    String(lines[0].dropFirst(7)),
                    try JSON(reading: Array(lines[1].dropFirst(6).utf8)[...])
                )
            }
            guard let piece = try connection.receivePiece() else { return nil }
            text += String(decoding: piece, as: UTF8.self)
        }
    }

    func rest() throws -> [(name: String, data: JSON)] {
        var events: [(name: String, data: JSON)] = []
        while let event = try next() { events.append(event) }
        return events
    }
}

/// What blocks, on a thread of its own.
func blocking<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) async throws -> Result {
    try await withCheckedThrowingContinuation { continuation in
        Thread.detachNewThread { continuation.resume(with: Swift.Result { try body() }) }
    }
}

/// A server that runs, and how to ask it.
struct Client: Sendable {
    let port: Int
    let server: InferenceServer

    func send(
        _ method: String, _ path: String, _ body: [UInt8] = [], headers: [String: String] = [:]
    ) async throws -> Reply {
        let all = ["Host": "localhost:\(port)", "Content-Length": "\(body.count)"].merging(headers) { $1 }
        let head = "\(method) \(path) HTTP/1.1\r\n" + all.map { "\($0): \($1)\r\n" }.joined() + "\r\n"
        let port = port
        return try await blocking {
            let connection = try Connection(port: port)
            try connection.send(Array(head.utf8) + body)
            return try connection.receive()
        }
    }

    func get(_ path: String, headers: [String: String] = [:]) async throws -> Reply {
        try await send("GET", path, headers: headers)
    }

    func post(_ path: String, _ body: [UInt8], headers: [String: String] = [:]) async throws -> Reply {
        try await send("POST", path, body, headers: headers)
    }

    /// Asks by the protocol.
    /// - Parameter binary: what follows the JSON.
    func infer(_ request: JSON, binary: [UInt8]? = nil, headers: [String: String] = [:]) async throws -> Reply
    {
        var headers = headers
        let body = Array(request.line.utf8)
        if binary != nil { headers["Inference-Header-Content-Length"] = "\(body.count)" }
        return try await post("/v2/models/tiny/infer", body + (binary ?? []), headers: headers)
    }
}
