import CServerZlib
import Foundation

/// What HTTP calls gzip (RFC 1952) and deflate (the zlib format, RFC 1950).
package enum Compression: String, CaseIterable, Sendable {
    case gzip, deflate

    /// zlib's window of 2¹⁵ bytes, and 16 more for gzip's frame.
    private var windowBits: Int32 { self == .gzip ? 15 + 16 : 15 }

    /// The bytes that were packed.
    /// - Parameters:
    ///   - limit: of the bytes that come out.
    ///   - share: takes the memory for them; nil where it is nobody's affair.
    /// - Throws: `APIError` if there would be more, there is no memory for them, or the data are damaged or end too early.
    package func unpacked(_ packed: [UInt8], limit: Int, share: BodyMemory.Share? = nil) throws(APIError)
        -> [UInt8]
    {
        var stream = z_stream()
        guard
            inflateInit2_(&stream, windowBits, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK
        else { throw APIError(.internalServerError, "zlib has no memory") }
        defer { inflateEnd(&stream) }
        var output: [UInt8] = []
        var made = 0
        var hasRoom = true
        var input = packed
        let status: Int32 = input.withUnsafeMutableBufferPointer { input in
            stream.next_in = input.baseAddress
            stream.avail_in = UInt32(clamping: input.count)
            return Self.run(&stream, into: &output) { piece in
                made += piece
                hasRoom = made > limit || share?.takes(piece) ?? true
                return made <= limit && hasRoom
            } step: {
                inflate(&$0, Z_NO_FLUSH)
            }
        }
        guard made <= limit else { throw .closing(.contentTooLarge, "the unpacked body is too large") }
        guard hasRoom else { throw .noRoom }
        guard status == Z_STREAM_END, stream.avail_in == 0 else {
            throw .invalid("the body is not whole \(rawValue) data")
        }
        return output
    }

    /// The bytes packed, at the fastest level: logits are small, or random.
    package func packed(_ bytes: [UInt8]) -> [UInt8]? {
        var stream = z_stream()
        guard
            deflateInit2_(
                &stream, Z_BEST_SPEED, Z_DEFLATED, windowBits, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
                Int32(MemoryLayout<z_stream>.size)) == Z_OK
        else { return nil }
        defer { deflateEnd(&stream) }
        var output: [UInt8] = []
        var input = bytes
        let status: Int32 = input.withUnsafeMutableBufferPointer { input in
            stream.next_in = input.baseAddress
            stream.avail_in = UInt32(clamping: input.count)
            return Self.run(
                &stream, into: &output, takes: { _ in true }, step: { CServerZlib.deflate(&$0, Z_FINISH) })
        }
        return status == Z_STREAM_END ? output : nil
    }

    /// Steps until there is nothing more to come.
    /// - Parameter takes: whether a piece of so many bytes more is wanted.
    private static func run(
        _ stream: inout z_stream, into output: inout [UInt8], takes: (Int) -> Bool,
        step: (inout z_stream) -> Int32
    ) -> Int32 {
        var piece = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let (status, made): (Int32, Int) = piece.withUnsafeMutableBufferPointer { piece in
                stream.next_out = piece.baseAddress
                stream.avail_out = UInt32(piece.count)
                let status = step(&stream)
                return (status, piece.count - Int(stream.avail_out))
            }
            guard takes(made) else { return status }
            output += piece[..<made]
            guard status == Z_OK, made > 0 else { return status }
        }
    }

    /// The one that a client accepts and likes best, of `Accept-Encoding` (RFC 9110, section 12.5.3); nil for none.
    package static func accepted(_ field: String?) -> Compression? {
        var best: (Compression, Double)?
        for part in (field ?? "").split(separator: ",") {
            let words = part.split(separator: ";").map {
                $0.trimmingCharacters(in: .whitespaces).lowercased()
            }
            guard let name = words.first, let one = Compression(rawValue: name) else { continue }
            let quality =
                words.dropFirst().first { $0.hasPrefix("q=") }.flatMap { Double($0.dropFirst(2)) } ?? 1
            if quality > best?.1 ?? 0 { best = (one, quality) }
        }
        return best?.0
    }
}
