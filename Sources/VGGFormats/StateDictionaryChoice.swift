import VGGFiles

/// Which of the state dictionaries in a pickle is the network's: the one with the most convolutions.
///
/// Of several with as many, those that can be read whole come first, and then `KeyPreference` says.
struct StateDictionaryChoice {
    typealias Problem = PyTorchFileError.Problem

    let dictionary: StateDictionary
    /// The keys under which it was, joined with dots; empty if the file is the dictionary.
    let key: String
    /// The same of others with as many convolutions.
    let others: [String]

    /// - Parameter wanted: the key to look under, or what the names of the tensors begin with; nil for all there is.
    /// - Throws: `noStateDictionary`, or `noKey` with the keys that are there.
    init(_ value: PickleValue, _ memory: PickleMemory, under wanted: String? = nil) throws(Problem) {
        guard let wanted else {
            try self.init(PickleSearch(value, memory), value, memory)
            return
        }
        let (inner, rest) = memory.closest(to: wanted, in: value)
        let choice = try? Self(PickleSearch(inner, memory), inner, memory)
        let part = rest.isEmpty ? choice?.dictionary : choice?.dictionary.under(String(rest))
        guard let choice, let part, !part.entries.isEmpty else {
            let search = PickleSearch(value, memory)
            let networks = search.found.lazy.filter { $0.dictionary.convolutions > 0 }
            let keys = networks.prefix(Self.maximumEqual).map(search.key).filter { !$0.isEmpty }
            let names = search.found.first?.dictionary.entries.map(\.name) ?? []
            throw .noKey(wanted, known: keys.isEmpty ? names.prefixes : Array(keys.prefix(12)))
        }
        guard rest.isEmpty, !choice.key.isEmpty else {
            self.init(dictionary: part, key: wanted, others: [])
            return
        }
        self.init(
            dictionary: part, key: "\(wanted).\(choice.key)", others: choice.others.map { "\(wanted).\($0)" })
    }

    /// How many are compared by their keys. No training script leaves more.
    private static let maximumEqual = 1000

    private init(dictionary: StateDictionary, key: String, others: [String]) {
        (self.dictionary, self.key, self.others) = (dictionary, key, others)
    }

    private init(_ search: PickleSearch, _ value: PickleValue, _ memory: PickleMemory) throws(Problem) {
        guard let most = search.found.lazy.map({ Score($0.dictionary) }).max() else {
            throw .noStateDictionary(Self.content(of: value, memory))
        }
        var equal = Array(
            search.found.lazy.filter { Score($0.dictionary) == most }.prefix(Self.maximumEqual))
        if most.convolutions > 0, equal.count > 1 {
            let isMMEngines = memory.member("message_hub", of: value) != nil
            let ranked = equal.enumerated().map { index, found in
                (
                    found: found,
                    order: (
                        found.dictionary.isReadable ? 0 : 1,
                        KeyPreference(search.key(of: found), isMMEngines: isMMEngines), index
                    )
                )
            }
            equal = ranked.sorted { $0.order < $1.order }.map(\.found)
        }
        let best = equal[0]
        let others =
            most.convolutions == 0
            ? [] : equal.dropFirst().filter { !$0.dictionary.isSame(as: best.dictionary, memory) }
        let whole = Self.completed(best, in: search)
        let key = search.key(of: best).split(separator: ".", omittingEmptySubsequences: false)
        self.init(
            dictionary: whole ?? best.dictionary,
            key: (whole == nil ? key : key.dropLast()).joined(separator: "."),
            others: others.prefix(8).map(search.key))
    }

    private struct Score: Comparable {
        let convolutions: Int
        private let linear: Int
        /// Counts where there are no convolutions, and some other network is to be recognised as that.
        private let tensors: Int

        init(_ dictionary: StateDictionary) {
            convolutions = dictionary.convolutions
            linear = dictionary.linear
            tensors = convolutions == 0 ? dictionary.entries.count : 0
        }

        static func < (a: Self, b: Self) -> Bool {
            (a.convolutions, a.linear, a.tensors) < (b.convolutions, b.linear, b.tensors)
        }
    }

    /// Features and classifier as one, where they are dictionaries beside each other.
    private static func completed(_ best: PickleSearch.Found, in search: PickleSearch) -> StateDictionary? {
        guard best.dictionary.linear == 0 else { return nil }
        let siblings = search.siblings(of: best)
        let parts = siblings.filter { $0.found.isSame(as: best) || $0.found.dictionary.isClassifier }
        return parts.count > 1 ? StateDictionary(joining: parts.map { ($0.key, $0.found.dictionary) }) : nil
    }

    /// What is there instead of a state dictionary, for an error.
    private static func content(of value: PickleValue, _ memory: PickleMemory) -> String {
        let nothing = "there are no convolutions and no other tensors"
        guard case .dictionary(let place) = value else { return "\(nothing), only \(value.kind)" }
        let pairs = memory.pairs(memory.dictionaries[Int(place)])
        let keys = pairs.prefix(5).map { pair in
            memory.text(pair.key)?.quotedName ?? memory.name(pair.key) ?? pair.key.kind
        }
        let more = pairs.count > keys.count ? ", …" : ""
        return keys.isEmpty ? nothing : "\(nothing), only \(keys.joined(separator: ", "))\(more)"
    }
}
