import Foundation
import Testing
import VGGEngine
import VGGOpenCL

@Suite struct OpenCLDeviceTests {
    /// Where there is no OpenCL nothing of it is tested; but where the environment says that there must be one, that is a fault.
    @Test func areThereWhereTheyMustBe() {
        if ProcessInfo.processInfo.environment["VGG_REQUIRE_OPENCL"] != nil {
            #expect(OpenCLDevice.absence == nil)
        }
        if let absence = OpenCLDevice.absence { print("OpenCL is not tested: \(absence)") }
        #expect(OpenCLDevice.all.isEmpty == (OpenCLDevice.absence != nil))
    }

    @Test(arguments: OpenCLDevice.all) func sayWhatTheyAre(_ device: OpenCLDevice) {
        #expect(OpenCLDevice.all[device.index] == device)
        #expect(!device.name.isEmpty && !device.platform.isEmpty && !device.driver.isEmpty)
        #expect(device.version.hasPrefix("OpenCL "))
        #expect(device.computeUnits > 0 && device.largestGroup > 0)
        #expect(device.memory >= device.largestBuffer && device.largestBuffer > 1 << 20)
        #expect(device.localMemory >= 16384)
    }

    @Test(arguments: OpenCLDevice.all) func reachSomething(_ opencl: OpenCLDevice) {
        let device = Device.opencl(opencl)
        #expect(device.measuredPeak(.fp32) > 1e8 && device.measuredBandwidth() > 1e7)
        #expect(device.properties.precisions == [.fp32, .bf16] && device.properties.hardware == opencl.name)
    }
}
