import Testing
import VGGModel

/// The first layers of a network, for pictures of other sizes.
@Suite struct MapsTests {
    @Test func areTheSameLayersForAnotherSize() throws {
        var specification = ModelSpecification()
        (specification.arch, specification.inChannels) = ("vgg16_bn", 3)
        let whole = try specification.network(size: 224)
        let last = try whole.layerIndex(named: "relu4_1")
        let maps = try whole.maps(upTo: last, height: 100, width: 37)
        #expect(maps.layers.count == last + 1 && maps.output == .map(channels: 512, height: 12, width: 4))
        #expect(maps.parameters == Array(whole.parameters.prefix(maps.parameters.count)))
        #expect(maps.layers.map(\.name) == whole.layers.prefix(last + 1).map(\.name))
        #expect(maps.layers.map(\.layer) == whole.layers.prefix(last + 1).map(\.layer))
        #expect(maps.layerAliases.allSatisfy { whole.layerAliases[$0.key] == $0.value })
    }

    @Test func poolsMayAverage() throws {
        let whole = try vgg([(1, 4), (1, 8)], size: 16, inChannels: 1, classes: 3)
        let pool = try whole.layerIndex(named: "pool2")
        let maps = try whole.maps(upTo: pool, height: 9, width: 12, isAveraging: true)
        #expect(
            maps.layers.map(\.layer).filter { $0 == .averagePool(Pool(window: 2, stride: 2)) }.count == 2)
        #expect(maps.output == .map(channels: 8, height: 2, width: 3))
    }

    @Test func sayWhatWouldDo() throws {
        let whole = try vgg([(1, 4), (1, 8), (1, 8)], size: 16, inChannels: 1, classes: 3)
        let last = try whole.layerIndex(named: "pool3")
        #expect(throws: ModelError.pictureTooSmall(height: 7, width: 40, layer: "pool3", least: 8)) {
            try whole.maps(upTo: last, height: 7, width: 40)
        }
        #expect(try whole.maps(upTo: last, height: 8, width: 8).output.count == 8)
        #expect(throws: ModelError.noMaps("classifier.0")) {
            try whole.maps(upTo: whole.layerIndex(named: "fc4"), height: 16, width: 16)
        }
    }
}
