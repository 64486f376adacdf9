import Foundation
import VGGKit

/// Seconds of training on a few images of 16×16, grey as Fashion-MNIST is.
let greyTraining = """
    train --conv-arch 1x8,1x16 --width-divisor 2 --size 16 --batch-size 32 --epochs 1 --train-limit 64 \
    --test-limit 64 --precision fp32 --run-dir run
    """

extension ToolTests {
    /// Writes a test image of Fashion-MNIST as a photo.
    func writeTestImage(_ index: Int, to name: String) throws {
        let images = try DatasetStore().load("fashion-mnist").test.images.pixels(at: index)
        let pixels = Array(images.bytes)
        var bitmap = Bitmap(width: images.width, height: images.height)
        for y in 0..<images.height {
            for x in 0..<images.width {
                let grey = pixels[y * images.width + x]
                bitmap[x, y] = Colour(red: grey, green: grey, blue: grey)
            }
        }
        let url = folder.url(name)
        try FileManager.default.createDirectory(
            at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try bitmap.pngData().write(to: url)
    }
}
