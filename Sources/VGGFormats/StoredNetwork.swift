import VGGFiles
import VGGModel

/// The layers of a weight file that make a VGG, each kind in its order.
struct StoredNetwork {
    let convolutions: [StoredLayer]
    /// One a convolution, or none.
    let norms: [StoredLayer]
    let linear: [StoredLayer]
    fileprivate(set) var rows: ConvArch
    /// Whether convolutions were left out that come after those of a known depth.
    fileprivate(set) var isCut = false

    /// What is known of the rows before the file is read.
    enum Rows {
        case unknown
        /// They must be these, or these with all channels divided by one number.
        case given(ConvArch)
        /// A network's, whatever its kernels.
        case channels([Int])

        var areUnknown: Bool { if case .unknown = self { true } else { false } }
    }

    /// The first components of the convolutions' names, which all share.
    let prefix: [String]

    /// Finds the network among the layers: under whichever prefix the convolutions are one.
    /// - Throws: `NotVGGError` if there is none, or more than one.
    static func find(in layers: StoredLayers, _ rows: Rows) throws(NotVGGError) -> StoredNetwork {
        let convolutions = layers.all.filter {
            $0.kind == .convolution && !$0.isOfClassifier && !$0.isAuxiliary
        }.inOrderOfNames
        guard !convolutions.isEmpty else { throw NotVGGError("there are no convolutions") }
        let norms = layers.all.filter {
            $0.kind == .batchNorm && !$0.isOfClassifier && !$0.isAuxiliary
        }.inOrderOfNames
        var search = NetworkSearch(layers: layers, norms: norms, rows: rows, count: convolutions.count)
        search.look(at: convolutions)
        if search.found.isEmpty {
            let problem = search.problem
            search.takesFirst = true
            search.remaining = NetworkSearch.maximumTries
            search.look(at: convolutions)
            search.problem = problem
        }
        guard search.found.count <= 1 else {
            let names = search.found.prefix(2).map { $0.convolutions[0].fileName.quotedName }
            throw NotVGGError("there is more than one, beginning with \(names.joined(separator: " and "))")
        }
        guard let found = search.found.first else { throw search.problem ?? NotVGGError("there is none") }
        return found
    }

    /// The number that is the first linear layer's name, if it stands in one Sequential with the blocks; else nil.
    var linearPlace: Int? {
        guard let components = linear.first?.name.components, components.count == prefix.count + 1,
            components.starts(with: prefix)
        else { return nil }
        return Int(components[prefix.count])
    }
}

/// Tries the convolutions under every prefix.
private struct NetworkSearch {
    /// Nobody puts so many networks into one file, and a try costs as much as the whole file.
    static let maximumTries = 16

    let layers: StoredLayers
    /// In the order of their names.
    let norms: [StoredLayer]
    let rows: StoredNetwork.Rows
    /// Of all convolutions.
    let count: Int
    /// Whether the first convolutions of several are enough, if they are those of a known depth.
    var takesFirst = false
    var remaining = maximumTries
    var found: [StoredNetwork] = []
    /// Of the prefix with most of the convolutions.
    var problem: NotVGGError?

    mutating func look(at convolutions: [StoredLayer]) {
        // Two are one too many.
        guard mayBeWhole(convolutions), found.count < 2, remaining > 0 else { return }
        remaining -= 1
        do {
            return found.append(try network(of: convolutions))
        } catch {
            problem = error
        }
        let shared = convolutions.sharedComponents
        var order: [String] = []
        var groups: [String: [StoredLayer]] = [:]
        // The last component of a name is no prefix.
        for convolution in convolutions where convolution.name.components.count > shared + 1 {
            let component = convolution.name.components[shared]
            if groups[component] == nil { order.append(component) }
            groups[component, default: []].append(convolution)
        }
        let own = problem
        for group in order.compactMap({ groups[$0] }) {
            look(at: group)
            if case .channels = rows {
                problem = own
            } else if 2 * group.count <= convolutions.count {
                problem = own
            }
        }
    }

    /// A part of a network is not taken for the whole: one that is not all of the file begins with an image of at most
    /// four channels, and is most of the file or a known depth.
    private func mayBeWhole(_ convolutions: [StoredLayer]) -> Bool {
        convolutions.count == count
            || convolutions[0].inputs <= 4
                && (2 * convolutions.count > count
                    || Architecture.rows(ofChannels: convolutions.map(\.outputs)) != nil)
    }

    private func network(of all: [StoredLayer]) throws(NotVGGError) -> StoredNetwork {
        let prefix = Array(all[0].name.components.prefix(all.sharedComponents))
        let norms = norms.filter { $0.name.components.starts(with: prefix) }
        if takesFirst { return try first(of: all, norms, prefix) }
        try check(all, norms)
        let classifier = try Classifier(in: layers, after: all, below: prefix)
        return try network(all, norms, classifier.layers, prefix)
    }

    /// The network of the first convolutions, if they are those of a known depth, and those that were given.
    private func first(
        of all: [StoredLayer], _ allNorms: [StoredLayer], _ prefix: [String]
    ) throws(NotVGGError) -> StoredNetwork {
        for count in Architecture.convolutionCounts where count < all.count {
            let (convolutions, norms) = (Array(all.prefix(count)), Array(allNorms.prefix(count)))
            guard let known = Architecture.rows(ofChannels: convolutions.map(\.outputs)) else { continue }
            try check(convolutions, norms)
            guard var network = try? network(convolutions, norms, [], prefix),
                network.rows.channels == known.channels, !rows.areUnknown || network.rows == known
            else { continue }
            network.isCut = true
            return network
        }
        throw NotVGGError("it does not begin with one")
    }

    private func network(
        _ convolutions: [StoredLayer], _ norms: [StoredLayer], _ linear: [StoredLayer], _ prefix: [String]
    ) throws(NotVGGError) -> StoredNetwork {
        var network = StoredNetwork(
            convolutions: convolutions, norms: norms, linear: linear, rows: [], prefix: prefix)
        switch rows {
        case .given(let given): network.rows = try given.matched(to: convolutions)
        case .channels(let channels):
            network.rows = ConvArch([channels])
            let found = convolutions.map(\.outputs)
            guard channels.count == found.count else {
                throw NotVGGError("they have \(found.count) convolutions, and it has \(channels.count)")
            }
            if let index = found.indices.first(where: { found[$0] != channels[$0] }) {
                throw NotVGGError(
                    "\(convolutions[index].fileName) makes \(found[index]) channels, and its makes \(channels[index])"
                )
            }
        case .unknown: network.rows = try BlockReader(network).rows()
        }
        return network
    }

    /// That each convolution takes what the one before makes, and has a batch norm if any has.
    private func check(_ convolutions: [StoredLayer], _ norms: [StoredLayer]) throws(NotVGGError) {
        var isVGG = true
        if case .channels = rows { isVGG = false }
        var channels = convolutions[0].inputs
        for convolution in convolutions {
            guard convolution.outputs > 0, !isVGG || convolution.shape[2...] == [3, 3] else {
                throw NotVGGError(
                    "\(convolution.fileName) has the shape \(convolution.shape); a VGG's kernels are 3×3")
            }
            guard convolution.inputs == channels else {
                throw NotVGGError(
                    "\(convolution.fileName) has the shape \(convolution.shape) after \(channels) channels")
            }
            channels = convolution.outputs
        }
        guard norms.isEmpty || !isVGG || norms.count == convolutions.count else {
            throw NotVGGError("\(norms.count) of \(convolutions.count) convolutions have batch norm")
        }
    }
}

extension ConvArch {
    /// The rows with the convolutions' channels.
    fileprivate func matched(to convolutions: [StoredLayer]) throws(NotVGGError) -> ConvArch {
        let (wanted, found) = (channels, convolutions.map(\.outputs))
        guard wanted.count == found.count else {
            throw NotVGGError("it has \(found.count) convolutions, not the \(wanted.count) of \(self)")
        }
        let divisor = max(wanted[0] / max(found[0], 1), 1)
        guard let rows = divided(by: divisor), rows.channels == found else {
            let index = wanted.indices.first { wanted[$0] != found[$0] * divisor } ?? 0
            throw NotVGGError(
                "\(convolutions[index].fileName) makes \(found[index]) channels, which do not fit \(self)")
        }
        return rows
    }
}
