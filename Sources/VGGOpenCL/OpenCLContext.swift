import COpenCL
import Foundation
import Synchronization
import VGGEngine

/// How many work-items and numbers the kernels deal with at once; the kernels' text is compiled with these.
package enum KernelSizes {
    /// Work-items of a group that makes a tile of a product of matrices, or single numbers.
    package static let group = 256
    /// Those of one that adds up.
    package static let sumGroup = 64
    /// Rows and columns of a tile.
    package static let tile = 64
    /// What a kernel may use on every device: PoCL would allow more.
    static let (largestGroup, localMemory) = (1024, 48 << 10)

    static let options =
        "-cl-std=CL1.2 -DGROUP=\(group) -DSUM_GROUP=\(sumGroup) -DTILE=\(tile)"
}

/// The text of all kernels.
package enum KernelSource {
    package static let text = String(decoding: files.joined(), as: UTF8.self)

    /// The kernels' names.
    package static var names: [String] {
        text.matches(of: /kernel (?:__attribute__\(\([^)]*\)+ )?void\s+([a-z_]+)\(/).map { String($0.1) }
    }

    private static var files: [[UInt8]] {
        [
            PackageResources.common_cl, PackageResources.update_cl, PackageResources.convolution_cl,
            PackageResources.convolution_gradients_cl, PackageResources.linear_cl,
            PackageResources.batch_norm_cl, PackageResources.pooling_cl, PackageResources.elementwise_cl,
            PackageResources.loss_cl, PackageResources.measure_cl,
        ]
    }
}

/// A device that is in use, with its kernels built. There is one for each device, which lives as long as the program.
package final class OpenCLContext: Sendable {
    package let device: OpenCLDevice
    package let handle: OpenCLHandle
    /// The kernels that were built, for the number formats that somebody needed.
    private let programs: Mutex<[NumberFormats: OpenCLHandle]>

    private static let contexts = Mutex<[Int: OpenCLContext]>([:])

    /// The context of a device, which is made when it is first asked for.
    package static func of(_ device: OpenCLDevice) throws(DeviceError) -> OpenCLContext {
        let result: Result<OpenCLContext, DeviceError> = contexts.withLock { contexts in
            if let context = contexts[device.index] { return .success(context) }
            do throws(DeviceError) {
                let context = try OpenCLContext(device)
                contexts[device.index] = context
                return .success(context)
            } catch { return .failure(error) }
        }
        return try result.get()
    }

    private init(_ device: OpenCLDevice) throws(DeviceError) {
        self.device = device
        var code: cl_int = 0
        var id: OpaquePointer? = device.handle.pointer
        guard let context = vgg_clCreateContext(nil, 1, &id, nil, nil, &code) else {
            throw .lost(device: device.name, reason: OpenCLCode.name(code))
        }
        handle = OpenCLHandle(context)
        let program = try Self.build(KernelSource.text, .single, for: device, in: context)
        programs = Mutex([.single: program])
    }

    /// Builds a program, or takes what the driver made of it before.
    /// - Throws: `DeviceError.kernels`, with the driver's log in a file.
    package static func build(
        _ source: String, _ formats: NumberFormats, for device: OpenCLDevice, in context: OpaquePointer
    ) throws(DeviceError) -> OpenCLHandle {
        let (made, code) = ProgramCache.user.program(
            source, options: KernelSizes.options + formats.options, for: device, in: context)
        guard let program = made else {
            throw .kernels(device: device.name, reason: OpenCLCode.name(code), log: nil)
        }
        guard code == 0 else {
            let log = text { vgg_clGetProgramBuildInfo(program, device.handle.pointer, 0x1183, $0, $1, $2) }
            _ = vgg_clReleaseProgram(program)
            let file = FileManager.default.temporaryDirectory
                .appendingPathComponent("vgg-opencl-\(device.index).log")
            let isWritten = (try? Data(log.utf8).write(to: file, options: .atomic)) != nil
            throw .kernels(
                device: device.name, reason: OpenCLCode.name(code), log: isWritten ? file.path : nil)
        }
        return OpenCLHandle(program)
    }

    /// A kernel of one's own: its arguments are set, and it runs, by one thread at a time.
    package func kernel(_ kernel: Kernel) throws(DeviceError) -> OpaquePointer {
        let program = try program(kernel.formats)
        var code: cl_int = 0
        guard let object = vgg_clCreateKernel(program.pointer, kernel.name, &code) else {
            throw .kernels(device: device.name, reason: "\(kernel.name): \(OpenCLCode.name(code))", log: nil)
        }
        return object
    }

    private func program(_ formats: NumberFormats) throws(DeviceError) -> OpenCLHandle {
        try programs.withLock { programs throws(DeviceError) in
            if let program = programs[formats] { return program }
            let program = try Self.build(KernelSource.text, formats, for: device, in: handle.pointer)
            programs[formats] = program
            return program
        }
    }

    /// Bytes of local memory that a kernel takes.
    package func localMemory(of kernel: OpaquePointer) -> Int {
        var bytes: UInt64 = 0
        _ = vgg_clGetKernelWorkGroupInfo(kernel, device.handle.pointer, 0x11B2, 8, &bytes, nil)
        return Int(bytes)
    }
}

/// What OpenCL calls its error codes.
enum OpenCLCode {
    static let (memoryFailed, outOfResources, outOfHostMemory): (cl_int, cl_int, cl_int) = (-4, -5, -6)

    /// Whether memory was missing; drivers that reserve it late say that resources were.
    static func isOutOfMemory(_ code: cl_int) -> Bool {
        [memoryFailed, outOfResources, outOfHostMemory, -61].contains(code)
    }

    static func name(_ code: cl_int) -> String {
        let names: [cl_int: String] = [
            -1: "CL_DEVICE_NOT_FOUND", -2: "CL_DEVICE_NOT_AVAILABLE", -3: "CL_COMPILER_NOT_AVAILABLE",
            -4: "CL_MEM_OBJECT_ALLOCATION_FAILURE", -5: "CL_OUT_OF_RESOURCES", -6: "CL_OUT_OF_HOST_MEMORY",
            -11: "CL_BUILD_PROGRAM_FAILURE", -34: "CL_INVALID_CONTEXT", -36: "CL_INVALID_COMMAND_QUEUE",
            -46: "CL_INVALID_KERNEL_NAME", -48: "CL_INVALID_KERNEL", -51: "CL_INVALID_ARG_SIZE",
            -52: "CL_INVALID_KERNEL_ARGS", -54: "CL_INVALID_WORK_GROUP_SIZE", -61: "CL_INVALID_BUFFER_SIZE",
        ]
        return names[code].map { "\($0) (\(code))" } ?? "OpenCL's error \(code)"
    }
}
