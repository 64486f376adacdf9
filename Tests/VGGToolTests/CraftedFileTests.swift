import Foundation
import Testing

extension ToolTests {
    #if os(Linux)
        /// Four megabytes of operations of one or two bytes, each of which makes a value: what is read of them takes a
        /// small multiple of that, far below the limit (1 GB was too little for the tuples when each value took 200 bytes).
        @Test(
            arguments: [
                ("tuples", "N", [0x85], ""), ("lists", "](", Array("]".utf8), "e"),
                ("dictionaries", "](", Array("}".utf8), "e"), ("remembered tuples", "N", [0x85, 0x94], ""),
                ("texts", "](", [0x8C, 0], "e"), ("marks", "N", Array("(".utf8), "N"),
                ("objects", "ca\nb\nq\u{0})q\u{1}(", Array("h\u{0}h\u{1}R".utf8), "t"),
            ] as [(String, String, [UInt8], String)])
        func memoryFollowsTheFile(_ name: String, _ start: String, _ part: [UInt8], _ end: String) throws {
            let parts = repeatElement(part, count: 4_000_000 / part.count).joined()
            let pickle = [0x80, 2] + Array(start.utf8) + parts + Array("\(end).".utf8)
            // torch.save's legacy container: magic number, version, system, object, keys of the storages.
            let file = Self.legacyStart + pickle + [0x80, 2] + Array("].".utf8)
            try Data(file).write(to: folder.url("crafted.pth"))
            let result = try run("convert crafted.pth out.safetensors", shell: "ulimit -v 500000")
            #expect(result.status == 1 && result.errors.hasPrefix("error: crafted.pth: "), "\(result)")
        }

        private static let legacyStart: [UInt8] =
            [0x80, 2, 0x8A, 10, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19] + Array(".".utf8)
            + [0x80, 2] + Array("M".utf8) + [0xE9, 0x03] + Array(".".utf8) + [0x80, 2] + Array("}.".utf8)
    #endif
}
