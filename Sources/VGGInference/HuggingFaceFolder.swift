import Foundation
import VGGFiles
import VGGImages

/// A folder as Hugging Face's libraries and timm save a model: weights beside a `config.json` of theirs.
struct HuggingFaceFolder {
    /// The weight file, or the index of its parts.
    let weightsPath: String
    private let path: String

    private static let names = [
        "model.safetensors", "model.safetensors.index.json", "pytorch_model.bin",
        "pytorch_model.bin.index.json",
    ]

    /// - Returns: nil if the folder holds a run, or no weights under a name of these libraries.
    init?(_ path: String) {
        self.path = path
        let file = { (path as NSString).appendingPathComponent($0) }
        let weights = Self.names.lazy.map(file).first(where: FileManager.default.fileExists)
        guard let weights else { return nil }
        weightsPath = weights
        // A run's says which format it is of, or at least what is trained by what; and one that cannot be understood is a run's
        // that was damaged.
        let isTheirs = json("config.json").map { $0["format"] == nil && $0["optimizer"] == nil } ?? false
        guard isTheirs || !FileManager.default.fileExists(atPath: file("config.json")) else { return nil }
    }

    private func json(_ name: String) -> [String: Any]? {
        guard let data = FileManager.default.contents(atPath: (path as NSString).appendingPathComponent(name))
        else { return nil }
        return try? JSONSerialization.jsonObject(with: data) as? [String: Any]
    }

    /// What the classes are called, such as `id2label` says; nil if `config.json` does not.
    var classNames: [String]? {
        try? ClassNames(contentsOf: (path as NSString).appendingPathComponent("config.json")).names
    }

    /// How photos are prepared, of `preprocessor_config.json`, or of timm's `pretrained_cfg`; nil if neither says.
    var preprocessing: Preprocessing? {
        if let processor = json("preprocessor_config.json"), let size = Self.edge(processor["size"]) {
            let isCut = processor["do_center_crop"] as? Bool ?? (processor["crop_size"] != nil)
            let isScaled = processor["do_rescale"] as? Bool ?? true
            let isNormalized = processor["do_normalize"] as? Bool ?? true
            return Self.preprocessing(
                resize: size, size: isCut ? Self.edge(processor["crop_size"]) ?? size : size,
                range: isScaled ? .unit : .byte, mean: isNormalized ? processor["image_mean"] : nil,
                std: isNormalized ? processor["image_std"] : nil)
        }
        guard let config = json("config.json"), let timm = config["pretrained_cfg"] as? [String: Any],
            let size = (timm["input_size"] as? [Int])?.last
        else { return nil }
        let share = timm["crop_pct"] as? Double ?? 0.875
        let resize = share > 0 ? Double(size) / share : .infinity
        guard resize <= Double(Preprocessing.maximumSize) else { return nil }
        return Self.preprocessing(
            resize: Int(resize), size: size, range: .unit, mean: timm["mean"], std: timm["std"])
    }

    private static func preprocessing(
        resize: Int, size: Int, range: Preprocessing.ValueRange, mean: Any?, std: Any?
    ) -> Preprocessing? {
        func numbers(_ value: Any?, else usual: Float) -> [Float] {
            (value as? [Double])?.map { Float($0) } ?? [usual, usual, usual]
        }
        let (mean, std) = (numbers(mean, else: 0), numbers(std, else: 1))
        return try? Preprocessing(
            resize: resize, size: size, channels: mean.count == 1 ? .grey : .rgb, range: range, mean: mean,
            std: std)
    }

    /// A number, or an object of the shorter side's or of the height.
    private static func edge(_ value: Any?) -> Int? {
        if let number = value as? Int { return number }
        let object = value as? [String: Any]
        return object?["shortest_edge"] as? Int ?? object?["height"] as? Int
    }
}
