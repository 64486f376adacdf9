import COpenCL

/// The end of something that a queue does.
final class OpenCLEvent {
    let pointer: OpaquePointer

    init(_ pointer: OpaquePointer) { self.pointer = pointer }

    deinit { _ = vgg_clReleaseEvent(pointer) }

    /// - Parameter check: is told the error code, if there is one.
    func wait(_ check: (cl_int, String) -> Void) {
        var event: OpaquePointer? = pointer
        check(vgg_clWaitForEvents(1, &event), "wait")
    }
}

/// Numbers on their way from a device.
final class PendingRead {
    private let memory: UnsafeMutableBufferPointer<Float>
    private let event: OpenCLEvent?
    private let queue: OpenCLQueue

    /// - Parameters:
    ///   - memory: where they go; it becomes the object's.
    ///   - event: when they are there; nil where nothing is read.
    init(_ memory: UnsafeMutableBufferPointer<Float>, _ event: OpenCLEvent?, on queue: OpenCLQueue) {
        self.memory = memory
        self.event = event
        self.queue = queue
    }

    /// After a failure they are none.
    func wait() -> [Float] {
        queue.begin()
        event?.wait(queue.check)
        return Array(memory)
    }

    // The device must not write there later.
    deinit {
        _ = wait()
        memory.deallocate()
    }
}
