import COpenCL
import VGGEngine

/// Memory of a device, or a part of it. It lives as long as the object, and a part as long as that of which it is one.
///
/// A buffer is an object of OpenCL, which any thread may use; that nobody reads what others write is the plans' to see to.
package final class OpenCLBuffer: Sendable {
    let handle: OpenCLHandle
    let bytes: Int
    private let whole: OpenCLBuffer?

    /// Zero at first.
    /// - Throws: `PlanError.outOfMemory`.
    package init(bytes: Int, _ context: OpenCLContext, _ queue: OpenCLQueue) throws(PlanError) {
        self.bytes = max(bytes, 4).roundedUp(to: 4)
        whole = nil
        var code: cl_int = 0
        guard self.bytes <= context.device.largestBuffer,
            let memory = vgg_clCreateBuffer(context.handle.pointer, 1, self.bytes, nil, &code)
        else { throw .outOfMemory(bytes: bytes) }
        handle = OpenCLHandle(memory)
        guard queue.reserve(self) else { throw .outOfMemory(bytes: bytes) }
    }

    /// A part of another, which begins at a multiple of the device's alignment.
    init?(_ whole: OpenCLBuffer, offset: Int, bytes: Int) {
        var code: cl_int = 0
        var region = vgg_cl_region(origin: offset, size: bytes)
        // CL_MEM_READ_WRITE, CL_BUFFER_CREATE_TYPE_REGION
        guard let memory = vgg_clCreateSubBuffer(whole.handle.pointer, 1, 0x1220, &region, &code) else {
            return nil
        }
        handle = OpenCLHandle(memory)
        self.bytes = bytes
        self.whole = whole
    }

    deinit { _ = vgg_clReleaseMemObject(handle.pointer) }
}

extension Int {
    /// The least multiple of `unit` that is not below the number.
    func roundedUp(to unit: Int) -> Int { (self + unit - 1) / unit * unit }

    /// How many parts of `size` cover it.
    func parts(of size: Int) -> Int { (self + size - 1) / size }
}
