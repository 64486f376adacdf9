import Foundation
import Testing
import VGGCPU
import VGGEngine
import VGGFormats
import VGGImages
import VGGModel
import VGGPerception

/// What Scripts/goldens/perception.py wrote.
struct PerceptionGolden {
    /// VGG-16 with a sixteenth of the channels, or VGG-11 with batch norm; of a size that no picture here has.
    let network: Network
    let weights: [String: Tensor]
    private let tensors: [String: Tensor]

    /// - Parameter network: `vgg16`, `vgg11_bn` or `classifier`.
    init(_ name: String = "vgg16") throws {
        let url = try #require(
            Bundle.module.url(forResource: "Goldens/perception", withExtension: "safetensors"))
        let tensors = try Safetensors(contentsOf: url.path).tensors.dictionary
        self.tensors = tensors
        weights = Dictionary(
            uniqueKeysWithValues: tensors.filter { $0.key.hasPrefix("\(name)/weights/") }.map {
                (String($0.key.dropFirst(name.count + 9)), $0.value)
            })
        if name == "classifier" {
            network = try Network(
                input: .map(channels: 3, height: 40, width: 56),
                blocks: [
                    vggBlock(1, 3, 6), .single(.flatten), .single(.linear(Linear(6 * 20 * 28, 5))),
                ])
        } else {
            let depths = name == "vgg16" ? [2, 2, 3, 3, 3] : [1, 1, 2, 2, 2]
            network = try vgg(
                ConvArch(zip(depths, [4, 8, 16, 32, 32]).map { Array(repeating: $1, count: $0) }), size: 64,
                inChannels: 3, classes: 0, batchNorm: name == "vgg11_bn", hiddenFeatures: [])
        }
    }

    func tensor(_ name: String) throws -> Tensor { try #require(tensors[name]) }

    /// A picture that was stored as bytes.
    func picture(_ name: String, at index: Int? = nil) throws -> RGBImage {
        let tensor = try tensor(name)
        let shape = tensor.shape.suffix(3)
        let count = shape.reduce(1, *)
        let bytes = tensor.values.map { UInt8($0) }
        return RGBImage(
            width: shape[shape.startIndex + 1], height: shape[shape.startIndex],
            pixels: Array(bytes[(index ?? 0) * count..<((index ?? 0) + 1) * count]))
    }

    static var linear: String {
        get throws {
            try #require(Bundle.module.url(forResource: "Goldens/linear", withExtension: "pth")).path
        }
    }
}

/// Every kernel table of the processor.
let processors = InstructionSet.allAvailable.map { Device.cpu(threads: 2, instructionSet: $0) }
