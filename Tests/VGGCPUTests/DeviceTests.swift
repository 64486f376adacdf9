import Testing
import VGGCPU
import VGGDevices
import VGGEngine

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
}
