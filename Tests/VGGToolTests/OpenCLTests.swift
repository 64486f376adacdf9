import Foundation
import Testing
import VGGKit

/// What needs a device of OpenCL; PoCL is one. That there is one where the environment says so, VGGOpenCLTests see to.
private let isThere = Device.named("opencl") != nil

extension ToolTests {
    private func training(_ options: String, precision: String = "fp32") -> String {
        """
        train --arch vgg11_bn --conv-arch 1x8,1x16 --hidden-features 32 --size 14 --batch-size 32 --lr 0.05 --momentum 0.9 \
        --seed 3 --precision \(precision) --train-limit 1600 --test-limit 400 \(options)
        """
    }

    /// Two epochs of Fashion-MNIST, and both devices say the same of the weights.
    @Test(.enabled(if: isThere)) func learnsOnOpenCL() throws {
        let device = try #require(Device.named("opencl")).name
        let trained = try run(training("--device opencl --epochs 2 --run-dir run"))
        #expect(trained.status == 0, "\(trained.errors)")
        #expect(trained.output.contains(" examples/sec on \(device) ("))
        let folder = RunFolder(folder.url("run").path)
        #expect(try folder.readConfiguration().device == device)
        let epochs: [EpochMetrics] = try folder.readMetrics().compactMap {
            if case .epoch(let epoch) = $0 { epoch } else { nil }
        }
        // Each step once, and in its order, though what it gave comes late.
        let steps: [StepMetrics] = try folder.readMetrics().compactMap {
            if case .step(let step) = $0 { step } else { nil }
        }
        #expect(steps.count > 1 && steps.map(\.step) == steps.map(\.step).sorted())
        #expect(steps.allSatisfy { $0.step == ($0.epoch - 1) * 50 + $0.stepInEpoch && $0.trainLoss.isFinite })
        // Of ten classes.
        #expect(epochs.count == 2 && epochs[1].testAcc > 0.5 && epochs[1].trainLoss < epochs[0].trainLoss)

        let reports = try ["opencl", "cpu"].map {
            try #require(
                run("eval run --test-limit 400 --device \($0) --format json").objects().first)
        }
        #expect(reports[0]["accuracy"] as? Double == epochs[1].testAcc)
        let losses = try reports.map { try #require($0["loss"] as? Double) }
        #expect(abs(losses[0] - losses[1]) < 1e-5)
    }

    /// Checkpoints are of no device: there and back again, and each move is said.
    @Test(.enabled(if: isThere)) func aRunMovesBetweenDevices() throws {
        let device = try #require(Device.named("opencl")).name
        #expect(try run(training("--device cpu --epochs 1 --run-dir run")).status == 0)
        let there = try run("train --resume run --epochs 2 --device opencl")
        #expect(there.status == 0)
        #expect(
            there.errors.contains("note: the run was on cpu and goes on on \(device): "), "\(there.errors)")
        // It stays where it is, if nothing else is said.
        let stayed = try run("train --resume run --epochs 3")
        #expect(stayed.status == 0 && !stayed.errors.contains("goes on on"), "\(stayed.errors)")
        let back = try run("train --resume run --epochs 4 --device cpu")
        #expect(back.status == 0)
        #expect(back.errors.contains("note: the run was on \(device) and goes on on cpu: "), "\(back.errors)")
        #expect(try RunFolder(folder.url("run").path).readConfiguration().device == "cpu")
        #expect(
            try #require(
                run("eval run --test-limit 400 --format json").objects().first?["accuracy"] as? Double)
                > 0.5)
    }

    /// It is the step that went wrong, though the next one is under way.
    @Test(.enabled(if: isThere)) func aDivergedStepIsTheSameOnEveryDevice() throws {
        let steps = try ["cpu", "opencl"].map { device -> Int in
            let training = greyTraining.replacing("--batch-size 32", with: "--batch-size 8")
                .replacing("--run-dir run", with: "--run-dir \(device) --device \(device)")
            #expect(try run("\(training) --lr 1e30").status == 1)
            let diagnosis = try Data(contentsOf: folder.url("\(device)/diagnosis.json"))
            let object = try JSONSerialization.jsonObject(with: diagnosis) as? [String: Any]
            return try #require(object?["step"] as? Int)
        }
        #expect(steps[0] == 2 && steps[1] == 2, "\(steps)")
    }

    @Test(.enabled(if: isThere && ImageFormat.png.isSupported)) func everyCommandRunsOnOpenCL() throws {
        #expect(try run(greyTraining).status == 0)
        try writeTestImage(3, to: "photo.png")
        let commands = [
            "predict run --index 3", "predict run photo.png", "explain run photo.png --output cam.png",
            "features run photo.png --layer relu1_1 --output a.npy",
            "bench --conv-arch 1x8 --size 8 --batch-size 4 --steps 2",
            "summary --conv-arch 1x8 --size 8 --plan",
        ]
        for command in commands {
            let result = try run("\(command) --device opencl")
            #expect(result.status == 0, "\(command): \(result.errors)")
        }
    }

    /// A line each.
    @Test(.enabled(if: isThere)) func whatADeviceLacksIsSaid() throws {
        let device = try #require(Device.named("opencl"))
        let threads = try run("bench --device opencl --threads 2")
        #expect(threads.status == 64)
        #expect(
            threads.errors.hasPrefix(
                "error: --threads is for --device cpu, and this is on \(device); leave it out\n"))
    }

    /// The same two epochs in mixed precision, which the processor has too.
    @Test(.enabled(if: isThere)) func learnsInMixedPrecisionOnOpenCL() throws {
        let trained = try run(training("--device opencl --epochs 2 --run-dir run", precision: "bf16"))
        #expect(trained.status == 0, "\(trained.errors)")
        let reports = try ["opencl", "cpu"].map {
            try #require(run("eval run --test-limit 400 --device \($0) --format json").objects().first)
        }
        #expect(try reports.allSatisfy { try #require($0["accuracy"] as? Double) > 0.5 })
        let losses = try reports.map { try #require($0["loss"] as? Double) }
        #expect(losses[0] != losses[1] && abs(losses[0] - losses[1]) < 0.01)
    }

    /// A run that was stopped and goes on ends with the bits of one that was not.
    @Test(.enabled(if: isThere)) func aStoppedRunGoesOnToTheSameBits() throws {
        let options = "--device opencl --epochs 2 --momentum 0.9 --run-dir"
        #expect(try run(training("\(options) whole")).status == 0)
        #expect(try run(training("\(options) parts --max-steps 70")).status == 0)
        let resumed = try run("train --resume parts --max-steps 1000")
        #expect(resumed.status == 0, "\(resumed.errors)")
        let models = try ["whole", "parts"].map {
            try Safetensors(contentsOf: RunFolder(folder.url($0).path).modelPath).tensors
        }
        #expect(models[0] == models[1])
    }

    @Test func whereThereIsNoOpenCLThatIsSaid() throws {
        let nothing = "export VGG_OPENCL_LIBRARY=/nonexistent/libOpenCL.so"
        let refused = try run("bench --conv-arch 1x8 --size 8 --device opencl", shell: nothing)
        #expect(refused.status == 64)
        #expect(refused.errors.hasPrefix("error: there is no OpenCL here"), "\(refused.errors)")
        #expect(try run("devices --format json", shell: nothing).objects().count == 1)
    }
}
