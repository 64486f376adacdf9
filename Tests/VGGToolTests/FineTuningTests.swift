import Foundation
import Testing
import VGGKit

/// A network small enough for a step to take milliseconds, trained on three classes more than it needs.
private let first = """
    train --conv-arch 1x8,1x16,1x16 --arch vgg11_bn --width-divisor 2 --size 16 --classes 13 --batch-size 32 \
    --train-limit 320 --test-limit 100 --max-steps 2 --run-dir first
    """

extension ToolTests {
    @Test func fineTunesARun() throws {
        #expect(try run(first).status == 0)
        let result = try run(
            """
            train --init first/model.safetensors --classes 10 --freeze blocks:2 --lr 0.01 --lr-head 0.1 \
            --batch-size 32 --train-limit 320 --test-limit 100 --max-steps 3 --run-dir second --format json
            """)
        #expect(result.status == 0, "\(result.errors)")
        let started = try #require(try result.objects().first)
        let head = try #require(started["new_head"] as? [String: Any])
        #expect(head["layer"] as? String == "classifier.6")
        #expect(head["classes"] as? Int == 10 && head["classes_of_file"] as? Int == 13)
        let all = try #require(started["parameters"] as? Int)
        // Convolution and batch norm of two blocks: 1 to 4 channels, and 4 to 8.
        #expect(started["trained_parameters"] as? Int == all - (4 * 9 + 4 + 8) - (8 * 4 * 9 + 8 + 16))

        // Network and size are the file's; the options are kept.
        let stored = try RunFolder(folder.url("second").path).readConfiguration()
        #expect(stored.model.convArch == "1x8,1x16,1x16" && stored.model.widthDivisor == 2)
        #expect(stored.model.arch == "vgg11_bn" && stored.model.classes == 10 && stored.size == 16)
        #expect(stored.freeze == .blocks(2) && stored.optimizer.headLearningRate == 0.1)
        let weights = try ["first", "second"].map {
            try TrainedModel(runOrWeights: folder.url($0).path).weights
        }
        // The gradient of a bias before batch norm is zero: whether it changes is up to rounding.
        for (name, tensor) in weights[1] where name != "features.8.bias" {
            let isFrozen = (0..<8).contains { name.hasPrefix("features.\($0).") }
            #expect((tensor == weights[0][name]) == isFrozen, "\(name)")
        }

        let resumed = try run("train --resume second --max-steps 4")
        #expect(resumed.status == 0, "\(resumed.errors)")
        #expect(resumed.output.contains("new head: classifier.6, for 10 classes instead of 13\n"))
        #expect(resumed.output.contains("frozen: blocks:2; "))
        #expect(try run("train --resume second --freeze none").errors.contains("--freeze is blocks:2 there"))
        #expect(try run("eval second --test-limit 100").status == 0)
    }

    @Test func fineTuningSaysWhatIsWrong() throws {
        #expect(try run(first).status == 0)
        for (options, says, status) in [
            ("--freeze blocks:4", "--freeze blocks:4 must be between blocks:1 and blocks:3", 1),
            (
                "--arch vgg11 --conv-arch 1x8,1x16,1x16",
                "model.safetensors: the weights are of another network: ", 1
            ),
            ("--size 32", "classifier.0.weight", 1),
            (
                "--freeze features --bn-bias-lr-scale 64",
                "--bn-bias-lr-scale is for networks with batch norm that is not frozen", 1
            ),
            ("--lr-head 0", "--lr-head must be greater than 0", 64), ("--freeze head", "--freeze", 64),
            ("--data nothing-like-it", "nothing-like-it", 1),
        ] as [(String, String, Int32)] {
            let result = try run(
                "train --init first/model.safetensors --train-limit 32 --run-dir run \(options)")
            #expect(result.status == status && result.output.isEmpty, "\(options)")
            #expect(
                result.errors.hasPrefix("error: ") && result.errors.contains(says), "\(result.errors)")
            #expect(result.errors.split(separator: "\n").count == 1, "\(result.errors)")
            #expect(try folder.names() == ["errors", "first", "output"])
        }
    }

    @Test func whatDoesNotFitIsSaidBefore() throws {
        #expect(try run(first).status == 0)
        let shell = "export VGG_MAX_MEMORY=4000000"
        for command in [
            "train --init first --batch-size 4096 --run-dir run", "eval first --batch-size 4096",
            "train --init first --batch-size 4096 --estimate",
        ] {
            let result = try run(command, shell: shell)
            #expect(result.status == 1 && result.output.isEmpty)
            #expect(
                result.errors.hasPrefix("error: batches of 4096 images take ")
                    && result.errors.contains(" but 4 MB are free; "), "\(result.errors)")
            #expect(result.errors.split(separator: "\n").count == 1)
        }
        let one = try run("predict first --index 0", shell: "export VGG_MAX_MEMORY=1000")
        #expect(one.status == 1 && one.errors.hasPrefix("error: one image at a time takes "))
        #expect(try folder.names() == ["errors", "first", "output"])

        // The batch size that is named does fit.
        let large = try run("eval first --batch-size 4096", shell: "export VGG_MAX_MEMORY=150000000")
        let named = try #require(large.errors.firstMatch(of: /a batch size of at most (\d+)/))
        let fitting = try run(
            "eval first --test-limit 32 --batch-size \(named.1)", shell: "export VGG_MAX_MEMORY=150000000")
        #expect(fitting.status == 0, "\(fitting.errors)")
        let wrong = try run("summary", shell: "export VGG_MAX_MEMORY=lots")
        #expect(wrong.status == 64 && wrong.errors.contains("VGG_MAX_MEMORY must be a number of bytes"))
    }
}
