import Testing
import VGGServer

@Suite struct JSONTests {
    private func read(_ text: String) throws -> JSON { try JSON(reading: Array(text.utf8)[...]) }

    @Test func readsWhatItIsGiven() throws {
        #expect(try read(" null ") == .null)
        #expect(try read("[]") == .array([]))
        #expect(try read("[1,-2.5,1e3,0.1]") == .numbers([1, -2.5, 1000, 0.1]))
        #expect(try read("[1,\"a\",[2]]") == .array([.number(1), .string("a"), .numbers([2])]))
        #expect(try read("[true,1]") == .array([.bool(true), .number(1)]))
        #expect(
            try read(#"{"a":{"b":"\u00e9\n\"\\\/\ud83d\ude00"},"a2":false}"#)
                == .object(["a": .object(["b": .string("é\n\"\\/😀")]), "a2": .bool(false)]))
        let value = Float(0.1234567)
        #expect(try read(JSON.floats([value]).line) == .numbers([Double("\(value)")!]))
    }

    @Test(arguments: [
        "", " ", "{", "[", "[1", "[1,]", "[,1]", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}", "01", "-",
        "1.", ".5",
        "1e", "+1", "nul", "truee", "\"", "\"\\x\"", "\"\\ud800\"", "\"\\u12\"", "\"\n\"", "1 2", "1e999",
        "NaN",
        "Infinity", "0x10", "'a'",
    ])
    func refusesWhatIsNone(_ text: String) {
        #expect(throws: JSONError.self) { try read(text) }
    }

    @Test func refusesDepthAndOtherBytes() {
        #expect(throws: JSONError.self) { try read(String(repeating: "[", count: 100_000)) }
        #expect(throws: JSONError.self) { try JSON(reading: [0x22, 0xFF, 0x22]) }
        #expect(throws: JSONError.self) { try JSON(reading: [0x31, 0]) }
    }

    /// What is before and behind the text in memory is not read.
    @Test func readsNoMoreThanItIsGiven() throws {
        let bytes = Array("99[1,2]99".utf8)
        #expect(try JSON(reading: bytes[2..<7]) == .numbers([1, 2]))
        #expect(try JSON(reading: bytes[3..<4]) == .number(1))
        #expect(try JSON(reading: bytes[..<1]) == .number(9))
        for range in [2..<6, 2..<8, 7..<7] {
            #expect(throws: JSONError.self) { try JSON(reading: bytes[range]) }
        }
        for (text, count) in [
            ("[0x10]", 5), ("\"\\u00e9\"", 5), ("[-1e5]", 5), ("\"\\", 2), ("{\"a\":tr", 7),
        ] {
            #expect(throws: JSONError.self) { try JSON(reading: Array(text.utf8)[..<count]) }
        }
    }

    /// What a text holds may take many times its bytes: that is counted, and given back.
    @Test(arguments: [
        ("[%],", 64), ("[[%]],", 112), ("{\"a\":%},", 200), ("\"abc\",", 24), ("%,", 8),
        ("\"0123456789abcdefghij\",", 76), ("null,%,", 48),
    ])
    func memoryIsCounted(_ element: String, _ least: Int) throws {
        let count = 20_000
        let piece = element.replacing("%", with: "1")
        let text = Array(("[" + String(repeating: piece, count: count) + "0]").utf8)
        let memory = BodyMemory(limit: 1 << 30)
        let share = BodyMemory.Share(of: memory)
        let value = try JSON(reading: text[...], share: share)
        #expect(memory.bytes >= least * count && memory.bytes < 100 * text.count)
        withExtendedLifetime(value) {}
        share.end()
        #expect(memory.bytes == 0)

        let small = BodyMemory(limit: least * count / 2)
        let other = BodyMemory.Share(of: small)
        let error = #expect(throws: JSONError.self) { try JSON(reading: text[...], share: other) }
        let lacking = try #require(error?.lackingBytes)
        #expect(small.bytes <= least * count / 2)
        #expect(other.problem(lacking: lacking).status == .contentTooLarge)
        #expect(other.problem(lacking: 0).status == .serviceUnavailable)
    }

    @Test func writesWhatReadsBack() throws {
        let value: JSON = [
            "text": "a\"b\\c\u{1}\u{7F}é", "none": .null, "numbers": .numbers([1, 0.1, -1e300]),
            "list": [true, "x"],
            "infinite": .number(.infinity),
        ]
        #expect(
            value.line
                == #"{"infinite":null,"list":[true,"x"],"none":null,"numbers":[1,0.1,-1e+300],"text":"a\"b\\c\u0001\u007fé"}"#
        )
        #expect(try read(value.line)["numbers"] == .numbers([1, 0.1, -1e300]))
    }
}
