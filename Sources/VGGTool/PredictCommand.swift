import ArgumentParser
import Foundation
import VGGKit

struct PredictCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "predict",
        abstract: "Say what a trained network sees in one test image.",
        discussion: "Example: vgg predict runs/quick --data fashion-mnist --index 7 --top 3")

    @OptionGroup var trained: TrainedModelOptions
    @OptionGroup(title: "Device") var compute: ComputeOptions

    @Option(parsing: .unconditional, help: "Which of the test images, counted from 0.")
    var index: Int

    @Option(parsing: .unconditional, help: "How many of the likeliest classes to print.")
    var top = 5

    @OptionGroup var output: FormatOption

    func validate() throws {
        try ValidationError.check("--index", index, in: 0...OptionRange.count.upperBound)
        try ValidationError.check("--top", top, in: OptionRange.count)
    }

    private struct Guess: Encodable {
        /// The class's number.
        var label: Int
        /// The class's name; its number, if it has none.
        var `class`: String
        var probability: Double
    }

    private struct Prediction: Encodable {
        var top: [Guess]
        var logits: [Float]
        /// What the data set says the image is.
        var actual: String
    }

    func run() throws {
        let (model, network, size, data) = try trained.load()
        let example = try data.test.example(at: index, height: size, width: size)
        let executor = try model.executor(
            for: network, batchSize: 1, precision: trained.precision?.resolved, device: compute.resolved)
        let logits = executor.logits(images: example.image, count: 1)

        let names = data.test.classNames
        func name(_ label: Int) -> String { label < names.count ? names[label] : "\(label)" }
        let guesses = softmax(logits).enumerated().sorted { $0.element > $1.element }.prefix(top).map {
            Guess(label: $0.offset, class: name($0.offset), probability: $0.element)
        }
        let prediction = Prediction(top: guesses, logits: logits, actual: name(example.label))
        switch output.format {
        case .json: Console.print(try JSONText.line(prediction))
        case .text:
            for guess in guesses {
                Console.print("\(Text.right(Text.fixed(100 * guess.probability, 2), 6)) %  \(guess.class)")
            }
            Console.print("test image \(index) of \(data.test.name) is: \(prediction.actual)")
        }
    }

    private func softmax(_ logits: [Float]) -> [Double] {
        let largest = Double(logits.max() ?? 0)
        let powers = logits.map { exp(Double($0) - largest) }
        let sum = powers.reduce(0, +)
        return powers.map { $0 / sum }
    }
}
