/// What kind of thing computes.
public enum DeviceKind: String, Codable, CaseIterable, Sendable {
    /// The processor, by this package's own kernels.
    case cpu
    /// A graphics processor.
    case gpu
    /// Something else that OpenCL drives.
    case accelerator
    /// The processor again, by a compiler of OpenCL: for tests, and slower than `cpu`.
    case openclCPU = "opencl-cpu"
}

/// What a device is, as its driver or the system says.
public struct DeviceProperties: Hashable, Sendable, Codable {
    /// What kind of thing it is.
    public var kind: DeviceKind
    /// What its maker calls it.
    public var hardware: String
    /// Bytes of its memory in all, whether they are free or not; nil if nobody knows.
    public var memory: Int?
    /// What works at the same time: threads of a processor, compute units of a GPU.
    public var units: Int
    /// Who leads from a kernel to the hardware, and which version; of the processor, its instruction set.
    public var driver: String
    /// The number formats that it computes in.
    public var precisions: [Precision]

    /// What a driver or a test says of a device.
    public init(
        kind: DeviceKind, hardware: String, memory: Int?, units: Int, driver: String, precisions: [Precision]
    ) {
        self.kind = kind
        self.hardware = hardware
        self.memory = memory
        self.units = units
        self.driver = driver
        self.precisions = precisions
    }
}
