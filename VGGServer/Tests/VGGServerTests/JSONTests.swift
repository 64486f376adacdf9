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
