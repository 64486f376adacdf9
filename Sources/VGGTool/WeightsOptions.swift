import ArgumentParser
import VGGKit

/// Which weights of a file that holds several.
struct WeightsOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            """
            Take the weights under this key of a checkpoint that holds several, such as model or model_ema, or those \
            whose names begin with it (default: those with the most convolutions; of several with as many, averaged ones).
            """, valueName: "key"))
    var weightsKey: String?

    /// Reads a run or weights, and says on standard error how a file was understood.
    /// - Parameter convArch: the rows that were asked for, which are those of a file that does not say its own.
    func read(_ runOrWeights: String, convArch: ConvArch?) throws -> TrainedModel {
        let trained = try TrainedModel(runOrWeights: runOrWeights, weightsKey: weightsKey, convArch: convArch)
        for note in trained.notes { Console.note("\(trained.path): \(note)") }
        return trained
    }
}
