import Foundation
import VGGCPU
import VGGEngine
import VGGOpenCL

extension Device {
    /// The devices of this machine, the processor first. A new kind of device is added here.
    public static let available: [Device] = [.cpu] + OpenCLDevice.all.map(Device.opencl)

    /// The best device of this machine, as the chapter's `try_gpu` chooses it: the first GPU, else the processor with
    /// every thread that the program may use.
    public static var best: Device { chosen().device }

    /// - Parameters:
    ///   - name: as `description` says it, `auto` for the best, or some of what the maker calls it, in any letter case.
    ///   - threads: of the processor; nil for as many as the program may use.
    /// - Returns: nil if this machine has no such device.
    public static func named(_ name: String, threads: Int? = nil) -> Device? {
        if name == "cpu" { return .cpu(threads: threads) }
        let device = name == "auto" ? best : named(name, among: available)
        return device?.properties.kind == .cpu ? .cpu(threads: threads) : device
    }

    /// The same of these devices, but for `auto`: an own name first, the first of a family (`opencl`), GPUs before others,
    /// then the maker's, and there too GPUs first.
    package static func named(_ name: String, among devices: [Device]) -> Device? {
        if let device = devices.first(where: { $0.name == name }) { return device }
        let sorted = devices.filter(\.isGPU) + devices.filter { !$0.isGPU }
        guard
            let family = sorted.first(where: { $0.name.split(separator: ":").first.map(String.init) == name })
        else {
            let name = name.lowercased()
            return sorted.first { !name.isEmpty && $0.properties.hardware.lowercased().contains(name) }
        }
        return family
    }

    /// The device that is taken where nobody names one, and why.
    public struct Choice: Sendable {
        /// What is taken.
        public var device: Device
        /// Why, in words that follow "because".
        public var reason: String
    }

    /// The first GPU with enough memory, else the processor. What OpenCL makes of a processor is slower than the processor,
    /// and taken only by name.
    /// - Parameters:
    ///   - devices: with the processor among them; nil for those of this machine.
    ///   - bytes: what is to run needs so much of a device's memory; nil where nobody knows.
    public static func chosen(
        among devices: [Device]? = nil, needing bytes: (Device) -> Int? = { _ in nil }
    ) -> Choice {
        let devices = devices ?? (systemShowsGPU ? available : [.cpu])
        var small: [String] = []
        for device in devices where device.isGPU {
            guard let free = device.freeMemory, let bytes = bytes(device), bytes > free else {
                return Choice(
                    device: device,
                    reason: small.isEmpty ? "it is the first GPU" : "it is the first GPU with enough memory")
            }
            small.append(device.name)
        }
        return Choice(
            device: devices.first { $0.properties.kind == .cpu } ?? .cpu,
            reason: small.isEmpty
                ? "there is no GPU" : "there is not enough memory on \(small.joined(separator: " and "))")
    }

    /// Whether the system may have a GPU. Where it shows none nobody asks OpenCL, whose drivers take longer to answer than many
    /// commands to run.
    private static let systemShowsGPU: Bool = {
        #if os(Linux)
            let files = ["/dev/dri", "/dev/nvidiactl", "/dev/kfd", "/dev/dxg", "/dev/mali0"]
            return files.contains { FileManager.default.fileExists(atPath: $0) }
        #else
            return true
        #endif
    }()

    private var isGPU: Bool { properties.kind == .gpu }
}

extension Precision {
    /// The number format that the best device of this machine is fastest in.
    public static var automatic: Precision { Device.best.preferredPrecision }
}
