import Foundation
import Testing

@Suite struct FileServerTests {
    /// Servers come and go while others work; the system gives the numbers of their sockets out again at once.
    @Test func answersNobodyElsesRequests() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for task in 0..<8 {
                group.addTask {
                    for round in 0..<25 {
                        let body = Data("\(task), \(round)".utf8)
                        let server = try FileServer { _ in FileServer.Answer(body: body) }
                        defer { server.stop() }
                        #expect(try server.get("file").suffix(body.count + 4) == Data("\r\n\r\n".utf8) + body)
                        #expect(server.requests == ["file"])
                    }
                }
            }
            try await group.waitForAll()
        }
    }
}
