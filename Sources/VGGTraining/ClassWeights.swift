import Foundation
import VGGData
import VGGFiles
import VGGModel

/// How much each class counts in a training's loss (`CrossEntropy.classWeights`).
public enum ClassWeights: Hashable, Sendable, Codable, CustomStringConvertible {
    /// All classes alike, however many examples each has: the mean number of examples of a class by its own, scikit-learn's
    /// `balanced`.
    case balanced
    /// By name; those that are not named count 1.
    case named([String: Float])

    /// `balanced`, or a JSON object of names and weights.
    /// - Throws: `TrainingError.invalidSetting` if the text is neither.
    public init(_ text: String) throws(TrainingError) {
        if text == "balanced" {
            self = .balanced
        } else if let weights = try? JSONDecoder().decode([String: Double].self, from: Data(text.utf8)) {
            self = .named(weights.mapValues(Float.init))
        } else {
            throw .invalidSetting(
                .classWeights,
                reason: "must be balanced, or the names of classes with their weights as JSON, "
                    + "such as {\"coat\": 1.5, \"shirt\": 2}")
        }
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let weights = try? container.decode([String: Float].self) {
            self = .named(weights)
        } else {
            try self.init(container.decode(String.self))
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .balanced: try container.encode("balanced")
        case .named(let weights): try container.encode(weights)
        }
    }

    /// The text that it is made of, names in their order.
    public var description: String {
        guard case .named(let weights) = self else { return "balanced" }
        let members = weights.sorted { $0.key < $1.key }.map { name, weight in
            "\((try? JSONText.line(name)) ?? name):\(weight)"
        }
        return "{\(members.joined(separator: ","))}"
    }

    /// - Parameter names: the classes', if they are known yet.
    /// - Throws: `TrainingError.invalidSetting` that says which names are no classes', or which weight makes no sense.
    func validate(for names: [String]?) throws(TrainingError) {
        guard case .named(let weights) = self else { return }
        guard !weights.isEmpty else {
            throw .invalidSetting(.classWeights, reason: "must name a class, as all others count 1")
        }
        for (name, weight) in weights.sorted(by: { $0.key < $1.key }) where !(weight > 0 && weight.isFinite) {
            throw .invalidSetting(
                .classWeights,
                reason: "must be greater than 0 and at most 3.4e38, not \(weight) for \(name.quotedName)")
        }
        guard let names else { return }
        let wrong = weights.keys.filter { !names.contains($0) }.sorted()
        guard wrong.isEmpty else {
            throw .invalidSetting(
                .classWeights,
                reason:
                    "names what is no class: \(wrong.map(\.quotedName).joined(separator: ", ")); the classes are "
                    + names.map(\.quotedName).joined(separator: ", "))
        }
    }

    /// The weights of so many outputs, in the order of the classes' numbers.
    /// - Throws: as `validate`.
    func weights(of dataset: ImageDataset, outputs: Int) throws(TrainingError) -> [Float] {
        try validate(for: dataset.classNames)
        var result = [Float](repeating: 1, count: max(outputs, dataset.classNames.count))
        switch self {
        case .named(let weights):
            for (number, name) in dataset.classNames.enumerated() { result[number] = weights[name] ?? 1 }
        case .balanced:
            var counts = result.map { _ in 0 }
            for label in dataset.labels { counts[Int(label)] += 1 }
            let mean = Double(dataset.count) / Double(counts.count { $0 > 0 })
            for (number, count) in counts.enumerated() where count > 0 {
                result[number] = Float(mean / Double(count))
            }
        }
        return result
    }
}
