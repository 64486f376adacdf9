import Foundation
import Testing
import VGGEngine
import VGGOpenCL

/// What every device must be able to run. PoCL would allow more.
@Suite struct KernelTests {
    @Test(arguments: OpenCLDevice.all) func everyKernelKeepsToWhatGPUsHave(_ device: OpenCLDevice) throws {
        let context = try OpenCLContext.of(device)
        let names = KernelSource.names
        #expect(names.count > 20 && Set(names).count == names.count)
        for formats in NumberFormats.all {
            for name in names {
                let kernel = try context.kernel(Kernel(name, formats))
                #expect(context.localMemory(of: kernel) <= 48 << 10, "\(name), \(formats)")
            }
        }
        #expect(KernelSizes.group <= 1024 && KernelSizes.sumGroup <= 1024)
        #expect(KernelSizes.tile * KernelSizes.tile == KernelSizes.group * 16)
    }

    @Test(arguments: OpenCLDevice.all) func whatTheDriverCannotBuildIsInALog(_ device: OpenCLDevice) throws {
        let context = try OpenCLContext.of(device)
        do throws(DeviceError) {
            _ = try OpenCLContext.build(
                "kernel void broken(global float *x) { x[0] = nothing; }", .single, for: device,
                in: context.handle.pointer)
            Issue.record("it was built")
        } catch {
            guard case .kernels(let name, _, let log) = error else { throw error }
            #expect(name == device.name)
            #expect(try String(contentsOfFile: try #require(log), encoding: .utf8).contains("nothing"))
            #expect(!"\(error)".contains("\n"))
        }
    }

    @Test(arguments: OpenCLDevice.all) func afterAFailureNothingIsDone(_ device: OpenCLDevice) throws {
        let queue = try OpenCLQueue(try OpenCLContext.of(device))
        let buffer = try OpenCLBuffer(bytes: 16, queue.context, queue)
        queue.write([1, 2, 3, 4] as [Float], to: buffer)
        #expect(queue.read(4, from: buffer) == [1, 2, 3, 4] && queue.failure == nil)
        // A read past the end is the driver's to refuse.
        _ = queue.read(4, from: buffer, offset: 1 << 20)
        guard case .lost(device.name, let reason) = queue.failure else {
            Issue.record("\(String(describing: queue.failure))")
            return
        }
        #expect(reason.hasPrefix("read: "))
        #expect(queue.read(4, from: buffer).allSatisfy { $0.isNaN })
    }

    @Test(arguments: OpenCLDevice.all) func whatIsTooLargeIsRefused(_ device: OpenCLDevice) throws {
        let queue = try OpenCLQueue(try OpenCLContext.of(device))
        #expect(throws: PlanError.outOfMemory(bytes: device.largestBuffer + 4)) {
            _ = try OpenCLBuffer(bytes: device.largestBuffer + 4, queue.context, queue)
        }
        #expect(queue.failure == nil)
    }
}
