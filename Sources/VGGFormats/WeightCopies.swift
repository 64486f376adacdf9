import VGGModel

/// Copies of one network in a file whose tensors have no keys above their names, only prefixes: `model.features.0.weight`
/// and `ema.features.0.weight`.
struct WeightCopies {
    /// What the names of each copy begin with, in the file's order, without the last dot.
    let prefixes: [String]

    /// - Returns: nil if the file has one network, or several that are not alike.
    init?(_ tensors: NamedTensors) {
        // Also the linear layers': features alone, beside their momentum, are no copies of a network.
        let weights = tensors.filter { $0.name.hasSuffix("weight") && $0.tensor.shape.count > 1 }
        // Those under each prefix; no model is wrapped more often.
        var under: [String: [String]] = [:]
        var order: [String] = []
        for (name, tensor) in weights {
            for dot in name.indices.lazy.filter({ name[$0] == "." }).prefix(4) {
                let prefix = String(name[..<dot])
                if under[prefix] == nil { order.append(prefix) }
                under[prefix, default: []].append("\(name[dot...]) \(tensor.shape)")
            }
        }
        // Copies have the same, and together all there are: blocks of a network that are alike do not.
        let alike = Dictionary(grouping: order) { under[$0] ?? [] }
        let copies = alike.filter {
            $0.value.count > 1 && $0.key.count * $0.value.count == weights.count
        }
        guard let prefixes = copies.values.min(by: { ($0[0].count, $0[0]) < ($1[0].count, $1[0]) }) else {
            return nil
        }
        self.prefixes = prefixes
    }

    var preferred: String {
        prefixes.enumerated().min {
            (KeyPreference($0.element), $0.offset) < (KeyPreference($1.element), $1.offset)
        }?
        .element ?? ""
    }
}

extension NamedTensors {
    /// Those whose names begin with `prefix` and a dot, without it.
    func under(_ prefix: String) -> NamedTensors {
        NamedTensors(
            lazy.filter { $0.name.hasPrefix(prefix + ".") }.map { name, tensor in
                (name: String(name.dropFirst(prefix.count + 1)), tensor: tensor)
            })
    }
}

extension Sequence<String> {
    /// The first parts of names, each once.
    var prefixes: [String] {
        var seen: Set<Substring> = []
        return compactMap { name in
            let first = name.prefix { $0 != "." }
            return first.count < name.count && seen.insert(first).inserted ? String(first) : nil
        }
    }
}
