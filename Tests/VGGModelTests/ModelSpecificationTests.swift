import Foundation
import Testing
import VGGModel

@Suite struct ModelSpecificationTests {
    private func specification(_ change: (inout ModelSpecification) -> Void) -> ModelSpecification {
        var specification = ModelSpecification()
        change(&specification)
        return specification
    }

    private func message(size: Int = 224, _ change: (inout ModelSpecification) -> Void) -> String? {
        #expect(throws: ModelError.self) { try specification(change).network(size: size) }?.description
    }

    @Test func theDefaultIsTheChaptersVGG11() throws {
        let rows: ConvArch = [(1, 64), (1, 128), (2, 256), (2, 512), (2, 512)]
        #expect(try ModelSpecification().network(size: 224) == vgg(rows))
    }

    @Test func ownRowsReplaceThoseOfTheArchitecture() throws {
        let own = specification { $0.convArch = "1x8,3x10" }
        #expect(try own.network(size: 20) == vgg([(1, 8), (3, 10)], size: 20))
        let normalised = specification {
            $0.convArch = "1x8,3x10"
            $0.arch = "vgg16_bn"
        }
        #expect(try normalised.network(size: 20) == vgg([(1, 8), (3, 10)], size: 20, batchNorm: true))
    }

    @Test func widthDivisorDividesEveryConvolution() throws {
        let rows: ConvArch = [(1, 16), (1, 32), (2, 64), (2, 128), (2, 128)]
        #expect(try ModelSpecification.slimVGG11.network(size: 96) == vgg(rows, size: 96))
        let slim = specification {
            $0.arch = "alexnet"
            $0.widthDivisor = 32
        }
        let shapes = try slim.network(size: 224).parameters.filter { $0.name.hasPrefix("features") }.map(
            \.shape)
        let weights = [[3, 1, 11, 11], [8, 3, 5, 5], [12, 8, 3, 3], [12, 12, 3, 3], [8, 12, 3, 3]]
        #expect(shapes.filter { $0.count == 4 } == weights)
    }

    @Test func survivesJSON() throws {
        let original = specification {
            $0.arch = "vgg13_bn"
            $0.convArch = "2x4"
            $0.dropout = 0.125
        }
        let data = try JSONEncoder().encode(original)
        #expect(try JSONDecoder().decode(ModelSpecification.self, from: data) == original)
    }

    /// Runs' configurations and weight files that earlier versions wrote.
    @Test func readsWhatEarlierVersionsWrote() throws {
        func decoded(_ members: String) throws -> ModelSpecification {
            let text =
                #"{"arch":"vgg11","widthDivisor":4,"inChannels":1,"classes":10,"dropout":0.5"# + members + "}"
            return try JSONDecoder().decode(ModelSpecification.self, from: Data(text.utf8))
        }
        #expect(try decoded(#","adaptivePool":false"#) == .slimVGG11)
        let both = try decoded(#","adaptivePool":true,"hiddenFeatures":512"#)
        #expect(both.pool == 7 && both.hiddenFeatures == [512, 512])
        let new = try decoded(#","pool":1,"hiddenFeatures":[]"#)
        #expect(new.pool == 1 && new.hiddenFeatures == [])
        #expect(throws: DecodingError.self) { try decoded(#","hiddenFeatures":"512""#) }
    }

    @Test(arguments: [
        ("", "'' is neither CONVOLUTIONSxCHANNELS nor CHANNELS"),
        ("1x64,", "'' is neither CONVOLUTIONSxCHANNELS nor CHANNELS"),
        ("1x64+", "'' is neither CONVOLUTIONSxCHANNELS nor CHANNELS"),
        ("1x2x3", "'1x2x3' is neither CONVOLUTIONSxCHANNELS nor CHANNELS"),
        ("1x64;2x8", "'1x64;2x8' is neither CONVOLUTIONSxCHANNELS nor CHANNELS"),
        ("ax64", "'ax64' is neither CONVOLUTIONSxCHANNELS nor CHANNELS"),
        ("x64", "'x64' is neither CONVOLUTIONSxCHANNELS nor CHANNELS"),
        (
            "1x99999999999999999999",
            "'1x99999999999999999999' is neither CONVOLUTIONSxCHANNELS nor CHANNELS"
        ),
        ("1x8193", "'1x8193' is out of range"), ("0x64", "'0x64' is out of range"),
        ("1x0", "'1x0' is out of range"), ("0", "'0' is out of range"),
        ("-1x8", "'-1x8' is out of range"), ("8+-8", "'-8' is out of range"),
        ("1x-8", "'1x-8' is out of range"), ("65x8", "'65x8' is out of range"),
        ("64x8+8", "'64x8+8' is more than 64 convolutions"),
    ]) func badRowsAreQuoted(_ text: String, _ reason: String) {
        #expect(throws: ModelError.invalidConvArch(text, reason: reason)) { try ConvArch(parsing: text) }
        #expect(
            message { $0.convArch = text }
                == "'\(text)' is not a convolution architecture such as 1x64,1x128,2x256 or 32+64,128: \(reason)"
        )
    }

    @Test(arguments: [
        ("1x64,12x128", [[64], Array(repeating: 128, count: 12)], "1x64,12x128"),
        ("32+128,128+384,384", [[32, 128], [128, 384], [384]], "32+128,128+384,1x384"),
        ("2x8+4,8+8", [[8, 8, 4], [8, 8]], "8+8+4,2x8"),
    ]) func rowsAreReadInOrder(_ text: String, _ blocks: [[Int]], _ written: String) throws {
        let rows = try ConvArch(parsing: text)
        #expect(rows.blocks == blocks && rows.description == written)
        #expect(try ConvArch(parsing: written) == rows)
    }

    @Test func convolutionsOfABlockMayDiffer() throws {
        let unequal = specification {
            $0.convArch = "8+16,16+32+4"
            $0.widthDivisor = 2
        }
        let convolutions = try unequal.network(size: 16).parameters.filter { $0.shape.count == 4 }
        #expect(
            convolutions.map { $0.shape.prefix(2) } == [[4, 1], [8, 4], [8, 8], [16, 8], [2, 16]])
        #expect(convolutions.map(\.name).last == "features.9.weight")
    }

    @Test func theClassifierIsAsLongAsAsked() throws {
        func network(_ change: (inout ModelSpecification) -> Void) throws -> Network {
            try specification {
                $0.convArch = "1x4,1x8"
                change(&$0)
            }.network(size: 24)
        }
        func linear(_ network: Network) -> [[Int]] {
            network.parameters.filter { $0.name.hasPrefix("classifier") && $0.shape.count == 2 }.map(\.shape)
        }
        #expect(try linear(network { $0.hiddenFeatures = [] }) == [[10, 288]])
        #expect(try linear(network { $0.hiddenFeatures = [20, 30] }) == [[20, 288], [30, 20], [10, 30]])
        #expect(
            try linear(
                network {
                    $0.hiddenFeatures = [16]
                    $0.pool = 1
                }) == [[16, 8], [10, 16]])
        let timms = try network {
            $0.hiddenFeatures = [16, 12]
            $0.classes = 0
        }
        #expect(linear(timms) == [[16, 288], [12, 16]] && timms.head == nil && timms.output == .vector(12))
        let features = try network {
            $0.hiddenFeatures = []
            $0.classes = 0
        }
        #expect(features.output == .map(channels: 8, height: 6, width: 6) && features.head == nil)
        #expect(try timms.withoutClassifier() == features && features.withoutClassifier() == features)
    }

    @Test func isCalledWhatItIs() {
        var specification = ModelSpecification()
        #expect(specification.name == "vgg11")
        specification.arch = "vgg16_bn"
        #expect(specification.name == "vgg16_bn")
        specification.convArch = "1x8,2x16"
        #expect(specification.name == "VGG 1x8,2x16 with batch norm")
        specification.arch = "vgg11"
        #expect(specification.name == "VGG 1x8,2x16")
    }

    @Test(arguments: ["vgg1", "VGG11", "", "vgg11_bn_bn", "_bn", "alexnet_bn"])
    func anUnknownArchitectureListsTheKnown(_ name: String) {
        #expect(throws: ModelError.unknownArchitecture(name)) { try Architecture(named: name) }
        #expect(
            message { $0.arch = name }
                == "there is no architecture '\(name)'; choose one of "
                + "\(Architecture.allNames.joined(separator: ", ")), or give `convArch`")
        #expect(Architecture.allNames.contains("vgg11") && Architecture.allNames.last == "alexnet")
    }

    @Test func aDivisorThatDoesNotDivideNamesTheChannels() {
        #expect(message { $0.widthDivisor = 3 } == "`widthDivisor` 3 does not divide 64 channels")
        #expect(
            message {
                $0.arch = "alexnet"
                $0.widthDivisor = 64
            } == "`widthDivisor` 64 does not divide 96, 256 and 384 channels")
        #expect(
            message {
                $0.convArch = "1x8,1x12"
                $0.widthDivisor = 8
            } == "`widthDivisor` 8 does not divide 12 channels")
    }

    @Test(arguments: [1.0, -0.1, 2, .nan, .infinity]) func dropoutIsAProbabilityBelowOne(_ dropout: Double) {
        #expect(
            message { $0.dropout = dropout } == "`dropout` must be at least 0 and less than 1, not \(dropout)"
        )
    }

    @Test(arguments: [0, -1, Int.max, Int.min]) func numbersOutOfRangeNameTheirOption(_ value: Int) {
        #expect(message(size: value) { _ in }?.hasPrefix("`size` must be between 1 and ") == true)
        #expect(
            message { $0.widthDivisor = value }?.hasPrefix("`widthDivisor` must be between 1 and ") == true)
        #expect(message { $0.inChannels = value }?.hasPrefix("`inChannels` must be between 1 and ") == true)
        #expect(message { $0.pool = value }?.hasPrefix("`pool` must be between 1 and ") == true)
        #expect(
            message { $0.hiddenFeatures = [8, value] }?.hasPrefix("`hiddenFeatures` must be between 1 and ")
                == true)
        guard value != 0 else { return }
        #expect(message { $0.classes = value }?.hasPrefix("`classes` must be between 0 and ") == true)
    }

    @Test func veryLargeNetworksAreStillCounted() throws {
        let large = specification {
            $0.convArch = "64x8192,64x8192"
            $0.inChannels = 8192
        }
        let network = try large.network(size: 8192)
        let pixels = 8192 * 8192
        let features = 8192 * pixels / 16
        #expect(
            network.multiplyAccumulates
                == 64 * 9 * pixels * (pixels + pixels / 4) + 4096 * (features + 4096 + 10))
    }

    @Test func alexNetTakesNoOptionsOfVGG() {
        #expect(
            message {
                $0.arch = "alexnet"
                $0.pool = 7
            } == "`pool` is for VGG, not for alexnet")
        #expect(
            message {
                $0.arch = "alexnet"
                $0.hiddenFeatures = []
            } == "`hiddenFeatures` is for VGG, not for alexnet")
        #expect(
            message {
                $0.arch = "alexnet"
                $0.convArch = "1x8"
            } == "`convArch` is for VGG, not for alexnet")
    }
}
