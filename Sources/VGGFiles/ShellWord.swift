extension String {
    /// A path, or another text, as one word of a shell, for commands that people copy out of a message: quoted where it
    /// has to be.
    package var shellWord: String {
        // What begins with a minus sign would be taken for an option; such names are names of files.
        let text = hasPrefix("-") ? "./\(self)" : self
        let isPlain = text.unicodeScalars.allSatisfy { scalar in
            switch scalar {
            case "a"..."z", "A"..."Z", "0"..."9", "/", ".", "_", "-", "+", ",", ":", "=", "@", "%": true
            default: scalar.value >= 0x80 && scalar.properties.isAlphabetic
            }
        }
        if isPlain, !text.isEmpty { return text }
        // The bytes that `FileName` shows by escapes, and those that would end the message's one line.
        let bytes = FileName.bytes(text)
        let isText = bytes.elementsEqual(text.utf8)
        guard !isText || bytes.contains(where: { $0 < 0x20 || $0 == 0x7F }) else {
            return "'\(text.replacing("'", with: "'\\''"))'"
        }
        let escaped = bytes.map { byte in
            switch byte {
            case UInt8(ascii: "'"), UInt8(ascii: "\\"): "\\\(Unicode.Scalar(byte))"
            case 0x20..<0x7F: "\(Unicode.Scalar(byte))"
            default: "\\x" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
            }
        }
        return "$'\(escaped.joined())'"
    }
}
