/// What goes wrong on a device that is not the processor.
public enum DeviceError: Error, Hashable, CustomStringConvertible {
    /// It does not go on: a driver that was reset, a cable, a kernel that took too long. `reason` is its word for it.
    case lost(device: String, reason: String)
    /// Its driver cannot build the kernels; what it says of them is in a file, if that could be written.
    case kernels(device: String, reason: String, log: String?)

    public var description: String {
        switch self {
        case .lost(let device, let reason): "the device \(device) has stopped working: \(reason)"
        case .kernels(let device, let reason, let log):
            "the driver of \(device) cannot build the kernels: \(reason)"
                + (log.map { "; what it says is in \($0)" } ?? "")
        }
    }
}
