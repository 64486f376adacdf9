import VGGCPU
import VGGEngine

extension Device {
    /// The devices of this machine, the best first. A new kind of device is added here.
    public static var available: [Device] { [.cpu] }

    /// The best device of this machine, in the manner of the chapter's `try_gpu`: the CPU with every processor that the
    /// program may use.
    public static var best: Device { .cpu }

    /// - Parameters:
    ///   - name: as `description` says it, or `auto` for the best.
    ///   - threads: of the processor; nil for as many as the program may use.
    /// - Returns: nil if this machine has no such device.
    public static func named(_ name: String, threads: Int? = nil) -> Device? {
        ["auto", "cpu"].contains(name) ? .cpu(threads: threads) : nil
    }
}

extension Precision {
    /// The number format that the best device of this machine is fastest in.
    public static var automatic: Precision { Device.best.preferredPrecision }
}
