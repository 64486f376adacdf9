import Testing
import VGGServer

@Suite struct PartsTests {
    @Test(arguments: Compression.allCases)
    func packsAndUnpacks(_ compression: Compression) throws {
        let bytes = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 * $0 >> 5) }
        let packed = try #require(compression.packed(bytes))
        #expect(try compression.unpacked(packed, limit: bytes.count) == bytes)
        #expect(throws: APIError.self) { try compression.unpacked(packed, limit: bytes.count - 1) }
        #expect(throws: APIError.self) { try compression.unpacked(packed.dropLast(), limit: bytes.count) }
        #expect(throws: APIError.self) { try compression.unpacked(packed + [0], limit: bytes.count) }
        #expect(throws: APIError.self) { try compression.unpacked([1, 2, 3], limit: 10) }
        #expect(throws: APIError.self) { try compression.unpacked([], limit: 10) }
        #expect(try compression.unpacked(#require(compression.packed([])), limit: 0) == [])
    }

    /// A megabyte that a thousand bytes unpack to is not made before it is refused.
    @Test func aBombIsRefused() throws {
        let packed = try #require(Compression.gzip.packed(Array(repeating: 0, count: 1 << 20)))
        let error = #expect(throws: APIError.self) { try Compression.gzip.unpacked(packed, limit: 1000) }
        #expect(error?.status == .contentTooLarge)
    }

    @Test(
        arguments: [
            ("gzip", .gzip), ("deflate", .deflate), ("gzip, deflate, br", .gzip),
            ("GZIP;q=0.5, deflate", .deflate),
            ("br", nil), ("gzip;q=0", nil), ("", nil), (nil, nil),
        ] as [(String?, Compression?)])
    func takesWhatClientsLike(_ field: String?, _ expected: Compression?) {
        #expect(Compression.accepted(field) == expected)
    }

    @Test func formsHaveOneFile() throws {
        let type = "multipart/form-data; boundary=\"x y\""
        #expect(Multipart.boundary(of: "Multipart/Form-Data; charset=a; boundary=abc") == "abc")
        #expect(Multipart.boundary(of: "image/png; boundary=abc") == nil)
        #expect(Multipart.boundary(of: type) != nil)
        let part =
            "--abc\r\nContent-Disposition: form-data; name=\"image\"; filename=\"../../etc/passwd\"\r\n\r\n"
        let whole = part + "a\r\nb--abc\r\n--abc--\r\n"
        for form in [whole, "\r\n" + whole] {
            #expect(try Multipart.file(in: Array(form.utf8), boundary: "abc") == Array("a\r\nb--abc".utf8))
        }
        for wrong in [
            "", "x", part, part + "a", part + "a\r\n--abc", "--abc\r\nno header\r\n--abc--",
            part + "a\r\n" + part + "b\r\n--abc--",
        ] {
            #expect(throws: APIError.self) { try Multipart.file(in: Array(wrong.utf8), boundary: "abc") }
        }
    }

    @Test func formsHaveFields() throws {
        func part(_ header: String, _ content: String) -> String {
            "--abc\r\n\(header)\r\n\r\n\(content)\r\n"
        }
        let one = part("Content-Disposition: form-data; name=\"a\"; filename=\"name=b\"", "1\r\n2")
        let two = part("Content-Type: image/png\r\ncontent-disposition: form-data; filename=x; name=b", "3")
        func files(_ text: String) throws -> [String: [UInt8]] {
            try Multipart.files(in: Array(text.utf8), boundary: "abc")
        }
        #expect(try files(one + two + "--abc--") == ["a": Array("1\r\n2".utf8), "b": Array("3".utf8)])
        #expect(try files(part("X: y", "1") + "--abc--\r\n") == ["": Array("1".utf8)])
        for wrong in [
            "", "--abc", one, one + two, one + "--abc-", String(repeating: one, count: 9) + "--abc--",
        ] {
            #expect(throws: APIError.self) { try files(wrong) }
        }
    }

    @Test func hostsHaveNames() {
        #expect(HostName.of("LocalHost:8080") == "localhost")
        #expect(HostName.of("[::1]:8080") == "::1")
        #expect(HostName.of("[::1") == nil)
        #expect(HostName.of("") == nil)
        #expect(HostName.isAddress("127.0.0.1") && HostName.isAddress("::1"))
        #expect(!HostName.isAddress("127.0.0.1.example.org") && !HostName.isAddress("example.org"))
    }

    @Test func metricsAreLines() {
        let metrics = PrometheusMetrics()
        metrics.makeCounter(label: "a_total", dimensions: [("x", "1\"\n")]).increment(by: 2)
        metrics.makeCounter(label: "a_total", dimensions: [("x", "1\"\n")]).increment(by: 1)
        let timer = metrics.makeTimer(label: "t_seconds", dimensions: [])
        timer.recordNanoseconds(20_000_000)
        timer.recordNanoseconds(60_000_000_000)
        metrics.makeMeter(label: "m", dimensions: []).set(1.5)
        let lines = metrics.text.split(separator: "\n")
        #expect(lines.contains("# TYPE a_total counter"))
        #expect(lines.contains(#"a_total{x="1\"\n"} 3"#))
        #expect(lines.contains(#"t_seconds_bucket{le="0.01"} 0"#))
        #expect(lines.contains(#"t_seconds_bucket{le="0.025"} 1"#))
        #expect(lines.contains(#"t_seconds_bucket{le="30"} 1"#))
        #expect(lines.contains(#"t_seconds_bucket{le="+Inf"} 2"#))
        #expect(lines.contains("t_seconds_sum 60.02") && lines.contains("t_seconds_count 2"))
        #expect(lines.contains("m 1.5"))
    }
}
