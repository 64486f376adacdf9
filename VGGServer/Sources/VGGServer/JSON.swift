/// A JSON value (RFC 8259), with room for tensors: the numbers of an array that holds nothing else have no box each.
package enum JSON: Sendable, Hashable {
    case null
    case bool(Bool)
    case number(Double)
    case string(String)
    /// At least one number, and nothing else.
    case numbers([Double])
    case array([JSON])
    case object([String: JSON])
    /// Text that is JSON already; never read.
    case text(String)

    package subscript(key: String) -> JSON? {
        if case .object(let members) = self { members[key] } else { nil }
    }

    package var string: String? { if case .string(let text) = self { text } else { nil } }
    package var bool: Bool? { if case .bool(let value) = self { value } else { nil } }

    /// A whole number that is exact.
    package var integer: Int? {
        guard case .number(let value) = self, abs(value) <= 0x1p53 else { return nil }
        return Int(exactly: value)
    }

    package var elements: [JSON]? {
        switch self {
        case .array(let elements): elements
        case .numbers(let numbers): numbers.map(JSON.number)
        default: nil
        }
    }

    package static func integers(_ values: [Int]) -> JSON { .array(values.map { .number(Double($0)) }) }
}

extension JSON: ExpressibleByStringLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral,
    ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral
{
    package init(stringLiteral value: String) { self = .string(value) }
    package init(arrayLiteral elements: JSON...) { self = .array(elements) }
    package init(dictionaryLiteral elements: (String, JSON)...) {
        self = .object(Dictionary(elements) { _, last in last })
    }
    package init(integerLiteral value: Int) { self = .number(Double(value)) }
    package init(booleanLiteral value: Bool) { self = .bool(value) }
}

// MARK: Writing

extension JSON {
    /// Without spaces, members sorted.
    package var line: String {
        var text = ""
        write(to: &text)
        return text
    }

    private func write(to text: inout String) {
        switch self {
        case .null: text += "null"
        case .bool(let value): text += value ? "true" : "false"
        case .number(let value): text += Self.written(value)
        case .string(let value): Self.write(value, to: &text)
        case .numbers(let values): Self.write(values, to: &text) { $1 += Self.written($0) }
        case .array(let values): Self.write(values, to: &text) { $0.write(to: &$1) }
        case .object(let members):
            text += "{"
            for (place, member) in members.sorted(by: { $0.key < $1.key }).enumerated() {
                if place > 0 { text += "," }
                Self.write(member.key, to: &text)
                text += ":"
                member.value.write(to: &text)
            }
            text += "}"
        case .text(let value): text += value
        }
    }

    private static func write<Value>(
        _ values: [Value], to text: inout String, each: (Value, inout String) -> Void
    ) {
        text += "["
        for (place, value) in values.enumerated() {
            if place > 0 { text += "," }
            each(value, &text)
        }
        text += "]"
    }

    /// JSON has no numbers that are not finite.
    private static func written(_ value: Double) -> String {
        if let whole = Int(exactly: value), abs(value) <= 0x1p53 { return "\(whole)" }
        return value.isFinite ? "\(value)" : "null"
    }

    /// Numbers in the shortest form that gives them back.
    package static func floats(_ values: some Sequence<Float>) -> JSON {
        .text("[" + values.map { $0.isFinite ? "\($0)" : "null" }.joined(separator: ",") + "]")
    }

    private static func write(_ value: String, to text: inout String) {
        text += "\""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case "\u{0}"..."\u{1F}", "\u{7F}":
                text += "\\u00" + (scalar.value < 16 ? "0" : "") + String(scalar.value, radix: 16)
            default: text.unicodeScalars.append(scalar)
            }
        }
        text += "\""
    }
}
