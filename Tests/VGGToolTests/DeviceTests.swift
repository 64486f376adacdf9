import Foundation
import Testing
import VGGKit

extension ToolTests {
    /// One of the devices is the processor, and one is what `auto` takes.
    @Test func devicesAreListed() throws {
        let listed = try run("devices --format json").objects()
        #expect(listed.map { $0["name"] as? String } == Device.available.map(\.name))
        let processor = try #require(listed.first { $0["name"] as? String == "cpu" })
        #expect(processor["kind"] as? String == "cpu")
        #expect(processor["units"] as? Int == Device.cpu.threads)
        for device in listed {
            let peaks = try #require(device["peak_gflops"] as? [String: Double])
            #expect(try #require(peaks["fp32"]) > 0.1, "\(device)")
            #expect(try #require(device["bandwidth_gb_per_sec"] as? Double) > 0.01, "\(device)")
            #expect(!(try #require(device["hardware"] as? String)).isEmpty)
            #expect((device["reason"] as? String != nil) == (device["is_auto"] as? Bool))
        }
        #expect(
            listed.filter { $0["is_auto"] as? Bool == true }.map { $0["name"] as? String } == [
                Device.best.name
            ])
        let text = try run("devices")
        for device in Device.available { #expect(text.lines.contains { $0.hasPrefix("\(device) ") }) }
        #expect(text.lines.last?.hasPrefix("--device auto takes \(Device.best): ") == true)
    }

    /// Every command that computes takes the device by name, and a run says which it was.
    @Test func aRunSaysItsDevice() throws {
        let trained = try run(
            "train --conv-arch 1x8 --hidden-features none --size 8 --train-limit 64 --test-limit 32 --epochs 1 "
                + "--device cpu --threads 1 --precision fp32 --run-dir run")
        #expect(trained.status == 0 && trained.output.contains(" examples/sec on cpu ("), "\(trained.errors)")
        let configuration = try RunFolder(folder.url("run").path).readConfiguration()
        #expect(configuration.device == "cpu")
        for command in [
            "eval run --test-limit 32", "predict run --index 1", "bench --conv-arch 1x8 --size 8",
        ] {
            let wrong = try run("\(command) --device nonesuch")
            let all = Device.available.map { "\($0) (\($0.properties.hardware))" }.joined(separator: ", ")
            #expect(wrong.status == 64)
            #expect(
                wrong.errors.hasPrefix("error: there is no device nonesuch; there ")
                    && wrong.errors.contains(all), "\(wrong.errors)")
            let right = try run("\(command) --device cpu")
            #expect(right.status == 0, "\(right.errors)")
        }
    }
}
