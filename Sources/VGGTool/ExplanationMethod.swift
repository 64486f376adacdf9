import ArgumentParser
import VGGKit

/// A way to explain what a network sees in a photo.
enum ExplanationMethod: Hashable {
    /// Where the network looks.
    case gradCAM
    /// How much each pixel speaks for the class.
    case attribution(Attribution)
    /// What the network finds most like the class; has nothing to do with the photo.
    case classModel

    static let all = [.gradCAM] + Attribution.allCases.map(Self.attribution) + [.classModel]

    var name: String {
        switch self {
        case .gradCAM: "grad-cam"
        case .attribution(let attribution): attribution.rawValue
        case .classModel: "class-model"
        }
    }

    /// Of all that there are.
    static var names: String { all.map(\.name).joined(separator: ", ") }

    /// One or more names, separated by commas, each once.
    struct List {
        let methods: [ExplanationMethod]

        init(_ methods: [ExplanationMethod]) { self.methods = methods }

        /// - Throws: a validation error that says which there are.
        init(option argument: String) throws {
            let names = argument.split(separator: ",", omittingEmptySubsequences: false)
            let methods = names.compactMap { name in ExplanationMethod.all.first { $0.name == name } }
            guard methods.count == names.count, Set(methods).count == methods.count else {
                throw ValidationError("must be \(ExplanationMethod.names), or several with commas, each once")
            }
            self.methods = methods
        }
    }
}

/// What a method makes of a photo, and how it is drawn.
struct Explanation {
    let method: ExplanationMethod
    /// Of Grad-CAM, whose maps were explained.
    var layer: String?
    /// [height, width], not scaled; of a class model what the channels have in the mean.
    let map: Tensor
    let picture: Bitmap

    /// - Parameters:
    ///   - map: [height, width], no number negative.
    ///   - photo: what the network sees of it.
    init(_ method: ExplanationMethod, layer: String? = nil, _ map: Tensor, over photo: RGBImage) {
        self.method = method
        self.layer = layer
        self.map = map
        picture = Heatmap(map).drawn(over: photo)
    }

    /// - Parameter classModel: as the network takes it, [channels, height, width].
    init(_ classModel: Tensor, _ preprocessing: Preprocessing) {
        method = .classModel
        let (channels, height, width) = (
            classModel.shape[0], classModel.shape[1], classModel.shape[2]
        )
        let values = Array(classModel.values)
        map = Tensor(
            shape: [height, width],
            values: (0..<height * width).map { pixel in
                (0..<channels).reduce(0) { $0 + values[$1 * height * width + pixel] / Float(channels) }
            })
        // Its numbers know no bounds: the least becomes black, the largest white.
        let colours = (0..<channels).flatMap { channel in
            values[channel * height * width..<(channel + 1) * height * width].map {
                Double($0) * Double(preprocessing.std[channel]) + Double(preprocessing.mean[channel])
            }
        }
        let (least, largest) = (colours.min() ?? 0, colours.max() ?? 0)
        var bitmap = Bitmap(width: width, height: height)
        let order = channels == 1 ? [0, 0, 0] : preprocessing.channels == .bgr ? [2, 1, 0] : [0, 1, 2]
        for y in 0..<height {
            for x in 0..<width {
                let bytes = order.map { channel -> UInt8 in
                    let value = colours[(channel * height + y) * width + x]
                    return largest > least ? UInt8(255 * (value - least) / (largest - least)) : 128
                }
                bitmap[x, y] = Colour(red: bytes[0], green: bytes[1], blue: bytes[2])
            }
        }
        picture = bitmap
    }
}

extension Explanation {
    /// Several side by side, after what the network sees.
    static func sheet(of explanations: [Explanation], beside photo: RGBImage) -> Bitmap {
        let seen = ContactSheet.Item(
            pixels: photo.pixels, width: photo.width, height: photo.height, channels: 3, caption: "photo")
        let items = explanations.map { explanation in
            ContactSheet.Item(
                pixels: explanation.picture.bytes, width: explanation.picture.width,
                height: explanation.picture.height, channels: 3, caption: explanation.method.name)
        }
        return ContactSheet(
            [seen] + items, columns: min(items.count + 1, 4), scale: max(1, 160 / max(photo.width, 1))
        ).bitmap()
    }
}
