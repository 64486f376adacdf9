import Testing
import VGGCPU
import VGGEngine
import VGGOpenCL

/// A device that must agree with the reference, with the name of its kernels.
struct TestedDevice: Sendable, CustomTestStringConvertible {
    let device: Device

    var testDescription: String { "\(device), \(device.kernels)" }

    /// Every device, and every kernel table of the processor, plain C first. A new device is tested by adding it here.
    static let all = processors + OpenCLDevice.all.map { TestedDevice(device: .opencl($0)) }

    static let processors = InstructionSet.allAvailable.map {
        TestedDevice(device: .cpu(threads: 2, instructionSet: $0))
    }

    /// Those that compute in mixed precision.
    static let mixed = all.filter { $0.device.properties.precisions.contains(.bf16) }

    /// All of them and the reference itself, for what somebody else computed.
    static let allAndReference = all + [TestedDevice(device: .reference)]
}

/// A device with a precision that it computes in.
struct TestedPrecision: Sendable, CustomTestStringConvertible {
    let device: Device
    let precision: Precision

    var testDescription: String { "\(device), \(device.kernels), \(precision)" }

    static let all = TestedDevice.all.flatMap(of)
    static let allAndReference = TestedDevice.allAndReference.flatMap(of)

    private static func of(_ tested: TestedDevice) -> [TestedPrecision] {
        tested.device.properties.precisions.map { TestedPrecision(device: tested.device, precision: $0) }
    }
}
