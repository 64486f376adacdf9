import ArgumentParser
import VGGKit

/// The network that looks at pictures of any size, of which no more is used than the layers that are asked for.
struct PictureNetworkOptions: ParsableArguments {
    @Option(
        name: .customLong("weights"), help: TrainedModelOptions.help, transform: HomeFolder.expandingTilde)
    var runOrWeights: String

    @OptionGroup var weights: WeightsOptions

    @OptionGroup(title: "Model (default: what the run, or the file, says)")
    var model: ModelOptions

    @OptionGroup(title: "Pictures")
    var preparation: PreparationOptions

    @OptionGroup(title: "Device") var compute: ComputeOptions

    func validate() throws {
        try preparation.validate(size: nil)
        guard preparation.resize == nil else {
            throw ValidationError(
                "--resize has no meaning here: pictures have the size of --size, or their own")
        }
    }

    /// The network without its classifier, and how pictures become its numbers.
    func load() throws -> LoadedMaps {
        let trained = try weights.read(runOrWeights, convArch: model.rows)
        let specification = try model.specification(of: trained)
        let preprocessing = try preparation.preprocessing(
            of: trained, channels: specification.inChannels, size: nil)
        guard preprocessing.subject == nil else {
            throw ValidationError(
                "pictures are taken whole here; give a --preprocessing that looks for nothing, such as plain")
        }
        let network = try specification.network(size: preprocessing.size).withoutClassifier()
        return LoadedMaps(
            path: trained.path, network: network, weights: try trained.tensors(for: network),
            preprocessing: preprocessing, device: compute.resolved)
    }
}

/// The layers of a network that make maps, and all it takes to use them.
struct LoadedMaps {
    let path: String
    let network: Network
    let weights: [String: Tensor]
    let preprocessing: Preprocessing
    let device: Device

    /// Names the weights where they do not fit.
    func fitting<Result>(_ body: () throws -> Result) throws -> Result {
        do {
            return try body()
        } catch let error as WeightsError {
            throw FileError(path, "\(error)")
        }
    }
}

extension Precision: ExpressibleByArgument {}

/// What the network computes in.
struct PictureArithmetic: ParsableArguments {
    @Option(
        help: "The number format of the network: bf16 is faster where the processor has it, and less exact.")
    var precision = Precision.fp32

    /// With a warning where it is the slower one.
    func chosen(on device: Device) -> Precision {
        precision.warnIfSlower(on: device)
        return precision
    }
}
