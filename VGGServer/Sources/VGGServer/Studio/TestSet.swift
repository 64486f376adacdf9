import Foundation
import VGGData
import VGGFiles
import VGGImages
import VGGInference
import VGGModel
import VGGPictures
import VGGTraining

/// The images that a model is tested on, which must be on this machine: the studio fetches nothing.
struct TestSet: Sendable {
    let images: ImageDataset
    let preparation: Preparation
    private let preprocessing: Preprocessing

    /// - Throws: `APIError` if the model does not say what it was trained on, or its data are not here.
    init(_ model: TrainedModel, preprocessing: Preprocessing) throws {
        guard let name = model.stored?.data else {
            throw APIError(.notFound, "the model does not say what data it was trained on")
        }
        let run = try RunData(of: model)
        let whole = try Self.load(name, from: run.directory)
        images = try run.testing(on: whole, isRuns: run.directory != nil).data.test
        let classes = model.stored?.model.classes ?? 0
        guard images.count > 0, images.classNames.count == max(classes, 2) else {
            throw APIError(.notFound, "the data have other classes than the model")
        }
        self.preprocessing = preprocessing
        preparation = images.preparation(preprocessing)
    }

    private static func load(_ name: String, from folder: String?) throws -> DatasetSplits {
        let store = DatasetStore()
        let folders =
            folder.map { [$0] } ?? ["\(store.cacheFolder)/\(name)", "\(store.systemFolder)/\(name)"]
        for folder in folders where FileManager.default.fileExists(atPath: folder) {
            do {
                return try store.load(name, from: folder, checksPhotos: false)
            } catch {
                if folder == folders.last { throw APIError(.notFound, "\(error)") }
            }
        }
        throw APIError(
            .notFound, "the data set \(name) is not on this machine; 'vgg data \(name)' fetches it")
    }

    /// - Throws: `APIError` if there is no such image, or `FileError` if it cannot be read.
    func input(_ example: Int) throws -> ImageBatch {
        guard images.labels.indices.contains(example) else {
            throw APIError(.notFound, "there is no such image")
        }
        return try images.example(at: example, preparation)
    }

    /// The image as people see it.
    func picture(_ example: Int) throws -> RGBImage {
        guard images.labels.indices.contains(example) else {
            throw APIError(.notFound, "there is no such image")
        }
        let pixels = try images.images.pixels(at: example).with(channels: 3)
        let picture = RGBImage(width: pixels.width, height: pixels.height, pixels: Array(pixels.bytes))
        return images.hasPhotos ? preprocessing.crop(picture) : picture
    }

    func name(of example: Int) -> String { images.classNames[Int(images.labels[example])] }

    /// An image with what it is.
    func json(_ example: Int, _ more: [String: JSON] = [:]) throws -> JSON {
        var members = more
        members["example"] = .number(Double(example))
        members["picture"] = .string(try picture(example).dataAddress)
        members["actual"] = .string(name(of: example))
        return .object(members)
    }
}

extension RGBImage {
    /// The picture as an address that has it within itself.
    var dataAddress: String {
        var bitmap = Bitmap(width: width, height: height)
        for place in 0..<width * height {
            bitmap[place % width, place / width] = Colour(
                red: pixels[3 * place], green: pixels[3 * place + 1], blue: pixels[3 * place + 2])
        }
        return "data:image/png;base64,\(bitmap.pngData().base64EncodedString())"
    }
}
