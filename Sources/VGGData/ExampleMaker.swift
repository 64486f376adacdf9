import VGGFiles
import VGGImages

/// Makes the images of a data set at one size; any number of threads may use it.
struct ExampleMaker: Sendable {
    private enum Source: Sendable {
        case stored(StoredImages, Resampler)
        case prepared(StoredImages, Preprocessing)
        case files(PhotoFiles)
    }

    private let source: Source
    /// How many numbers an image has.
    let count: Int

    /// - Precondition: what is prepared is so for this size.
    init(_ dataset: ImageDataset, height: Int, width: Int) {
        if let size = dataset.preprocessing?.size {
            precondition(
                size == height && height == width,
                "the images are prepared for \(size), not \(height)×\(width) pixels")
        }
        switch dataset.images {
        case .stored(let images):
            if let preprocessing = images.preprocessing {
                source = .prepared(images, preprocessing)
                break
            }
            source = .stored(
                images,
                Resampler(
                    height: images.height, width: images.width, toHeight: height, width: width,
                    channels: images.channels))
        case .files(let photos): source = .files(photos)
        }
        count = height * width * dataset.channels
    }

    /// Writes the image `index`: `[height, width, channels]`.
    /// - Throws: `FileError` if it is a file that cannot be read.
    func write(_ index: Int, to image: UnsafeMutableBufferPointer<Float>) throws(FileError) {
        switch source {
        case .stored(let images, let resampler):
            withUnsafeTemporaryAllocation(of: UInt8.self, capacity: count) { resized in
                images.pixels(at: index).withUnsafeBufferPointer { resampler.resize($0, into: resized) }
                for pixel in 0..<count { image[pixel] = unitInterval(resized[pixel]) }
            }
        case .prepared(let images, let preprocessing): preprocessing.write(images.photo(at: index), to: image)
        case .files(let photos): try photos.write(index, to: image)
        }
    }
}

/// A byte as a value in 0...1: a division, like torchvision's `ToTensor`, not a product with the rounded 1/255.
@inline(__always)
private func unitInterval(_ byte: UInt8) -> Float { Float(byte) / 255 }
