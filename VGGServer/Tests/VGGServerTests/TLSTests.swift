import Foundation
import NIOCore
import NIOPosix
import NIOSSL
import Testing
import VGGFiles
import VGGServer

@Suite struct TLSTests {
    private static func golden(_ name: String) -> String {
        TestModel.golden("../VGGServer/Tests/VGGServerTests/Goldens/\(name)")
    }

    private var files: TLSFiles {
        TLSFiles(certificate: Self.golden("localhost.pem"), key: Self.golden("localhost-key.pem"))
    }

    /// The answer of a server that has to prove that it is localhost.
    private func ask(_ port: Int, _ request: String, trusting certificate: String) async throws -> String {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.trustRoots = .file(certificate)
        let context = try NIOSSLContext(configuration: configuration)
        let connection = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup).connect(
            host: "127.0.0.1", port: port
        ) { channel in
            channel.eventLoop.makeCompletedFuture {
                try channel.pipeline.syncOperations.addHandler(
                    NIOSSLClientHandler(context: context, serverHostname: "localhost"))
                return try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
            }
        }
        return try await connection.executeThenClose { inbound, outbound in
            try await outbound.write(ByteBuffer(string: request))
            var answer = ""
            for try await piece in inbound {
                answer += String(buffer: piece)
                if answer.hasSuffix("}") { break }
            }
            return answer
        }
    }

    @Test(.timeLimit(.minutes(1))) func speaksHTTPS() async throws {
        let files = files
        try await withServer(settings { $0.tls = files }) { client in
            let port = client.port
            let request =
                "GET /v2 HTTP/1.1\r\nHost: localhost:\(port)\r\nOrigin: https://localhost:\(port)\r\n\r\n"
            let answer = try await ask(port, request, trusting: files.certificate)
            #expect(answer.hasPrefix("HTTP/1.1 200 OK\r\n") && answer.contains("\"name\":\"vgg-server\""))
            await #expect(throws: (any Error).self) {
                try await ask(port, request, trusting: "/etc/ssl/certs/ca-certificates.crt")
            }
            // Without TLS it says nothing.
            await #expect(throws: ConnectionEnded.self) { try await client.get("/v2") }
        }
    }

    @Test func wrongFilesAreNamed() throws {
        for (certificate, key, name) in [
            ("none.pem", "localhost-key.pem", "none.pem"), ("localhost.pem", "none.pem", "none.pem"),
            ("localhost-key.pem", "localhost-key.pem", "localhost-key.pem"),
            ("localhost.pem", "localhost.pem", "localhost.pem"),
            ("localhost.pem", "other-key.pem", "other-key.pem"),
        ] {
            let files = TLSFiles(certificate: Self.golden(certificate), key: Self.golden(key))
            let error = #expect(throws: FileError.self, "\(certificate) \(key)") {
                try files.configuration()
            }
            #expect(error?.path == Self.golden(name))
        }
    }
}
