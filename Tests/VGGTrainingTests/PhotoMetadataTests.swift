import Foundation
import Testing
import VGGFiles
import VGGFormats
import VGGImages
import VGGInference
import VGGModel
import VGGTraining

/// What weight files say about photos.
@Suite struct PhotoMetadataTests {
    private func model(_ metadata: [String: String]) throws -> TrainedModel {
        let url = FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString).safetensors")
        defer { try? FileManager.default.removeItem(at: url) }
        try Safetensors(metadata: metadata).write(to: url.path)
        return try TrainedModel(runOrWeights: url.path)
    }

    /// A run's weights on images of 32×32.
    private func stored(channels: Int, data: String) -> [String: String] {
        [
            "vgg.model": """
            {"data":"\(data)","size":32,"model":{"arch":"vgg11","width_divisor":1,"in_channels":\(channels),\
            "classes":10,"dropout":0.5,"adaptive_pool":false}}
            """
        ]
    }

    @Test func weightsOfARunSeeWhatTheRunSaw() throws {
        let grey = try model(stored(channels: 1, data: "fashion-mnist"))
        #expect(try grey.preprocessing == .plain(32, channels: .grey))
        #expect(grey.knownClassNames?.first == "t-shirt")
        let colour = try model(stored(channels: 3, data: "my-own"))
        #expect(try colour.preprocessing == .plain(32))
        #expect(colour.knownClassNames == nil)
        #expect(try model(stored(channels: 2, data: "my-own")).preprocessing == nil)
    }

    @Test func theFileHasTheLastWord() throws {
        let own = StoredModel(
            model: ModelSpecification(), size: 32, data: "fashion-mnist", labels: ["cat", "dog"],
            preprocessing: .caffe)
        let model = try model(["vgg.model": try JSONText.line(own)])
        #expect(model.preprocessing == .caffe)
        #expect(model.classNames == ["cat", "dog"])
    }

    /// A network for small pictures is prepared for as ImageNet's are, but at its own size.
    @Test func whatIsNotKnownIsTheUsual() throws {
        for (channels, expected) in [
            (3, try Preprocessing.imageNet.resized(to: 32)), (1, try .plain(32, channels: .grey)),
        ] {
            var metadata = stored(channels: channels, data: "x")
            metadata["vgg.model"] = metadata["vgg.model"]?.replacing(#""data":"x","#, with: "")
            let model = try model(metadata)
            #expect(model.preprocessing == nil)
            #expect(try model.preprocessing(channels: channels) == expected)
        }
    }

    @Test func aSingleOutputMayHaveTwoNames() {
        var specification = ModelSpecification()
        #expect(specification.canName(10) && !specification.canName(2) && !specification.canName(11))
        specification.classes = 1
        #expect(specification.canName(1) && specification.canName(2) && !specification.canName(3))
    }

    @Test func otherFilesSayNothing() throws {
        let model = try model(["format": "pt", "vgg.model": "{}"])
        #expect(model.preprocessing == nil && model.classNames == nil)
    }
}
