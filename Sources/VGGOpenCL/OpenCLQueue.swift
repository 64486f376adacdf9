import COpenCL
import VGGEngine

/// What a kernel takes.
protocol KernelArgument {
    func set(_ index: Int, of kernel: OpaquePointer) -> cl_int
}

/// Numbers, and structures of numbers that are laid out as the kernels' are.
protocol PlainArgument: KernelArgument, BitwiseCopyable {}

extension PlainArgument {
    func set(_ index: Int, of kernel: OpaquePointer) -> cl_int {
        withUnsafeBytes(of: self) { vgg_clSetKernelArg(kernel, cl_uint(index), $0.count, $0.baseAddress) }
    }
}

extension Int32: PlainArgument {}
extension UInt64: PlainArgument {}
extension Float: PlainArgument {}

extension OpenCLBuffer: KernelArgument {
    func set(_ index: Int, of kernel: OpaquePointer) -> cl_int {
        var memory: OpaquePointer? = handle.pointer
        return vgg_clSetKernelArg(kernel, cl_uint(index), MemoryLayout<OpaquePointer?>.size, &memory)
    }
}

/// A null pointer in the kernel where there is none.
extension Optional: KernelArgument where Wrapped == OpenCLBuffer {
    func set(_ index: Int, of kernel: OpaquePointer) -> cl_int {
        guard let self else {
            return vgg_clSetKernelArg(kernel, cl_uint(index), MemoryLayout<OpaquePointer?>.size, nil)
        }
        return self.set(index, of: kernel)
    }
}

/// The order in which a device does what one plan wants: one thing after another, but for images, which come while it is busy with
/// what was called before. It goes on while the calls return; those that read wait. After a failure nothing is done any more.
package final class OpenCLQueue {
    package let context: OpenCLContext
    private let handle: OpaquePointer
    private let uploads: OpaquePointer
    private var kernels: [Kernel: OpaquePointer] = [:]
    /// The kernels that were run.
    package var kernelNames: Set<String> { Set(kernels.keys.map(\.name)) }
    package private(set) var failure: DeviceError?
    /// Bytes of the device's memory that were reserved through this queue.
    package private(set) var reserved = 0
    /// A copy of the batch that is on its way, or was the last one.
    private var uploaded = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    /// When that batch has arrived, and when the device has read it.
    private var (hasArrived, isRead): (OpenCLEvent?, OpenCLEvent?) = (nil, nil)

    package init(_ context: OpenCLContext) throws(DeviceError) {
        self.context = context
        handle = try Self.queue(context)
        uploads = try Self.queue(context)
    }

    private static func queue(_ context: OpenCLContext) throws(DeviceError) -> OpaquePointer {
        var code: cl_int = 0
        let device = context.device
        guard
            let queue = vgg_clCreateCommandQueue(context.handle.pointer, device.handle.pointer, 0, &code)
        else { throw .lost(device: device.name, reason: OpenCLCode.name(code)) }
        return queue
    }

    deinit {
        _ = vgg_clFinish(handle)
        _ = vgg_clFinish(uploads)
        uploaded.deallocate()
        for kernel in kernels.values { _ = vgg_clReleaseKernel(kernel) }
        _ = vgg_clReleaseCommandQueue(handle)
        _ = vgg_clReleaseCommandQueue(uploads)
    }

    // MARK: - Kernels

    /// Runs a kernel that makes tiles of a product, in so many groups.
    func tiles(
        _ kernel: Kernel, _ columns: Int, _ rows: Int, _ parts: Int = 1, _ arguments: any KernelArgument...
    ) {
        run(
            kernel, groups: [columns.parts(of: KernelSizes.tile), rows.parts(of: KernelSizes.tile), parts],
            of: KernelSizes.group, arguments)
    }

    /// Runs a kernel whose groups make a sum each.
    func sums(_ kernel: Kernel, _ columns: Int, _ rows: Int, _ arguments: any KernelArgument...) {
        run(kernel, groups: [columns, rows, 1], of: KernelSizes.sumGroup, arguments)
    }

    /// Runs a kernel whose work-items make a number each.
    func numbers(_ kernel: Kernel, _ count: Int, _ arguments: any KernelArgument...) {
        run(kernel, groups: [count.parts(of: KernelSizes.group), 1, 1], of: KernelSizes.group, arguments)
    }

    private func run(_ kernel: Kernel, groups: [Int], of size: Int, _ arguments: [any KernelArgument]) {
        guard failure == nil, let object = object(of: kernel) else { return }
        for (index, argument) in arguments.enumerated() {
            check(argument.set(index, of: object), kernel.name)
        }
        guard failure == nil else { return }
        let global = [groups[0] * size, groups[1], groups[2]]
        check(
            vgg_clEnqueueNDRangeKernel(handle, object, 3, nil, global, [size, 1, 1], 0, nil, nil), kernel.name
        )
    }

    /// The built kernel, which must keep to what every device has.
    private func object(of kernel: Kernel) -> OpaquePointer? {
        if let object = kernels[kernel] { return object }
        do throws(DeviceError) {
            let object = try context.kernel(kernel)
            kernels[kernel] = object
            let limit = min(KernelSizes.localMemory, context.device.localMemory)
            guard context.localMemory(of: object) <= limit else {
                failure = .kernels(
                    device: context.device.name,
                    reason: "\(kernel.name) needs more than \(limit) bytes of local memory",
                    log: nil)
                return nil
            }
            return object
        } catch {
            failure = error
            return nil
        }
    }

    // MARK: - Memory

    func clear(_ buffer: OpenCLBuffer) -> Bool {
        var zero: Float = 0
        let code = vgg_clEnqueueFillBuffer(
            handle, buffer.handle.pointer, &zero, 4, 0, buffer.bytes, 0, nil, nil)
        guard code == 0 else { return false }
        return vgg_clFinish(handle) == 0
    }

    /// Clears memory that was just reserved: drivers may do that when it is first written to.
    /// - Returns: whether it is there.
    func reserve(_ buffer: OpenCLBuffer) -> Bool {
        reserved += buffer.bytes
        return clear(buffer)
    }

    /// Copies a batch to the device, and returns while it is on its way. What is called from here on waits for it, what was called
    /// before does not: the device may be busy with the last batch.
    /// - Parameters:
    ///   - parts: numbers, and where they go.
    ///   - reading: calls what reads these buffers. Nothing else does, so that the next batch may come when that is done.
    func upload(_ parts: [(numbers: [Float], buffer: OpenCLBuffer)], reading: () -> Void) {
        hasArrived?.wait(check)
        guard failure == nil else { return }
        let bytes = parts.map { $0.numbers.count * MemoryLayout<Float>.stride }
        let total = bytes.reduce(0, +)
        if uploaded.count < total {
            uploaded.deallocate()
            uploaded = .allocate(byteCount: total, alignment: 64)
        }
        var offset = 0
        let waits = isRead.map { [Optional($0.pointer)] }
        for (part, bytes) in zip(parts, bytes) where failure == nil {
            let place = UnsafeMutableRawBufferPointer(rebasing: uploaded[offset..<offset + bytes])
            part.numbers.withUnsafeBytes { place.copyMemory(from: $0) }
            offset += bytes
            var event: OpaquePointer?
            check(
                vgg_clEnqueueWriteBuffer(
                    uploads, part.buffer.handle.pointer, 0, 0, bytes, place.baseAddress,
                    waits == nil ? 0 : 1, waits, &event), "write")
            hasArrived = event.map(OpenCLEvent.init)
        }
        guard failure == nil, var arrival = hasArrived.map({ Optional($0.pointer) }) else { return }
        check(vgg_clFlush(uploads), "write")
        check(vgg_clEnqueueBarrierWithWaitList(handle, 1, &arrival, nil), "write")
        reading()
        guard failure == nil else { return }
        var mark: OpaquePointer?
        check(vgg_clEnqueueBarrierWithWaitList(handle, 0, nil, &mark), "write")
        isRead = mark.map(OpenCLEvent.init)
        // Another queue waits for that.
        begin()
    }

    /// Lets the device begin with all that was called.
    func begin() {
        guard failure == nil else { return }
        check(vgg_clFlush(handle), "flush")
    }

    /// Copies numbers to the device, and waits until they are there.
    package func write<Number: BitwiseCopyable>(_ numbers: [Number], to buffer: OpenCLBuffer, offset: Int = 0)
    {
        guard failure == nil, !numbers.isEmpty else { return }
        let code = numbers.withUnsafeBytes {
            vgg_clEnqueueWriteBuffer(
                handle, buffer.handle.pointer, 1, offset, $0.count, $0.baseAddress, 0, nil, nil)
        }
        check(code, "write")
    }

    /// Copies numbers from the device, once all is done that was called before; after a failure these are none.
    /// - Parameter element: what they are stored as.
    package func read(
        _ count: Int, of element: Element = .float32, from buffer: OpenCLBuffer, offset: Int = 0
    ) -> [Float] {
        switch element {
        case .float32:
            var numbers = [Float](repeating: .nan, count: count)
            fill(&numbers, from: buffer, offset: offset)
            return numbers
        case .bfloat16:
            var numbers = [UInt16](repeating: 0x7FC0, count: count)
            fill(&numbers, from: buffer, offset: offset)
            return numbers.map { Float(bitPattern: UInt32($0) << 16) }
        }
    }

    private func fill<Number: BitwiseCopyable>(
        _ numbers: inout [Number], from buffer: OpenCLBuffer, offset: Int
    ) {
        guard failure == nil, !numbers.isEmpty else { return }
        let code = numbers.withUnsafeMutableBytes {
            vgg_clEnqueueReadBuffer(
                handle, buffer.handle.pointer, 1, offset, $0.count, $0.baseAddress, 0, nil, nil)
        }
        check(code, "read")
    }

    /// Copies numbers from the device, once all is done that was called before, and returns at once.
    func readLater(_ count: Int, from buffer: OpenCLBuffer) -> PendingRead {
        let memory = UnsafeMutableBufferPointer<Float>.allocate(capacity: count)
        memory.initialize(repeating: .nan)
        var event: OpaquePointer?
        if failure == nil, count > 0 {
            check(
                vgg_clEnqueueReadBuffer(
                    handle, buffer.handle.pointer, 0, 0, count * MemoryLayout<Float>.stride,
                    memory.baseAddress, 0, nil, &event), "read")
        }
        return PendingRead(memory, event.map(OpenCLEvent.init), on: self)
    }

    func copy(_ from: OpenCLBuffer, to: OpenCLBuffer) {
        guard failure == nil else { return }
        let bytes = min(from.bytes, to.bytes)
        check(
            vgg_clEnqueueCopyBuffer(
                handle, from.handle.pointer, to.handle.pointer, 0, 0, bytes, 0, nil, nil), "copy")
    }

    func finish() {
        guard failure == nil else { return }
        check(vgg_clFinish(handle), "finish")
    }

    func fail(_ reason: String) {
        failure = failure ?? .lost(device: context.device.name, reason: reason)
    }

    func check(_ code: cl_int, _ what: String) {
        if code != 0 { fail("\(what): \(OpenCLCode.name(code))") }
    }
}
