import ArgumentParser
import VGGKit

struct EvalCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "eval",
        abstract: "Test a trained network on a data set's test images.",
        discussion: """
            Examples:
              vgg eval runs/quick
              vgg eval vgg16.pth --data folder:imagenet-val
              vgg eval slim.pth --data fashion-mnist --size 96
            """)

    @OptionGroup var trained: TrainedModelOptions
    @OptionGroup(title: "Device") var compute: ComputeOptions

    @Option(parsing: .unconditional, help: "Examples in a batch.")
    var batchSize = 128

    @Option(parsing: .unconditional, help: "Test on the first N examples only.")
    var testLimit: Int?

    @OptionGroup var output: FormatOption

    func validate() throws {
        try ValidationError.check("--batch-size", batchSize, in: OptionRange.batchSize)
        try ValidationError.check("--test-limit", testLimit, in: OptionRange.count)
    }

    private struct Result: Encodable {
        var loss: Double
        var accuracy: Double
        var count: Int
    }

    func run() throws {
        let (model, network, size, data) = try trained.load()
        let test = data.test.limited(to: testLimit ?? data.test.count)
        let executor = try model.executor(
            for: network, batchSize: batchSize, precision: trained.precision?.resolved,
            foldsBatchNorm: false, device: compute.resolved)
        var bar = Console.isTerminal ? ProgressBar() : nil
        let sums = try executor.evaluate(test, size: size, batchSize: batchSize) { examples in
            if bar?.isDue() == true {
                bar?.draw("test", Double(examples) / Double(test.count), "\(examples)/\(test.count)")
            }
            return true
        }
        bar?.clear()
        guard let sums else { return }
        let count = Double(sums.count)
        let result = Result(
            loss: sums.lossSum / count, accuracy: Double(sums.correct) / count, count: sums.count)
        switch output.format {
        case .json: Console.print(try JSONText.line(result))
        case .text:
            Console.print(
                "loss \(Text.fixed(result.loss, 3)), accuracy \(Text.fixed(result.accuracy, 3)) "
                    + "on \(Text.grouped(result.count)) test images of \(test.name)")
        }
    }
}
