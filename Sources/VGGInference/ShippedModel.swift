import CVGGModels
import VGGEngine
import VGGFiles
import VGGFormats

/// A model that is a part of every program that uses this library, and needs no file.
///
///     let predictor = try Predictor(shipped: .fashionMNIST, device: .best)
///     let prediction = try await predictor.prediction(for: RGBImage(contentsOf: "shoe.png"))
public enum ShippedModel: String, CaseIterable, Sendable {
    /// Ten kinds of clothing in grey pictures of 28×28 pixels, bright on black; docs/records says how it was trained and
    /// what it reaches.
    case fashionMNIST = "fashion-mnist"

    /// What the command line calls them, for people.
    public static var names: String { allCases.map(\.rawValue).joined(separator: ", ") }

    /// The model that is meant by this text where a path is expected: one of that name, unless a file or folder has it.
    public init?(meantBy path: String) {
        guard let model = Self(rawValue: path), FileKind(at: path) == nil else { return nil }
        self = model
    }

    /// - Throws: `SafetensorsError` if the file that the program was built with is damaged.
    func file() throws -> WeightFile {
        let file =
            switch self {
            case .fashionMNIST: vgg_fashion_mnist()
            }
        return try WeightFile(
            UnsafeRawBufferPointer(start: file.bytes, count: file.count), of: nil, path: rawValue)
    }
}

extension TrainedModel {
    /// A model that ships with the library; its `path` is its name.
    /// - Throws: `SafetensorsError` if the file that the program was built with is damaged.
    public init(shipped model: ShippedModel) throws {
        try self.init(model.file(), path: model.rawValue, run: nil, shared: nil, convArch: nil)
    }
}

extension Predictor {
    /// The same with a model that ships with the library.
    public convenience init(
        shipped model: ShippedModel, device: Device, precision: Precision? = nil, batchSize: Int = 1,
        executors: Int = 2
    ) throws {
        try self.init(
            TrainedModel(shipped: model), device: device, precision: precision, batchSize: batchSize,
            executors: executors)
    }
}
