import Foundation
import Testing
import VGGKit

extension ToolTests {
    /// Two copies of a run's weights in one file, of which the averaged ones are ten times as large.
    private func writeCopies() throws -> (model: NamedTensors, average: NamedTensors) {
        let model = try Safetensors(contentsOf: folder.url("run/model.safetensors").path).tensors
        let average = NamedTensors(
            model.map { name, tensor in
                (name: name, tensor: Tensor(shape: tensor.shape, values: tensor.values.map { $0 * 10 }))
            })
        var both = NamedTensors()
        for (name, tensor) in model { both["model.\(name)"] = tensor }
        for (name, tensor) in average { both["ema.\(name)"] = tensor }
        try Safetensors(tensors: both).write(to: folder.url("both.safetensors").path)
        return (model, average)
    }

    @Test func weightsKeyChoosesAmongSeveral() throws {
        #expect(try run(greyTraining).status == 0)
        let (model, average) = try writeCopies()
        func converted(_ options: String) throws -> (weights: NamedTensors, errors: String) {
            let result = try run("convert both.safetensors out.safetensors \(options)")
            #expect(result.status == 0, "\(result.errors)")
            return (try Safetensors(contentsOf: folder.url("out.safetensors").path).tensors, result.errors)
        }
        let taken = try converted("")
        #expect(taken.weights.dictionary == average.dictionary)
        #expect(
            taken.errors.contains(
                #"the weights under "ema" are taken; --weights-key takes others: "model""#), "\(taken.errors)"
        )
        let chosen = try converted("--weights-key model")
        #expect(chosen.weights.dictionary == model.dictionary && !chosen.errors.contains("--weights-key"))

        let wrong = try run("convert both.safetensors out.safetensors --weights-key net")
        #expect(wrong.status == 1)
        #expect(
            wrong.errors.contains(#"has no weights under "net", but under "ema", "model""#), "\(wrong.errors)"
        )
        let tuned = try run(
            "train --init both.safetensors --weights-key model --train-limit 64 --test-limit 64 --batch-size 32 "
                + "--max-steps 1 --run-dir tuned")
        #expect(tuned.status == 0, "\(tuned.errors)")
        let configuration = try RunFolder(folder.url("tuned").path).readConfiguration()
        #expect(configuration.initialWeightsKey == "model")
    }

    @Test func weightsKeyIsForWeights() throws {
        let alone = try run("train --weights-key model --run-dir run")
        #expect(alone.status == 64 && alone.errors.contains("--weights-key is for the weights of --init"))
        #expect(try run(greyTraining + " --momentum 0.9").status == 0)
        // The checkpoint's momentum is no other network.
        let checkpoint = try run("convert run/checkpoint.safetensors out.safetensors")
        #expect(checkpoint.status == 0 && !checkpoint.errors.contains("are taken"), "\(checkpoint.errors)")
        let ofRun = try run("eval run --weights-key model")
        #expect(ofRun.status == 1 && ofRun.errors.contains("leave out --weights-key"), "\(ofRun.errors)")
    }
}
