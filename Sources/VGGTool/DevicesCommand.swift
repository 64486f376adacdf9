import ArgumentParser
import VGGKit

struct DevicesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "devices",
        abstract: "List the devices of this machine, what each can reach, and which one --device auto takes.",
        discussion: """
            Each is measured, in about a second: multiply-adds between registers, and copies of what no cache holds. auto takes \
            the first GPU that has enough memory for what is to run, else the CPU; what OpenCL makes of a processor \
            (opencl-cpu, such as PoCL) is taken only by name.
            Examples:
              vgg devices
              vgg devices --format json
            """)

    @OptionGroup var output: FormatOption

    /// What the command says of a device.
    private struct Row: Encodable {
        var name: String
        var kind: DeviceKind
        var hardware: String
        /// Bytes in all and free now; nil where nobody knows.
        var memory: Int?
        var freeMemory: Int?
        var units: Int
        var driver: String
        /// 10⁹ operations a second by number format; 0 where it could not be measured.
        var peakGflops: [String: Double]
        /// 10⁹ bytes a second, likewise.
        var bandwidthGbPerSec: Double
        /// Whether `auto` takes it where memory plays no part, and then why.
        var isAuto: Bool
        var reason: String?

        init(_ device: Device, _ choice: Device.Choice) {
            let properties = device.properties
            name = device.name
            kind = properties.kind
            hardware = properties.hardware
            memory = properties.memory
            freeMemory = device.freeMemory
            units = properties.units
            driver = properties.driver
            peakGflops = Dictionary(
                uniqueKeysWithValues: properties.precisions.map {
                    ($0.rawValue, device.measuredPeak($0) / 1e9)
                })
            bandwidthGbPerSec = device.measuredBandwidth() / 1e9
            isAuto = device.name == choice.device.name
            reason = isAuto ? choice.reason : nil
        }

        var cells: [String] {
            let peak = peakGflops[Precision.fp32.rawValue] ?? 0
            return [
                name, kind.rawValue, hardware, driver, "\(units)", memory.map(ReadableNumber.bytes) ?? "",
                peak > 0 ? "\(Text.fixed(peak, 0)) GFLOP/s" : "",
                bandwidthGbPerSec > 0 ? "\(Text.fixed(bandwidthGbPerSec, 1)) GB/s" : "",
            ]
        }
    }

    func run() throws {
        let choice = Device.chosen()
        let rows = Device.available.map { Row($0, choice) }
        switch output.format {
        case .json: for row in rows { try Console.print(json: row) }
        case .text:
            let header = [
                "device", "kind", "hardware", "driver", "units", "memory", "fp32 peak", "bandwidth",
            ]
            let table = Text.table(
                [header] + rows.map(\.cells), leftColumns: 4, width: Console.outputColumns)
            try Console.print(
                (table + ["", "--device auto takes \(choice.device): \(choice.reason)"])
                    .joined(separator: "\n"))
        }
    }
}
