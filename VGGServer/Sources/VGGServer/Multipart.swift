/// The file of a form (RFC 7578). Its name is the client's affair, and nothing is done with it.
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
        let mark = Array("--\(boundary)".utf8)
        guard !boundary.isEmpty, boundary.utf8.count <= 70, body.starts(with: mark) else {
            throw .invalid("the form does not begin with its boundary")
        }
        guard let header = body.firstRange(of: Array("\r\n\r\n".utf8)) else {
            throw .invalid("the form's part has no header")
        }
        let content = body[header.upperBound...]
        guard let end = content.firstRange(of: Array("\r\n".utf8) + mark) else {
            throw .invalid("the form is cut off")
        }
        guard body[end.upperBound...].starts(with: "--".utf8) else {
            throw .invalid("the form has several parts; send one picture a request")
        }
        return Array(content[..<end.lowerBound])
    }
}
