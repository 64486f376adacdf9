import VGGFiles
import VGGFormats
import VGGModel

/// How much each channel of five layers of a VGG-16 counts for people (Zhang et al. 2018, "The Unreasonable Effectiveness of
/// Deep Features as a Perceptual Metric"): the linear weights that the lpips package ships.
public struct LPIPSWeights: Sendable {
    /// Those that are compared, each the last ReLU of its block.
    public static let layers = ["relu1_2", "relu2_2", "relu3_3", "relu4_3", "relu5_3"]

    /// One factor, not negative, for each channel of each of the layers.
    public let factors: [[Float]]

    /// - Parameter tensors: `lin0.model.1.weight` to `lin4.model.1.weight`, each [1, channels, 1, 1].
    /// - Throws: `PerceptionError.linearWeights`.
    public init(_ tensors: [String: Tensor]) throws(PerceptionError) {
        var factors: [[Float]] = []
        for index in Self.layers.indices {
            let name = "lin\(index).model.1.weight"
            guard let tensor = tensors[name], tensor.shape.count == 4, tensor.shape[1] == tensor.values.count
            else {
                throw .linearWeights("there is no tensor \(name) of one number a channel")
            }
            guard tensor.values.allSatisfy({ $0.isFinite && $0 >= 0 }) else {
                throw .linearWeights("\(name) has a number that is negative or not finite")
            }
            factors.append(Array(tensor.values))
        }
        self.factors = factors
    }

    /// Reads a weight file of any format.
    /// - Throws: `FileError` that names the file, or what `WeightFile` throws.
    public init(contentsOf path: String) throws {
        let tensors = try WeightFile(contentsOf: path).tensors.dictionary
        do throws(PerceptionError) {
            try self.init(tensors)
        } catch {
            throw FileError(path, "\(error)")
        }
    }
}
