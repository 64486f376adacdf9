import Foundation

#if canImport(CryptoKit)
    import CryptoKit
#endif

/// SHA-256, as the system computes it: by CryptoKit, or where that is not by the program `sha256sum` of GNU's
/// coreutils or BusyBox.
enum ContentHash {
    /// Why there are no hashes on this machine, and what to do; nil if there are.
    static var problem: String? {
        #if canImport(CryptoKit)
            return nil
        #else
            return program == nil
                ? "sha256sum, which checks files, is not found; install it (on Debian: apt-get install coreutils)"
                : nil
        #endif
    }

    #if canImport(CryptoKit)
        /// The hash of `parts`, one after the other, in hexadecimal digits; nil if there are none on this machine.
        static func sha256(_ parts: [UInt8]...) -> String? {
            var hash = SHA256()
            for part in parts { hash.update(data: part) }
            return hash.finalize().map { String(UInt16($0) | 0x100, radix: 16).dropFirst() }.joined()
        }
    #else
        private static var program: String? { SystemProgram.path(of: "sha256sum") }

        /// The hash of `parts`, one after the other, in hexadecimal digits; nil if there are none on this machine.
        static func sha256(_ parts: [UInt8]...) -> String? {
            var ends: [Int32] = [-1, -1]
            // A socket, because a pipe that nobody reads any more would end this program by a signal.
            guard let program, socketpair(AF_UNIX, socketType, 0, &ends) == 0 else { return nil }
            let theirs = FileHandle(fileDescriptor: ends[1], closeOnDealloc: true)
            let (process, output) = (Process(), Pipe())
            process.executableURL = URL(filePath: program)
            process.standardInput = theirs
            process.standardOutput = output
            process.standardError = FileHandle.nullDevice
            do {
                defer { close(ends[0]) }
                guard (try? process.run()) != nil else { return nil }
                try? theirs.close()
                for part in parts where !send(part, to: ends[0]) { return nil }
            }
            let said = try? output.fileHandleForReading.readToEnd()
            let digits = String(decoding: said ?? Data(), as: UTF8.self).prefix(64)
            return digits.count == 64 && digits.allSatisfy(\.isHexDigit) ? String(digits) : nil
        }

        private static var socketType: Int32 {
            #if canImport(Glibc)
                Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
            #else
                SOCK_STREAM | SOCK_CLOEXEC
            #endif
        }

        private static func send(_ bytes: [UInt8], to socket: Int32) -> Bool {
            bytes.withUnsafeBytes { bytes in
                var rest = bytes[...]
                while !rest.isEmpty {
                    let part = UnsafeRawBufferPointer(rebasing: rest)
                    let sent = Foundation.send(socket, part.baseAddress, part.count, Int32(MSG_NOSIGNAL))
                    if sent < 0, errno == EINTR { continue }
                    guard sent > 0 else { return false }
                    rest = rest.dropFirst(sent)
                }
                return true
            }
        }
    #endif
}
