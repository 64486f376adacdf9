import COpenCL
import Foundation

/// A device of an OpenCL platform of this machine, and what it says of itself.
public struct OpenCLDevice: Hashable, Sendable {
    /// What the implementation says that it is.
    public enum Kind: String, Hashable, Sendable, Codable {
        /// `other` is an accelerator, or what says nothing.
        case gpu, cpu, other
    }

    /// Its place among all that there are, in the order of the platforms.
    public let index: Int
    /// What its maker calls it.
    public let name: String
    /// Of the implementation, as `NVIDIA CUDA` or `Portable Computing Language`.
    public let platform: String
    /// What kind of thing it is.
    public let kind: Kind
    /// Of the driver, and of the OpenCL that it speaks.
    public let driver: String
    /// Of the OpenCL that it speaks.
    public let version: String
    /// What works at the same time.
    public let computeUnits: Int
    /// MHz.
    public let clock: Int
    /// Bytes.
    public let memory: Int
    /// Bytes of one buffer at most.
    public let largestBuffer: Int
    /// Bytes that a work group shares.
    public let localMemory: Int
    /// Work-items of one group at most.
    public let largestGroup: Int
    /// Bytes that parts of a buffer are aligned to.
    let alignment: Int
    let handle: OpenCLHandle

    /// Whether the processor does the work, as with PoCL and Oclgrind (which says that it is everything).
    public var isProcessor: Bool { kind == .cpu }

    /// Every device of this machine; none where there is no OpenCL. Looked for once.
    public static let all: [OpenCLDevice] = {
        guard OpenCLLibrary.isThere else { return [] }
        let found = platforms().flatMap { platform in
            devices(of: platform).map { (platform, $0) }
        }
        return found.enumerated().map { OpenCLDevice(index: $0, platform: $1.0, $1.1) }
    }()

    /// Why there is none.
    public static var absence: String? {
        guard all.isEmpty else { return nil }
        return OpenCLLibrary.isThere
            ? "OpenCL is installed, but no platform has a device: a driver is missing (Debian's pocl-opencl-icd runs on any processor)"
            : "there is no OpenCL here: its library, \(OpenCLLibrary.name), is missing (Debian's ocl-icd-libopencl1)"
    }

    private static func platforms() -> [OpaquePointer] {
        var count: cl_uint = 0
        guard vgg_clGetPlatformIDs(0, nil, &count) == 0, count > 0 else { return [] }
        var platforms = [OpaquePointer?](repeating: nil, count: Int(count))
        guard vgg_clGetPlatformIDs(count, &platforms, nil) == 0 else { return [] }
        return platforms.compactMap(\.self)
    }

    private static func devices(of platform: OpaquePointer) -> [OpaquePointer] {
        let every: cl_bitfield = 0xFFFF_FFFF
        var count: cl_uint = 0
        guard vgg_clGetDeviceIDs(platform, every, 0, nil, &count) == 0, count > 0 else { return [] }
        var devices = [OpaquePointer?](repeating: nil, count: Int(count))
        guard vgg_clGetDeviceIDs(platform, every, count, &devices, nil) == 0 else { return [] }
        return devices.compactMap(\.self)
    }

    private init(index: Int, platform: OpaquePointer, _ device: OpaquePointer) {
        self.index = index
        handle = OpenCLHandle(device)
        self.platform = text { vgg_clGetPlatformInfo(platform, 0x0902, $0, $1, $2) }
        func string(_ name: cl_uint) -> String { text { vgg_clGetDeviceInfo(device, name, $0, $1, $2) } }
        func number<Number: FixedWidthInteger>(_ name: cl_uint, _: Number.Type) -> Int {
            var value: Number = 0
            let code = vgg_clGetDeviceInfo(device, name, MemoryLayout<Number>.size, &value, nil)
            return code == 0 ? Int(clamping: value) : 0
        }
        // The numbers are those of the specification's header, cl.h: CL_DEVICE_NAME and so on.
        name = string(0x102B)
        driver = string(0x102D)
        version = string(0x102F)
        let types = number(0x1000, cl_bitfield.self)
        kind = types & 2 != 0 ? .cpu : types & 4 != 0 ? .gpu : .other
        computeUnits = number(0x1002, cl_uint.self)
        clock = number(0x100C, cl_uint.self)
        memory = number(0x101F, UInt64.self)
        largestBuffer = number(0x1010, UInt64.self)
        localMemory = number(0x1023, UInt64.self)
        largestGroup = number(0x1004, Int.self)
        // It is in bits there.
        alignment = max(256, number(0x1019, cl_uint.self) / 8)
    }
}

/// An object of OpenCL.
///
/// All functions of OpenCL may be called by several threads at once, but those that set a kernel's arguments (section A.2 of
/// the specification); kernels are never shared here.
package struct OpenCLHandle: Hashable, @unchecked Sendable {
    package let pointer: OpaquePointer
    init(_ pointer: OpaquePointer) { self.pointer = pointer }
}

/// The library that finds the platforms' drivers.
enum OpenCLLibrary {
    /// The name of the environment variable that may name another library.
    static let environmentVariable = "VGG_OPENCL_LIBRARY"

    private static let wished = ProcessInfo.processInfo.environment[environmentVariable]

    static var name: String {
        #if canImport(Darwin)
            let system = "OpenCL.framework"
        #else
            let system = "libOpenCL.so.1"
        #endif
        return wished ?? system
    }

    static let isThere = vgg_opencl_load(wished)
}

/// A text that OpenCL returns in two calls: how long it is, and what it is.
func text(_ read: (_ size: Int, UnsafeMutableRawPointer?, UnsafeMutablePointer<Int>?) -> cl_int) -> String {
    var size = 0
    guard read(0, nil, &size) == 0, size > 0 else { return "" }
    var bytes = [UInt8](repeating: 0, count: size)
    guard read(size, &bytes, nil) == 0 else { return "" }
    return String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self).trimmingCharacters(in: .whitespaces)
}
