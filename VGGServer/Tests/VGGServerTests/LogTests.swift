import Foundation
import Logging
import Synchronization
import Testing
import VGGServer

@Suite struct LogTests {
    private func line(_ format: LineLog.Format, _ message: Logger.Message) -> String {
        let event = LogEvent(
            level: .info, message: message,
            metadata: ["status": .stringConvertible(200), "client": "127.0.0.1", "hb.request.id": "7"],
            source: nil, file: "", function: "", line: 0)
        return LineLog(format).line(of: event, at: Date(timeIntervalSince1970: 0.5))
    }

    @Test func linesAreForPeopleOrPrograms() throws {
        #expect(
            line(.text, "GET /v2\n\u{1B}[2J")
                == "1970-01-01T00:00:00.500Z info GET /v2??[2J client=127.0.0.1 status=200\n")
        let json = line(.json, "GET /v2\n")
        #expect(json.hasSuffix("}\n") && json.filter { $0 == "\n" }.count == 1)
        #expect(
            try JSON(reading: Array(json.utf8)[...]) == [
                "time": "1970-01-01T00:00:00.500Z", "level": "info", "message": "GET /v2\n", "status": 200,
                "client": "127.0.0.1",
            ])
    }

    /// Keeps what is logged.
    private struct Notes: LogHandler {
        final class Lines: Sendable {
            let all = Mutex<[String]>([])
        }
        let lines: Lines
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.info
        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }
        func log(event: LogEvent) {
            lines.all.withLock { $0.append(LineLog(.text).line(of: event, at: .now)) }
        }
    }

    /// Each request is a line, with nothing of what was sent but the path.
    @Test func aRequestIsALine() async throws {
        let lines = Notes.Lines()
        try await withServer(log: Notes(lines: lines)) { client in
            _ = try await client.get("/v2/models/tiny?secret")
            _ = try await client.get("/nothing", headers: ["Authorization": "secret"])
            _ = try await client.post("/v1/models/tiny/classify", Array("secret".utf8))
        }
        let all = lines.all.withLock { $0 }
        for (request, status) in [
            ("GET /v2/models/tiny ", 200), ("GET /nothing ", 404), ("POST /v1/models/tiny/classify ", 400),
        ] {
            let found = all.filter { $0.contains(request) }
            #expect(found.count == 1 && found.first?.contains(" status=\(status)\n") == true, "\(found)")
            #expect(found.first?.contains(" client=127.0.0.1 ") == true)
        }
        #expect(all.allSatisfy { !$0.contains("secret") })
    }
}
