import Foundation
import Testing
import VGGFormats

@Suite struct MalformedSafetensorsTests {
    typealias Problem = SafetensorsError.Problem

    private func problem(_ bytes: Data) throws -> Problem {
        try withFile(bytes) { path in
            let error = try #require(throws: SafetensorsError.self) { try Safetensors(contentsOf: path) }
            #expect(error.path == path)
            #expect(!error.description.contains { $0.isNewline })
            return error.problem
        }
    }

    private func problem(header: String, data: Int = 0) throws -> Problem {
        try problem(file(header: header, data: data))
    }

    /// A header with one tensor `x`.
    private func header(type: String = "F32", shape: String = "[2]", offsets: String = "[0,8]") -> String {
        #"{"x":{"dtype":"\#(type)","shape":\#(shape),"data_offsets":\#(offsets)}}"#
    }

    @Test func refusesEveryTruncation() throws {
        let whole = try Data(contentsOf: URL(filePath: golden("f32.safetensors")))
        for count in 0..<whole.count {
            let problem = try problem(whole.prefix(count))
            switch problem {
            case .truncated(let bytes, _): #expect(bytes == count)
            case .inconsistentTensor: #expect(count >= 288, "the header is whole from byte 288 on")
            default: Issue.record("\(count) bytes: \(problem)")
            }
        }
    }

    @Test func survivesEveryChangedByte() throws {
        let whole = try Data(contentsOf: URL(filePath: golden("f32.safetensors")))
        var refused = 0
        for index in whole.indices {
            for byte in [UInt8(ascii: "\""), UInt8(ascii: "9"), 0xFF] {
                var bytes = whole
                bytes[index] = byte
                try withFile(bytes) { path in
                    do {
                        let file = try Safetensors(contentsOf: path)
                        // A changed name or value is still a file; its size is not up for debate.
                        #expect(file.tensors.map(\.tensor.values.count).reduce(0, +) == 9)
                    } catch is SafetensorsError { refused += 1 }
                }
            }
        }
        #expect(refused > 600)
    }

    @Test func refusesHeadersThatAreTooLarge() throws {
        var bytes = Data([0x01, 0xE1, 0xF5, 0x05, 0, 0, 0, 0])
        #expect(try problem(bytes) == .headerTooLarge(bytes: 100_000_001))
        bytes[0] = 0
        #expect(try problem(bytes) == .truncated(bytes: 8, needed: 100_000_008))
        #expect(try problem(Data(repeating: 0xFF, count: 8)) == .headerTooLarge(bytes: .max))
    }

    @Test(arguments: [
        "", " {}", "[]", "{", "{}x", "{},", #"{"x"}"#, #"{"x":1}"#, #"{x:{}}"#, #"{"__metadata__":{},}"#,
        #"{"x":null}"#, #"{"__metadata__":{"a":1}}"#, #"{"__metadata__":{"a":{}}}"#, #"{"__metadata__":[]}"#,
        #"{"__metadata__":{"a":"b",}}"#, #"{"x":{"dtype":1}}"#, #"{"x":{"shape":{}}}"#,
        #"{"x":{"shape":[1,]}}"#,
        #"{"x":{"shape":[-1]}}"#, #"{"x":{"shape":[1.0]}}"#, #"{"x":{"shape":[1e3]}}"#,
        #"{"x":{"shape":[01]}}"#,
        #"{"x":{"shape":[9223372036854775808]}}"#, #"{"x":{"shape":[]"#, #"{"x":{"other":1}}"#,
        #"{"x"#, #"{"\"#, #"{"\q":1}"#, #"{"\u12":1}"#, #"{"\u12G4":1}"#, #"{"\uD800":1}"#, #"{"\uDC00":1}"#,
        #"{"\uD800\n":1}"#, #"{"\uD800\u0041":1}"#, "{\"a\nb\":1}", "{\"\u{0}\":1}",
    ])
    func refusesHeadersThatAreNotTheGrammar(header: String) throws {
        guard case .malformedHeader = try problem(header: header) else {
            Issue.record("another problem with \(header)")
            return
        }
    }

    @Test func refusesTooManyDimensions() throws {
        let shape = "[\(String(repeating: "1,", count: 64))1]"
        #expect(
            try problem(header: header(shape: shape))
                == .malformedHeader(reason: "more than 64 dimensions", offset: 157))
    }

    @Test func refusesNamesThatAreNotUTF8() throws {
        var bytes = file(header: #"{"xx":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}"#, data: 0)
        bytes[10] = 0xC3
        #expect(
            try problem(bytes) == .malformedHeader(reason: "the string before is not UTF-8", offset: 4))
    }

    @Test func refusesDuplicateKeys() throws {
        let tensor = #"{"dtype":"F32","shape":[0],"data_offsets":[0,0]}"#
        #expect(try problem(header: #"{"x":\#(tensor),"x":\#(tensor)}"#) == .duplicateKey("x"))
        #expect(try problem(header: #"{"x":\#(tensor),"\u0078":\#(tensor)}"#) == .duplicateKey("x"))
        #expect(
            try problem(header: #"{"__metadata__":{},"__metadata__":{}}"#) == .duplicateKey("__metadata__"))
        #expect(try problem(header: #"{"__metadata__":{"a":"","a":""}}"#) == .duplicateKey("a"))
        #expect(try problem(header: #"{"x":{"dtype":"F32","dtype":"F32"}}"#) == .duplicateKey("dtype"))
    }

    @Test(arguments: [
        ("[2]", "[0,8]", 7, "ends at byte 8 of 7 bytes of data"),
        ("[2]", "[0,9223372036854775807]", 8, "ends at byte 9223372036854775807 of 8 bytes of data"),
        ("[2]", "[0,4]", 4, "shape [2] of F32 needs 8 bytes, not 4"),
        ("[]", "[0,8]", 8, "shape [] of F32 needs 4 bytes, not 8"),
        ("[0]", "[0,4]", 4, "shape [0] of F32 needs 0 bytes, not 4"),
        ("[2]", "[4,12]", 12, "leaves 4 bytes unused before it"),
        ("[2]", "[0]", 8, "needs dtype, shape and two data_offsets"),
        ("[2]", "[0,4,8]", 8, "needs dtype, shape and two data_offsets"),
        ("[4611686018427387904,2]", "[0,8]", 8, "its shape [4611686018427387904, 2] is too large"),
        (
            "[2147483648,2147483648,4]", "[0,0]", 0,
            "its shape [2147483648, 2147483648, 4] is too large"
        ),
    ])
    func refusesTensorsThatDoNotFit(shape: String, offsets: String, data: Int, reason: String) throws {
        #expect(
            try problem(header: header(shape: shape, offsets: offsets), data: data)
                == .inconsistentTensor(name: "x", reason: reason))
    }

    @Test func refusesATensorThatEndsBeforeItBegins() throws {
        let header = #"""
            {"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},
            "x":{"dtype":"F32","shape":[1],"data_offsets":[8,4]}}
            """#
        #expect(
            try problem(header: header, data: 8)
                == .inconsistentTensor(name: "x", reason: "ends before it begins"))
    }

    @Test func refusesOverlapsHolesAndTrailingBytes() throws {
        func two(_ first: String, _ second: String) -> String {
            #"""
            {"x":{"dtype":"F32","shape":[2],"data_offsets":\#(first)},
            "y":{"dtype":"F32","shape":[2],"data_offsets":\#(second)}}
            """#
        }
        #expect(
            try problem(header: two("[0,8]", "[4,12]"), data: 12)
                == .inconsistentTensor(name: "y", reason: "overlaps the tensor before it"))
        #expect(
            try problem(header: two("[12,20]", "[0,8]"), data: 20)
                == .inconsistentTensor(name: "x", reason: "leaves 4 bytes unused before it"))
        #expect(try problem(header: two("[0,8]", "[8,16]"), data: 19) == .trailingBytes(3))
        #expect(try problem(header: "{}", data: 1) == .trailingBytes(1))
    }

    @Test func refusesMissingMembers() throws {
        for header in [#"{"x":{}}"#, #"{"x":{"dtype":"F32","shape":[0]}}"#] {
            #expect(
                try problem(header: header)
                    == .inconsistentTensor(name: "x", reason: "needs dtype, shape and two data_offsets"))
        }
    }

    @Test func namesTheTensorOfAnUnsupportedType() throws {
        let bytes = file(header: header(type: "F8_E5M2", shape: "[8]"), data: 8)
        #expect(try problem(bytes) == .unsupportedType(name: "x", type: "F8_E5M2"))
        try withFile(bytes) { path in
            let error = try #require(throws: SafetensorsError.self) { try Safetensors(contentsOf: path) }
            #expect(
                error.description
                    == #"\#(path): tensor "x" has type "F8_E5M2"; save it as F32, F16, BF16 or F64"#)
        }
        #expect(
            try problem(header: header(type: "F128"), data: 8) == .unsupportedType(name: "x", type: "F128"))
    }

    @Test func cutsLongNamesInErrors() throws {
        let name = String(repeating: "n", count: 5000)
        let header = #"{"\#(name)":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}"#
        let error = try withFile(file(header: header, data: 4)) { path in
            try #require(throws: SafetensorsError.self) { try Safetensors(contentsOf: path) }
        }
        #expect(error.description.count < 400)
    }
}
