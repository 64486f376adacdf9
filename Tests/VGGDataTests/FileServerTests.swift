import Foundation
import Testing

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

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
                        let url = try #require(URL(string: server.address + "file"))
                        #expect(try await URLSession.shared.data(from: url).0 == body)
                        #expect(server.requests == ["file"])
                    }
                }
            }
            try await group.waitForAll()
        }
    }
}
