import Foundation
import Testing
import VGGModel
import VGGServer

/// What bounds the memory and the time that clients cost.
@Suite struct LimitTests {
    private func post(_ length: Int) -> String {
        "POST /v2/models/tiny/infer HTTP/1.1\r\nHost: localhost\r\nContent-Length: \(length)\r\n\r\n"
    }

    @Test func memoryIsSharedAndGivenBack() throws {
        let memory = BodyMemory(limit: 100)
        let (one, other) = (BodyMemory.Share(of: memory), BodyMemory.Share(of: memory))
        #expect(one.takes(60) && !other.takes(41) && other.takes(40) && !one.takes(1))
        #expect(memory.bytes == 100 && memory.hasRoom(for: 0) && !memory.hasRoom(for: 1))
        one.giveBack(10)
        #expect(memory.hasRoom(for: 10) && !memory.hasRoom(for: 11))
        one.end()
        other.end()
        #expect(memory.bytes == 0)
    }

    /// What is unpacked counts, too, and is given back when there is no room for all of it.
    @Test func unpackingTakesMemory() throws {
        let bytes = [UInt8](repeating: 7, count: 300_000)
        let packed = try #require(Compression.gzip.packed(bytes))
        for (limit, fits) in [(300_000, true), (299_999, false)] {
            let memory = BodyMemory(limit: limit)
            let share = BodyMemory.Share(of: memory)
            if fits {
                #expect(try Compression.gzip.unpacked(packed, limit: 1 << 20, share: share) == bytes)
                #expect(memory.bytes == 300_000)
            } else {
                let error = #expect(throws: APIError.self) {
                    try Compression.gzip.unpacked(packed, limit: 1 << 20, share: share)
                }
                #expect(error?.status == .serviceUnavailable)
            }
            share.end()
            #expect(memory.bytes == 0)
        }
    }

    /// A client that is still sending holds what it has sent, and others are told to come back.
    @Test(.timeLimit(.minutes(1))) func allBodiesTogetherAreBounded() async throws {
        let settings = settings {
            $0.maxBody = 1000
            $0.maxBodies = 1500
        }
        try await withServer(settings) { client in
            let (port, head) = (client.port, post(1000))
            let slow = try await blocking {
                let connection = UncheckedBox(try Connection(port: port))
                try connection.value?.send(head + String(repeating: " ", count: 900))
                return connection
            }
            while client.server.bodyBytes != 900 { try await Task.sleep(for: .milliseconds(5)) }
            let body = [UInt8](repeating: 32, count: 1000)
            let refused = try await client.post("/v2/models/tiny/infer", body)
            #expect(refused.status == 503 && refused.headers["retry-after"] == "1")
            // Without a length it is known only when it has come.
            let chunks = "2bc\r\n\(String(repeating: " ", count: 700))\r\n0\r\n\r\n"
            let chunked = try await blocking {
                let connection = try Connection(port: port)
                try connection.send(
                    head.replacing("Content-Length: 1000", with: "Transfer-Encoding: chunked"))
                try connection.send(chunks)
                return try connection.receive()
            }
            #expect(chunked.status == 503)
            slow.value = nil
            while client.server.bodyBytes != 0 { try await Task.sleep(for: .milliseconds(5)) }
            // It is no JSON, but it was read.
            #expect(try await client.post("/v2/models/tiny/infer", body).status == 400)
            #expect(client.server.bodyBytes == 0)
        }
    }

    /// Nobody reads the body of a request that is refused, and the connection ends.
    @Test(.timeLimit(.minutes(1)), arguments: [("/nothing", 404), ("/v2", 405)])
    func refusedRequestsAreNotRead(_ path: String, _ status: Int) async throws {
        try await withServer { client in
            let port = client.port
            let (reply, isEnded) = try await blocking {
                let connection = try Connection(port: port)
                try connection.send(
                    post(1_000_000_000).replacing("/v2/models/tiny/infer", with: path) + "x")
                return (try connection.receive(), connection.isEnded())
            }
            #expect(reply.status == status && reply.headers["connection"] == "close" && isEnded)
        }
    }

    /// What a body of nested JSON holds counts as the body does: more than all bodies may take is refused, and forgotten.
    @Test(.timeLimit(.minutes(1))) func nestedBodiesAreBounded() async throws {
        let settings = settings {
            $0.maxBody = 1 << 20
            $0.maxBodies = 4 << 20
        }
        try await withServer(settings) { client in
            for piece in ["[1],", "{\"a\":1},", "[[[[1]]]],", "null,", "\"\\n\","] {
                let data = String(repeating: piece, count: (1 << 20) / piece.utf8.count - 100)
                let body =
                    "{\"inputs\":[{\"name\":\"input\",\"datatype\":\"FP32\",\"shape\":[1,3,16,16],\"data\":[\(data)0]}]}"
                let reply = try await client.post("/v2/models/tiny/infer", Array(body.utf8))
                #expect(try reply.status == 413 && reply.problem?.contains("of memory") == true, "\(piece)")
                #expect(client.server.bodyBytes == 0)
            }
            #expect(try await client.infer(request(TestModel.images(1))).status == 200)
        }
    }

    /// A client that sends slowly takes no place in the queue.
    @Test(.timeLimit(.minutes(1))) func slowSendersAreNotAdmitted() async throws {
        let settings = settings {
            $0.maxQueue = 1
            $0.maxBatchSize = 1
        }
        try await withServer(settings) { client in
            let (port, head) = (client.port, post(1000))
            let slow = try await blocking {
                try (0..<8).map { _ in
                    let connection = UncheckedBox(try Connection(port: port))
                    try connection.value?.send(head + "slow")
                    return connection
                }
            }
            while client.server.bodyBytes != 8 * 4 { try await Task.sleep(for: .milliseconds(5)) }
            #expect(try await client.infer(request(TestModel.images(1))).status == 200)
            withExtendedLifetime(slow) {}
        }
    }

    /// Answers that a client does not read are in memory, and end with its connection.
    @Test(.timeLimit(.minutes(1))) func whoDoesNotReadIsLeft() async throws {
        try await withServer(settings { $0.timeout = .milliseconds(300) }) { client in
            let port = client.port
            try await blocking {
                let connection = try Connection(port: port)
                let count = 3000
                let ask = "GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n"
                try connection.send(String(repeating: ask, count: count))
                Thread.sleep(forTimeInterval: 1)
                var answers = 0
                do {
                    while answers < count {
                        #expect(try connection.receive().status == 200)
                        answers += 1
                    }
                } catch is ConnectionEnded {}
                #expect(answers > 0 && answers < count)
            }
            #expect(try await client.get("/v2").status == 200)
        }
    }

    /// It is alive before it is ready.
    @Test(.timeLimit(.minutes(1))) func isReadyWhenItIsWarm() async throws {
        let (warm, warming) = AsyncStream<Void>.makeStream()
        let hold: @Sendable () async -> Void = { for await _ in warm { break } }
        try await withServer(beforeWarmUp: hold) { client in
            #expect(try await client.get("/v2/health/live").status == 200)
            for path in ["/v2/health/ready", "/v2/models/tiny/ready"] {
                #expect(try await client.get(path).status == 503)
            }
            let early = try await client.infer(request(TestModel.images(1)))
            #expect(early.status == 503 && early.headers["retry-after"] == "1")
            warming.yield()
            while try await client.get("/v2/health/ready").status != 200 {}
            #expect(try await client.get("/v2/models/tiny/ready").status == 200)
            #expect(try await client.infer(request(TestModel.images(1))).status == 200)
        }
    }
}
