import Foundation
import Logging
import ServiceLifecycle
import Testing
import VGGModel
import VGGServer

@Suite struct SafetyTests {
    @Test func othersNamesAndPagesAreRefused() async throws {
        try await withServer(settings { $0.allowedHosts = ["vgg.example.org"] }) { client in
            let alive = try await client.get("/v2/health/live").status
            #expect(alive == 200)
            for host in ["localhost", "127.0.0.1:80", "[::1]:8080", "VGG.example.org", "192.0.2.1"] {
                #expect(try await client.get("/v2", headers: ["Host": host]).status == 200, "\(host)")
            }
            for host in ["example.org", "127.0.0.1.example.org", "localhost.example.org"] {
                #expect(try await client.get("/v2", headers: ["Host": host]).status == 421, "\(host)")
            }
            let own = "http://localhost:\(client.port)"
            #expect(try await client.get("/v2", headers: ["Origin": own]).status == 200)
            for origin in ["http://example.org", "null", "http://localhost:1"] {
                #expect(try await client.get("/v2", headers: ["Origin": origin]).status == 403, "\(origin)")
            }
            #expect(try await client.get("/v2", headers: ["Sec-Fetch-Site": "cross-site"]).status == 403)
            // A link leads to the page, and to nothing else.
            var link = [
                "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document",
            ]
            #expect(try await client.get("/", headers: link).status == 200)
            #expect(try await client.get("/v2", headers: link).status == 403)
            link["Sec-Fetch-Dest"] = "iframe"
            #expect(try await client.get("/", headers: link).status == 403)
        }
    }

    /// Else a proxy that goes by the other one would have let pass what it should not.
    @Test(
        .timeLimit(.minutes(1)),
        arguments: ["", "Host: localhost\r\nHost: localhost\r\n", "Host: localhost\r\nhost: a\r\n"])
    func aRequestSaysOneHost(_ fields: String) async throws {
        try await withServer { client in
            let port = client.port
            let reply = try await blocking {
                let connection = try Connection(port: port)
                try connection.send("GET /v2 HTTP/1.1\r\n\(fields)\r\n")
                return try connection.receive()
            }
            #expect(reply.status == 400)
            #expect(try reply.problem == "the request must have one Host field")
        }
    }

    @Test func theTokenIsAskedForEverywhere() async throws {
        let token = "0123456789abcdef"
        try await withServer(settings { $0.token = token }) { client in
            for path in ["/v2", "/v2/health/live", "/metrics", "/openapi.json", "/nothing"] {
                for wrong in [
                    nil, "Bearer", "Bearer ", "Bearer \(token)0", "Bearer 0123456789abcdeF", "Basic \(token)",
                ] {
                    let reply = try await client.get(
                        path, headers: wrong.map { ["Authorization": $0] } ?? [:])
                    #expect(reply.status == 401 && reply.headers["www-authenticate"] == "Bearer")
                }
            }
            let shown = ["Authorization": "bearer \(token)"]
            #expect(try await client.get("/v2", headers: shown).status == 200)
            // Programs that are made of the document ask for it.
            let paths = try await client.get("/openapi.json", headers: shown).json["paths"]
            #expect(paths?["/v2"]?["get"]?["security"] == [["token": []]])
        }
    }

    @Test func onlyThisMachineNeedsNoToken() {
        var settings = ServerSettings(device: .cpu(threads: 1))
        for host in ["127.0.0.1", "127.1.2.3", "localhost", "::1"] {
            settings.host = host
            #expect(settings.isLoopback, "\(host)")
        }
        for host in ["0.0.0.0", "::", "192.168.0.1", "127.example.org", "example.org", ""] {
            settings.host = host
            #expect(!settings.isLoopback, "\(host)")
        }
    }

    /// The answer comes before a byte of the body is sent, and the connection ends.
    @Test(.timeLimit(.minutes(1))) func largeBodiesAreRefusedUnread() async throws {
        try await withServer(settings { $0.maxBody = 1000 }) { client in
            let port = client.port
            try await blocking {
                let connection = try Connection(port: port)
                try connection.send(
                    "POST /v2/models/tiny/infer HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1001\r\n\r\n")
                let reply = try connection.receive()
                #expect(reply.status == 413 && reply.headers["connection"] == "close")
                #expect(connection.isEnded())
                // Without a length it is known only when it has come.
                let chunked = try Connection(port: port)
                try chunked.send(
                    "POST /v2/models/tiny/infer HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
                )
                let piece = String(repeating: "x", count: 600)
                try chunked.send("258\r\n\(piece)\r\n258\r\n\(piece)\r\n")
                #expect(try chunked.receive().status == 413)
                #expect(chunked.isEnded())
            }
            let packed = try #require(Compression.gzip.packed(Array(repeating: 32, count: 100_000)))
            #expect(packed.count < 1000)
            let bomb = try await client.post(
                "/v2/models/tiny/infer", packed, headers: ["Content-Encoding": "gzip"])
            #expect(bomb.status == 413)
        }
    }

    /// A client that asks first is told to go on, or not.
    @Test(.timeLimit(.minutes(1))) func clientsMayAskFirst() async throws {
        try await withServer(settings { $0.maxBody = 1000 }) { client in
            let port = client.port
            try await blocking {
                for (length, status) in [(10, 100), (1001, 413)] {
                    let connection = try Connection(port: port)
                    try connection.send(
                        "POST /v2/models/tiny/infer HTTP/1.1\r\nHost: localhost\r\nContent-Length: \(length)\r\n"
                            + "Expect: 100-continue\r\n\r\n")
                    #expect(try connection.receive().status == status)
                    guard status == 100 else { continue }
                    try connection.send(String(repeating: "x", count: length))
                    #expect(try connection.receive().status == 400)
                }
            }
        }
    }

    @Test(.timeLimit(.minutes(1))) func slowBodiesEnd() async throws {
        try await withServer(settings { $0.timeout = .milliseconds(300) }) { client in
            let port = client.port
            try await blocking {
                let connection = try Connection(port: port)
                try connection.send(
                    "POST /v2/models/tiny/infer HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nslow"
                )
                #expect(try connection.receive().status == 408)
            }
            #expect(try await client.infer(request(TestModel.images(1))).status == 200)
        }
    }

    /// With a delay longer than the test, a request of one waits for others that never come.
    private func patient(_ settings: inout ServerSettings) {
        settings.maxQueueDelay = .seconds(600)
        settings.maxBatchSize = 4
    }

    @Test(.timeLimit(.minutes(1)), arguments: [true, false])
    func whoHangsUpIsForgotten(_ closes: Bool) async throws {
        try await withServer(settings { patient(&$0) }) { client in
            let (port, body) = (client.port, request(try TestModel.images(1)).line)
            let batcher = try #require(client.server.batcher(of: "tiny"))
            let connection = try await blocking {
                let connection = UncheckedBox(try Connection(port: port))
                try connection.value?.send(
                    "POST /v2/models/tiny/infer HTTP/1.1\r\nHost: localhost\r\nContent-Length: \(body.utf8.count)\r\n\r\n"
                        + body)
                return connection
            }
            while await batcher.queueLength == 0 { try await Task.sleep(for: .milliseconds(5)) }
            if closes { connection.value = nil } else { connection.value?.endSending() }
            while await batcher.queueLength > 0 { try await Task.sleep(for: .milliseconds(5)) }
        }
    }

    @Test(.timeLimit(.minutes(1))) func aFullQueueSaysWhenToComeBack() async throws {
        let settings = settings {
            $0.maxQueueDelay = .seconds(2)
            $0.maxQueue = 4
            $0.maxBatchSize = 5
        }
        try await withServer(settings) { client in
            let batcher = try #require(client.server.batcher(of: "tiny"))
            let waiting = Task { try await client.infer(request(TestModel.images(4))) }
            while await batcher.queueLength == 0 { try await Task.sleep(for: .milliseconds(5)) }
            let refused = try await client.infer(request(TestModel.images(1)))
            #expect(refused.status == 503 && refused.headers["retry-after"] == "1")
            let metrics = try await client.get("/metrics").text
            #expect(metrics.contains("vgg_rejected_total{reason=\"the queue is full\"} 1\n"))
            #expect(try await waiting.value.status == 200)
        }
    }

    @Test(.timeLimit(.minutes(1))) func whatIsTooLateIsNotComputed() async throws {
        try await withServer(settings { $0.maxQueueDelay = .milliseconds(100) }) { client in
            let reply = try await client.infer(
                request(TestModel.images(1), ["parameters": ["timeout": 1000]]))
            #expect(reply.status == 503)
            let statistics = try await client.get("/v2/models/tiny/stats").json["model_stats"]?.elements?
                .first
            #expect(statistics?["execution_count"] == 0)
            #expect(statistics?["inference_stats"]?["fail"]?["count"] == 1)
        }
    }

    /// What was asked before the end is answered after it.
    @Test(.timeLimit(.minutes(1))) func theEndWaitsForAnswers() async throws {
        let images = try TestModel.images(1)
        let expected = try await TestModel.predictor.logits(for: images)
        let answer = try await withServer(settings { $0.maxQueueDelay = .milliseconds(300) }) { client in
            let batcher = try #require(client.server.batcher(of: "tiny"))
            let answer = Task { try await client.infer(request(images)) }
            while await batcher.queueLength == 0 { try await Task.sleep(for: .milliseconds(1)) }
            return answer
        }
        #expect(floats("logits", in: try await answer.value.json) == expected)
    }

    /// A connection serves one request after another.
    @Test(.timeLimit(.minutes(1))) func connectionsAreKept() async throws {
        try await withServer { client in
            let (port, body) = (client.port, request(try TestModel.images(1)).line)
            try await blocking {
                let connection = try Connection(port: port)
                for _ in 0..<3 {
                    try connection.send(
                        "POST /v2/models/tiny/infer HTTP/1.1\r\nHost: localhost\r\nContent-Length: \(body.utf8.count)\r\n\r\n"
                            + body)
                    #expect(try connection.receive().status == 200)
                }
            }
        }
    }
}

/// A connection that one task hands to the next.
final class UncheckedBox: @unchecked Sendable {
    var value: Connection?

    init(_ value: Connection) { self.value = value }
}
