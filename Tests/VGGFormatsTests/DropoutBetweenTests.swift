import Testing
import VGGFormats
import VGGModel

/// Convolutions in one Sequential, whose numbers say what stands between them but not what it is: a network is read as
/// what it is, or refused; never as another one.
@Suite struct DropoutBetweenTests {
    /// The layers of a Sequential in a row: numbers are convolutions and their channels, `b` batch norms, `p` pools,
    /// and anything else has no tensors: `r` for ReLU, `d` for dropout.
    struct Sequential: CustomTestStringConvertible {
        let layers: [String]
        var testDescription: String { layers.joined(separator: " ") }

        init(_ text: String) { layers = text.split(separator: " ").map(String.init) }

        /// - Parameter dropout: after which convolutions it stands: block, number in it, and whether it is the last.
        init(_ rows: ConvArch, batchNorm: Bool, dropout: (Int, Int, Bool) -> Bool) {
            layers = rows.blocks.enumerated().flatMap { block, widths in
                widths.enumerated().flatMap { number, channels in
                    ["\(channels)"] + (batchNorm ? ["b"] : []) + ["r"]
                        + (dropout(block, number, number == widths.count - 1) ? ["d"] : [])
                } + ["p"]
            }
        }

        /// What it is.
        var rows: ConvArch {
            ConvArch(
                layers.split(separator: "p").map { block in block.compactMap { Int($0) } })
        }

        /// As a state dictionary has it, with a classifier if it has so many inputs for every channel.
        func tensors(classifier extent: Int? = 1, unit: Bool = false) -> NamedTensors {
            var tensors = NamedTensors()
            var (channels, place, units) = (3, 0, -1)
            for layer in layers {
                // In units of convolution, batch norm and ReLU only these units, pools and dropout are counted.
                if let outputs = Int(layer) {
                    units += 1
                    let name = unit ? "features.\(units).conv" : "features.\(place)"
                    tensors["\(name).weight"] = Tensor(zeros: [outputs, channels, 3, 3])
                    tensors["\(name).bias"] = Tensor(zeros: [outputs])
                    channels = outputs
                } else if layer == "b" {
                    let name = unit ? "features.\(units).bn" : "features.\(place)"
                    for tensor in ["weight", "bias", "running_mean", "running_var"] {
                        tensors["\(name).\(tensor)"] = Tensor(zeros: [channels])
                    }
                } else if layer != "r" {
                    units += 1
                }
                place += 1
            }
            if let extent {
                tensors["classifier.weight"] = Tensor(zeros: [5, channels * extent * extent])
                tensors["classifier.bias"] = Tensor(zeros: [5])
            }
            return tensors
        }
    }

    static let depths: [ConvArch] = [
        [(1, 4), (1, 8), (2, 16), (2, 32), (2, 32)], [(2, 4), (2, 8), (2, 16), (2, 32), (2, 32)],
        [(2, 4), (2, 8), (3, 16), (3, 32), (3, 32)], [(2, 4), (2, 8), (4, 16), (4, 32), (4, 32)],
    ]

    /// The paper's depths as torchvision numbers them are read whatever their widths, and the features alone wherever
    /// they are cut.
    @Test(arguments: depths, [false, true]) func readsThePapersDepths(_ rows: ConvArch, batchNorm: Bool)
        throws
    {
        for widths in [[4, 8, 16, 32, 32], [8, 8, 8, 8, 8], [6, 6, 12, 12, 20], [16, 8, 8, 4, 4]] {
            let wide = ConvArch(zip(rows.blocks, widths).map { Array(repeating: $1, count: $0.count) })
            let network = Sequential(wide, batchNorm: batchNorm) { _, _, _ in false }
            for tensors in [
                network.tensors(), network.tensors(classifier: nil), network.tensors(unit: true),
            ] {
                #expect(try InferredModel(tensors).specification.rows == wide)
            }
        }
    }

    /// Other rows are read where every gap is a pool's.
    @Test(arguments: [
        "8 r p 16 r p 32 r p", "8 r 8 r p 16 r 16 r p", "8 r 8 r 8 r p 16 r p 8 r 8 r p",
        "8 b r p 16 b r p 32 b r p",
        "8 b r 8 b r 8 b r p 16 b r 16 b r p", "8 r 16 r p 24 r 32 r p",
    ]) func readsOtherRows(_ layers: String) throws {
        let network = Sequential(layers)
        for tensors in [network.tensors(), network.tensors(classifier: nil), network.tensors(classifier: 7)] {
            #expect(try InferredModel(tensors).specification.rows == network.rows)
        }
    }

    /// Where a known depth has other layers in the same way everywhere, its channels say where the pools are.
    @Test(arguments: depths, [false, true])
    func readsDropoutEverywhere(_ rows: ConvArch, batchNorm: Bool) throws {
        let network = Sequential(rows, batchNorm: batchNorm) { _, _, _ in true }
        #expect(try InferredModel(network.tensors()).specification.rows == rows)
        let last = Sequential(rows, batchNorm: batchNorm) { _, _, isLast in isLast }
        #expect(try InferredModel(last.tensors()).specification.rows == rows)
    }

    /// What could be pools or dropout is refused, and the way out that the error names is what the network is.
    @Test(arguments: [
        // After every convolution but the last of a block, in blocks of two and of three.
        "8 r d 8 r p 16 r d 16 r p", "8 r d 8 r d 8 r p 16 r d 16 r d 16 r p",
        "8 b r d 8 b r p 16 b r d 16 b r p",
        // After some: the first of each block, one of all, in the last block.
        "8 r d 8 r 8 r p 16 r d 16 r 16 r p", "8 r 8 r d 8 r p 16 r 16 r 16 r p",
        "8 r p 16 r 16 r p 32 r d 32 r p",
        "8 b r 8 b r p 16 b r d 16 b r 16 b r p", "8 r d 8 r d 8 r d 8 r p", "8 r d 8 r p",
        // As many convolutions as a known depth has, of other blocks.
        "8 r 8 r p 8 r d 8 r 8 r p 8 r d 8 r 8 r p", "4 r d 4 r p 8 r d 8 r p 16 r d 16 r p 32 r d 32 r p",
    ]) func refusesDropout(_ layers: String) throws {
        let network = Sequential(layers)
        for tensors in [
            network.tensors(), network.tensors(classifier: nil), network.tensors(classifier: 7),
            network.tensors(unit: true),
        ] {
            let error = try #require(throws: NotVGGError.self) { try InferredModel(tensors) }
            if Set(network.rows.channels).count > 1 && network.rows.channels != Array(repeating: 8, count: 8)
            {
                #expect(error.suggestion == network.rows, "\(error)")
            }
            let told = try InferredModel(tensors, convArch: network.rows)
            #expect(try told.specification.rows == network.rows)
        }
    }

    /// Pools without a change of channels look the same as dropout.
    @Test(arguments: ["8 r p 8 r p 16 r p", "8 r 8 r p 8 r 8 r p", "8 b r p 8 b r p 8 b r p"])
    func refusesPoolsBetweenEqualChannels(_ layers: String) throws {
        let network = Sequential(layers)
        let error = try #require(throws: NotVGGError.self) { try InferredModel(network.tensors()) }
        #expect(error.reason.hasPrefix("its names fit \(network.rows), and also "), "\(error)")
        #expect(
            try InferredModel(network.tensors(), convArch: network.rows).specification.rows == network.rows)
    }

    /// A known depth with dropout after some of its convolutions, wherever.
    @Test(arguments: depths, [false, true])
    func refusesDropoutInKnownDepths(_ rows: ConvArch, batchNorm: Bool) throws {
        let places: [(Int, Int, Bool) -> Bool] = [
            { _, number, isLast in number == 0 && !isLast }, { block, _, isLast in block == 4 && !isLast },
            { _, _, isLast in !isLast }, { block, _, isLast in block == 2 && isLast },
            { block, _, _ in block == 3 },
        ]
        for dropout in places {
            let network = Sequential(rows, batchNorm: batchNorm, dropout: dropout)
            for tensors in [network.tensors(), network.tensors(classifier: nil), network.tensors(unit: true)]
            {
                do throws(NotVGGError) {
                    // Only what would halve the images more often than any VGG can be nothing else.
                    let model = try InferredModel(tensors)
                    let read = try? model.specification.rows
                    #expect(read == rows && dropout(0, 0, false) && rows.channels.count > 12, "\(network)")
                } catch { #expect(error.suggestion == rows, "\(error)") }
                #expect(try InferredModel(tensors, convArch: rows).specification.rows == rows)
            }
        }
    }

    /// Any rows with dropout anywhere: what is read is what it is, unless it stands exactly as the paper's pools do.
    @Test func readsNoOtherNetwork() throws {
        var generator = SplitMix(state: 7)
        var (read, refused) = (0, 0)
        for _ in 0..<2_000 {
            let blocks = Int.random(in: 1...5, using: &generator)
            var width = 4
            let rows = ConvArch(
                (0..<blocks).map { _ in
                    defer { width *= Int.random(in: 1...2, using: &generator) }
                    return Array(repeating: width, count: Int.random(in: 1...4, using: &generator))
                })
            let chance = Int.random(in: 0...3, using: &generator)
            let random = (0..<20).map { _ in Int.random(in: 0..<4, using: &generator) < chance }
            let network = Sequential(rows, batchNorm: Bool.random(using: &generator)) { block, number, _ in
                random[4 * block + number]
            }
            guard let model = try? InferredModel(network.tensors()) else {
                refused += 1
                continue
            }
            read += 1
            let found = try #require(try model.specification.rows)
            #expect(
                found == rows || Self.depths.contains { $0.blocks.map(\.count) == found.blocks.map(\.count) },
                "\(network.testDescription) was read as \(found)")
        }
        #expect(read > 200 && refused > 200)
    }
}

private struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
