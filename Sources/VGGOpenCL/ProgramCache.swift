import COpenCL
import Foundation
import VGGFiles

/// Programs as drivers have built them, in files of the user's cache, so that a driver compiles each only once.
///
/// A file says whose it is in full, and has a checksum: what is of another device, driver or source, was cut short or
/// damaged, or is refused by the driver, is built again from its source and replaced. Where nothing can be kept, nothing
/// is.
package struct ProgramCache {
    /// A file for each program.
    let folder: String

    package init(folder: String) { self.folder = folder }

    static var user: ProgramCache { ProgramCache(folder: "\(HomeFolder.cache)/opencl") }

    /// What a binary belongs to.
    package struct Key {
        let text: String

        package init(_ device: OpenCLDevice, options: String, source: String) {
            text = [
                device.platform, device.name, device.driver, device.version, options, source,
            ].joined(separator: "\0")
        }
    }

    /// A program, built from its binary or else from its source.
    /// - Returns: also the code of the build, 0 for success; a program that could not be built has a log.
    package func program(
        _ source: String, options: String, for device: OpenCLDevice, in context: OpaquePointer
    ) -> (program: OpaquePointer?, code: cl_int) {
        let key = Key(device, options: options, source: source)
        if let binary = binary(for: key), let program = Self.program(binary, options, device, context) {
            return (program, 0)
        }
        var code: cl_int = 0
        let program = source.withCString { text in
            var texts: [UnsafePointer<CChar>?] = [text]
            return vgg_clCreateProgramWithSource(context, 1, &texts, nil, &code)
        }
        guard let program, code == 0 else { return (program, code) }
        code = Self.build(program, options, device)
        if code == 0, let binary = Self.binary(of: program) { keep(binary, for: key) }
        return (program, code)
    }

    private static func build(
        _ program: OpaquePointer, _ options: String, _ device: OpenCLDevice
    ) -> cl_int {
        var devices: [OpaquePointer?] = [device.handle.pointer]
        return vgg_clBuildProgram(program, 1, &devices, options, nil, nil)
    }

    /// - Returns: nil if the driver will not have the binary.
    private static func program(
        _ binary: [UInt8], _ options: String, _ device: OpenCLDevice, _ context: OpaquePointer
    ) -> OpaquePointer? {
        let program = binary.withUnsafeBufferPointer { bytes in
            var devices: [OpaquePointer?] = [device.handle.pointer]
            var (sizes, binaries) = ([bytes.count], [bytes.baseAddress])
            var (status, code): (cl_int, cl_int) = (0, 0)
            let program = vgg_clCreateProgramWithBinary(
                context, 1, &devices, &sizes, &binaries, &status, &code)
            return code == 0 && status == 0 ? program : nil
        }
        guard let program else { return nil }
        guard build(program, options, device) == 0 else {
            _ = vgg_clReleaseProgram(program)
            return nil
        }
        return program
    }

    /// What a driver has made of a program of one device; nil if it does not say.
    private static func binary(of program: OpaquePointer) -> [UInt8]? {
        // CL_PROGRAM_BINARY_SIZES and CL_PROGRAM_BINARIES.
        var size = 0
        guard vgg_clGetProgramInfo(program, 0x1165, MemoryLayout<Int>.size, &size, nil) == 0, size > 0
        else { return nil }
        var bytes = [UInt8](repeating: 0, count: size)
        let code = bytes.withUnsafeMutableBufferPointer { bytes in
            var places = [bytes.baseAddress]
            return vgg_clGetProgramInfo(
                program, 0x1166, MemoryLayout<UnsafeMutablePointer<UInt8>?>.size, &places, nil)
        }
        return code == 0 ? bytes : nil
    }
}

/// The files: a line that says what they are, the sizes of key and binary and the checksum of both, a line each, then
/// the key and the binary.
extension ProgramCache {
    private static let heading = "vgg program 1"

    package func path(of key: Key) -> String {
        "\(folder)/\(String(Self.hash(key.text.utf8), radix: 16)).bin"
    }

    /// - Returns: nil if there is none that is whole and the key's.
    package func binary(for key: Key) -> [UInt8]? {
        guard let bytes = FileManager.default.contents(atPath: path(of: key)).map({ [UInt8]($0) }) else {
            return nil
        }
        let own = Array(key.text.utf8)
        // What the file must be, if what is behind its four lines is the key and a binary.
        let content = bytes.split(separator: 10, maxSplits: 4, omittingEmptySubsequences: false).last ?? []
        let binary = content.dropFirst(own.count)
        return bytes == Self.file(own, content: own + binary) ? Array(binary) : nil
    }

    package func keep(_ binary: [UInt8], for key: Key) {
        let own = Array(key.text.utf8)
        try? FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try? AtomicFile.replace(path(of: key), with: Self.file(own, content: own + binary))
    }

    /// - Parameter content: the key and the binary.
    private static func file(_ key: [UInt8], content: [UInt8]) -> [UInt8] {
        let numbers = [key.count, content.count - key.count].map(String.init)
        let lines = [heading] + numbers + [String(hash(content), radix: 16)]
        return Array((lines.joined(separator: "\n") + "\n").utf8) + content
    }

    /// FNV-1a of 64 bits, which tells damage, and names of files, apart; nothing is trusted by it alone.
    private static func hash(_ bytes: some Sequence<UInt8>) -> UInt64 {
        bytes.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    }
}
