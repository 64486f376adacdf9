import ArgumentParser
import VGGKit

/// Where the work is done.
struct ComputeOptions: ParsableArguments {
    @Option(
        parsing: .unconditional,
        help: """
            Threads of the processor to use (default: one for each processor that a container's quota, or taskset, \
            leaves). Results do not depend on it.
            """)
    var threads: Int?

    @Option(
        help: ArgumentHelp(
            """
            The device: cpu, opencl (the first of OpenCL's, a GPU if there is one), opencl:N, or some of what its maker calls \
            it, as vgg devices lists them (default: auto, the first GPU that has enough memory, else cpu).
            """, valueName: "auto|cpu|opencl|opencl:N|name"))
    var device = "auto"

    func validate() throws {
        try ValidationError.check("--threads", threads, in: SettingRange.threads)
        guard let named = Device.named(device) else {
            let all = Device.available.map { "\($0) (\($0.properties.hardware))" }
            let absence = device.hasPrefix("opencl") ? OpenCLDevice.absence.map { "\($0); " } ?? "" : ""
            throw ValidationError(
                absence
                    + "there is no device \(device.isEmpty ? "''" : device); there \(all.count == 1 ? "is" : "are") \(all.joined(separator: ", "))"
            )
        }
        try checkThreads(on: named)
    }

    /// - Throws: `ValidationError` if threads were asked for on a device that has none.
    func checkThreads(on device: Device) throws {
        guard threads == nil || device.properties.kind == .cpu else {
            throw ValidationError("--threads is for --device cpu, and this is on \(device); leave it out")
        }
    }

    /// What was validated.
    var resolved: Device { Device.named(device, threads: threads) ?? .best }

    /// The same for a plan: with `auto` the first GPU that has enough memory for it.
    func resolved(
        for network: Network, batchSize: Int, mode: Mode, optimizer: Optimizer? = nil,
        precision: (Device) -> Precision
    ) -> Device {
        // With threads it is the processor.
        guard device == "auto", threads == nil else { return resolved }
        return Device.chosen { device in
            let plan = try? Plan(
                network, batchSize: batchSize, mode: mode, precision: precision(device),
                keeping: network.head == nil ? [network.layers.count - 1] : [])
            return plan.map { device.memory(of: $0, optimizer: optimizer).total }
        }.device
    }
}

/// A number format, or the best one that a device has.
enum PrecisionChoice: String, ExpressibleByArgument, CaseIterable {
    case auto, fp32, bf16

    func resolved(on device: Device) -> Precision {
        switch self {
        case .auto: device.preferredPrecision
        case .fp32: .fp32
        case .bf16: .bf16
        }
    }

    /// The same for a training.
    func resolved(training network: Network, on device: Device) -> Precision {
        self == .auto ? device.trainingPrecision(of: network) : resolved(on: device)
    }
}

extension Precision {
    /// Warns where the products of this number format are made in fp32, which is slower than fp32 itself.
    /// - Parameter mayChange: whether another one can be chosen.
    func warnIfSlower(on device: Device, mayChange: Bool = true) {
        guard self == .bf16, device.properties.kind == .cpu, !InstructionSet.best.multipliesBF16 else {
            return
        }
        Console.error(
            "warning: this processor does not multiply bf16: products are made in fp32, slower than with fp32"
                + (mayChange ? "; use --precision fp32" : ""))
    }
}

struct PrecisionOption: ParsableArguments {
    @Option(
        help: """
            The number format of the network's arithmetic: bf16 is mixed precision, auto is the faster: bf16 where \
            the processor has it, but not for training what single precision computes by fewer products.
            """)
    var precision = PrecisionChoice.auto
}
