import Testing
import VGGCPU
import VGGDevices
import VGGEngine
import VGGModel

@Suite struct DeviceTests {
    @Test func areFoundByName() throws {
        #expect(Device.named("auto")?.name == Device.best.name)
        for device in Device.available { #expect(Device.named(device.name)?.kernels == device.kernels) }
        #expect(try #require(Device.named("cpu", threads: 3)).threads == 3)
        #expect(Device.named("opencl:0") == nil && Device.named("") == nil)
        #expect(Device.cpu(threads: 0).threads == 1)
    }

    @Test func haveTheKernelsThatWereAskedFor() {
        for set in InstructionSet.allAvailable {
            #expect(Device.cpu(instructionSet: set).kernels == "\(set)")
        }
        // What the processor lacks is replaced by the best that it has.
        let most = InstructionSet.allCases.max()
        #expect(Device.cpu(instructionSet: most).kernels == "\(InstructionSet.allAvailable.max()!)")
        #expect(Device.cpu(instructionSet: .portable).preferredPrecision == .fp32)
        #expect(Precision.automatic == Device.best.preferredPrecision)
    }

    @Test func mayBeLimited() throws {
        let device = Device.cpu.limited(toMemory: 1000)
        #expect(device.freeMemory == 1000)
        #expect(device.limited(toMemory: nil).freeMemory != 1000)
        let free = try #require(FreeMemory.bytes)
        #expect(try #require(Device.cpu.limited(toMemory: .max).freeMemory) < 2 * free)
    }

    #if arch(x86_64)
        /// As was measured where the processor multiplies bf16; elsewhere it is never the faster.
        @Test func trainsInThePrecisionThatIsFaster() throws {
            func network(_ arch: String, size: Int, divisor: Int = 1, channels: Int = 1) throws -> Network {
                var model = ModelSpecification()
                (model.arch, model.widthDivisor, model.inChannels) = (arch, divisor, channels)
                return try model.network(size: size)
            }
            let cases = [
                (try network("vgg11", size: 224, divisor: 4), Precision.bf16),
                (try network("vgg11_bn", size: 224, divisor: 4), .fp32),
                (try network("vgg16", size: 32, channels: 3), .fp32),
                (try network("vgg16_bn", size: 32, channels: 3), .fp32),
                (try network("alexnet", size: 224), .bf16),
            ]
            for (network, expected) in cases {
                #expect(
                    CPUBackend(threads: 2, instructionSet: .avx512bf16).trainingPrecision(of: network)
                        == expected)
                #expect(CPUBackend(threads: 2, instructionSet: .avx2).trainingPrecision(of: network) == .fp32)
            }
        }
    #endif
}
