import Foundation

/// The files of a form (RFC 7578). Their own names are the client's affair, and nothing is done with them.
package enum Multipart {
    /// The boundary that a `Content-Type` names; nil if it is no form's.
    package static func boundary(of contentType: String) -> String? {
        guard contentType.lowercased().hasPrefix("multipart/form-data") else { return nil }
        for parameter in contentType.split(separator: ";").dropFirst() {
            let words = parameter.split(separator: "=", maxSplits: 1)
            guard words.count == 2, words[0].filter({ $0 != " " }).lowercased() == "boundary" else {
                continue
            }
            return words[1].filter { $0 != "\"" && $0 != " " }
        }
        return nil
    }

    /// The content of the only part.
    /// - Throws: `APIError` if there is not exactly one part, or the form is cut off.
    package static func file(in body: [UInt8], boundary: String) throws(APIError) -> [UInt8] {
        let parts = try Self.parts(in: body, boundary: boundary, atMost: 1)
        return Array(body[parts[0].content])
    }

    /// The contents of the parts by the names of their fields; of a name that comes twice the last.
    /// - Throws: `APIError` if there are more than eight, or the form is cut off.
    package static func files(in body: [UInt8], boundary: String) throws(APIError) -> [String: [UInt8]] {
        var files: [String: [UInt8]] = [:]
        for part in try parts(in: body, boundary: boundary, atMost: 8) {
            files[part.name] = Array(body[part.content])
        }
        return files
    }

    /// - Returns: at least one part, each with the name of its field, or none where it has no such name.
    private static func parts(
        in body: [UInt8], boundary: String, atMost most: Int
    ) throws(APIError) -> [(name: String, content: Range<Int>)] {
        let mark = Array("--\(boundary)".utf8)
        // A line break may stand before the first (RFC 2046, section 5.1.1).
        let start = body.starts(with: "\r\n".utf8) ? 2 : 0
        guard !boundary.isEmpty, boundary.utf8.count <= 70, body[start...].starts(with: mark) else {
            throw .invalid("the form does not begin with its boundary")
        }
        var parts: [(name: String, content: Range<Int>)] = []
        var place = start + mark.count
        repeat {
            guard let header = body.range(of: Array("\r\n\r\n".utf8), from: place) else {
                throw .invalid("the form's part has no header")
            }
            guard let end = body.range(of: Array("\r\n".utf8) + mark, from: header.upperBound) else {
                throw .invalid("the form is cut off")
            }
            guard parts.count < most else {
                throw .invalid(
                    most == 1
                        ? "the form has several parts; send one picture a request"
                        : "the form has more than \(most) parts")
            }
            parts.append((name(in: body[place..<header.lowerBound]), header.upperBound..<end.lowerBound))
            place = end.upperBound
        } while !body[place...].starts(with: "--".utf8)
        return parts
    }

    /// The field's name in a part's header.
    private static func name(in header: ArraySlice<UInt8>) -> String {
        let text = String(decoding: header, as: UTF8.self)
        for line in text.split(whereSeparator: \.isNewline)
        where line.lowercased().hasPrefix("content-disposition:") {
            for parameter in line.split(separator: ";").dropFirst() {
                let words = parameter.split(separator: "=", maxSplits: 1)
                guard words.count == 2, words[0].filter({ $0 != " " }).lowercased() == "name" else {
                    continue
                }
                return words[1].filter { $0 != "\"" && $0 != " " }
            }
        }
        return ""
    }
}

extension [UInt8] {
    /// Where some bytes, at least one, stand first from a place on; nil for nowhere. The standard library's `firstRange(of:)`
    /// looks at a body of megabytes byte by byte, while nothing else is answered.
    fileprivate func range(of bytes: [UInt8], from start: Int) -> Range<Int>? {
        withUnsafeBytes { all in
            guard let base = all.baseAddress else { return nil }
            var place = start
            while place + bytes.count <= all.count,
                let found = memchr(base + place, Int32(bytes[0]), all.count - bytes.count + 1 - place)
            {
                place = UnsafeRawPointer(found) - base
                if memcmp(found, bytes, bytes.count) == 0 { return place..<place + bytes.count }
                place += 1
            }
            return nil
        }
    }
}
