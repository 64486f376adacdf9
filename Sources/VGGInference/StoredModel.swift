import VGGEngine
import VGGFiles
import VGGImages
import VGGModel

/// What weights belong to: kept in the metadata of the weight files this package writes, under `vgg.model`,
/// so that such a file can be used without saying which model it is.
public struct StoredModel: Hashable, Sendable, Codable {
    /// Which network it is.
    public var model: ModelSpecification
    /// The width and height of the images it was trained on, in pixels.
    public var size: Int
    /// The data set it was trained on; nil if the file does not say.
    public var data: String?
    /// The number format it was trained in; nil if the file does not say.
    public var precision: Precision?
    /// The classes in the order of their numbers; nil if they are not known. A network of one output may have two: what
    /// the output speaks for comes second.
    public var labels: [String]?
    /// How photos are prepared for it; nil if the file does not say.
    public var preprocessing: Preprocessing?

    static let metadataKey = "vgg.model"

    /// What a file that is to be written says of its weights.
    public init(
        model: ModelSpecification, size: Int, data: String? = nil, precision: Precision? = nil,
        labels: [String]? = nil, preprocessing: Preprocessing? = nil
    ) {
        self.model = model
        self.size = size
        self.data = data
        self.precision = precision
        self.labels = labels
        self.preprocessing = preprocessing
    }

    /// The stored model of a weight file's metadata; nil if it holds none that can be understood.
    package init?(metadata: [String: String]) {
        guard let text = metadata[Self.metadataKey],
            let stored = try? JSONText.decode(StoredModel.self, from: text)
        else { return nil }
        self = stored
    }

    package var metadata: [String: String] {
        get throws { [Self.metadataKey: try JSONText.line(self), "format": "pt"] }
    }
}
