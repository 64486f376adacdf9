import CZlib

/// The content of a file that is held in memory, read from the front; gzip (RFC 1952) is inflated on the way.
///
/// It lives no longer than the buffer it was made from.
struct ByteSource: ~Copyable {
    private var rest: UnsafeRawBufferPointer
    private let path: String
    /// zlib's state for gzip, nil for a plain file. zlib keeps a pointer to it, so it must not move.
    private let stream: UnsafeMutablePointer<z_stream>?
    private var memberEnded = false

    private static let chunk = 1 << 20

    /// - Parameter path: the name the file has in errors.
    /// - Throws: `DatasetError.malformedFile`.
    init(_ file: UnsafeRawBufferPointer, path: String) throws(DatasetError) {
        rest = file
        self.path = path
        guard Self.isGzip(file) else {
            stream = nil
            return
        }
        let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        stream.initialize(to: z_stream())
        self.stream = stream
        // 16 asks for a gzip header and trailer, 15 for the largest window.
        guard inflateInit2_(stream, 16 + 15, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
            throw .malformedFile(path: path, reason: "zlib has no memory to read it")
        }
    }

    deinit {
        if let stream {
            inflateEnd(stream)
            stream.deallocate()
        }
    }

    private static func isGzip(_ bytes: UnsafeRawBufferPointer) -> Bool { bytes.starts(with: [0x1F, 0x8B]) }

    /// The next `count` bytes, or fewer at the end of the content.
    ///
    /// Memory grows with what is really there, never with what `count` hopes for.
    /// - Throws: `DatasetError.malformedFile` if the gzip data is damaged or cut off.
    mutating func read(_ count: Int) throws(DatasetError) -> [UInt8] {
        guard stream != nil else {
            let taken = min(count, rest.count)
            defer { rest = UnsafeRawBufferPointer(rebasing: rest[taken...]) }
            return [UInt8](rest[..<taken])
        }
        var bytes: [UInt8] = []
        let buffer = UnsafeMutableRawBufferPointer.allocate(
            byteCount: min(count, Self.chunk), alignment: 16)
        defer { buffer.deallocate() }
        while bytes.count < count {
            let wanted = min(count - bytes.count, buffer.count)
            let inflated = try inflateSome(UnsafeMutableRawBufferPointer(rebasing: buffer[..<wanted]))
            if inflated == 0 { break }
            bytes.append(contentsOf: buffer[..<inflated])
        }
        return bytes
    }

    /// Inflates up to `output.count` bytes; 0 only at the end of the last gzip member.
    private mutating func inflateSome(_ output: UnsafeMutableRawBufferPointer) throws(DatasetError) -> Int {
        guard let stream, let start = output.baseAddress else { return 0 }
        stream.pointee.next_out = start.assumingMemoryBound(to: UInt8.self)
        stream.pointee.avail_out = UInt32(output.count)
        while stream.pointee.avail_out == output.count {
            if memberEnded {
                if rest.isEmpty { return 0 }
                guard Self.isGzip(rest) else {
                    throw malformed("has \(rest.count) bytes of something else after its gzip data")
                }
                inflateReset(stream)
                memberEnded = false
            }
            let input = UnsafeRawBufferPointer(rebasing: rest.prefix(Int(Int32.max)))
            // zlib does not write through next_in; its type only predates const.
            stream.pointee.next_in = UnsafeMutablePointer(
                mutating: input.baseAddress?.assumingMemoryBound(to: UInt8.self))
            stream.pointee.avail_in = UInt32(input.count)
            let status = inflate(stream, Z_NO_FLUSH)
            rest = UnsafeRawBufferPointer(rebasing: rest[(input.count - Int(stream.pointee.avail_in))...])
            switch status {
            case Z_OK: continue
            case Z_STREAM_END: memberEnded = true
            case Z_BUF_ERROR: throw malformed("is cut off in the middle of its gzip data")
            default:
                let detail = stream.pointee.msg.map { String(cString: $0) } ?? "zlib error \(status)"
                throw malformed("is damaged gzip data (\(detail))")
            }
        }
        return output.count - Int(stream.pointee.avail_out)
    }

    private func malformed(_ reason: String) -> DatasetError { .malformedFile(path: path, reason: reason) }
}
