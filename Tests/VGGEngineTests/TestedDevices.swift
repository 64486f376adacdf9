import Testing
import VGGCPU
import VGGEngine

/// A device that must agree with the reference, with the name of its kernels.
struct TestedDevice: Sendable, CustomTestStringConvertible {
    let device: Device

    var testDescription: String { "\(device), \(device.kernels)" }

    /// Every device, and every kernel table of the processor, plain C first. A new device is tested by adding it here.
    static let all = InstructionSet.allAvailable.map {
        TestedDevice(device: .cpu(threads: 2, instructionSet: $0))
    }

    /// All of them and the reference itself, for what somebody else computed.
    static let allAndReference = all + [TestedDevice(device: .reference)]
}
