extension ProtobufMessage {
    /// The tags of a message's members (eight times the field's number, and how it is written); nil if `bytes` are no
    /// message. What the members hold is not looked at.
    ///
    /// Format: https://protobuf.dev/programming-guides/encoding
    static func tags(in bytes: UnsafeRawBufferPointer) -> Set<Int>? {
        var tags: Set<Int> = []
        var position = 0
        func number() -> Int? {
            var value = 0
            for shift in stride(from: 0, to: 63, by: 7) {
                guard position < bytes.count else { return nil }
                let byte = bytes[position]
                position += 1
                value |= Int(byte & 0x7F) << shift
                if byte < 0x80 { return value }
            }
            return nil
        }
        while position < bytes.count {
            guard let tag = number(), tag >= 8 else { return nil }
            switch tag & 7 {
            case 0: guard number() != nil else { return nil }
            case 1: position += 8
            case 2:
                guard let length = number(), length <= bytes.count - position else { return nil }
                position += length
            case 5: position += 4
            default: return nil
            }
            guard position <= bytes.count else { return nil }
            // No format has more kinds of members, and no other file so few.
            guard tags.insert(tag).inserted == false || tags.count <= 64 else { return nil }
        }
        return tags
    }
}
