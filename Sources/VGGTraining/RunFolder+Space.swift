import Foundation
import VGGFiles
import VGGInference
import VGGModel

extension RunFolder {
    /// What the numbers of a network take in the run folder's files, in bytes; their headers and the figures are small
    /// beside them.
    package struct SavedBytes {
        package var model: Int
        package var checkpoint: Int

        /// - Parameter others: numbers that a checkpoint has beside the weights.
        package init(_ network: Network, beside others: Int) {
            let numbers = network.parameters.reduce(0) { $0 + $1.shape.reduce(1, *) }
            model = numbers * MemoryLayout<Float>.size
            checkpoint = model + others * MemoryLayout<Float>.size
        }
    }

    /// Finds out before the training whether it could be saved: with the old checkpoint beside the new one until that is
    /// whole.
    /// - Parameter free: bytes that the disk has left; nil if they are not known.
    /// - Throws: `FileError` if that is more than the disk has left.
    package func checkSpace(for saved: SavedBytes, free: Int?) throws(FileError) {
        guard let free else { return }
        let small = 1 << 18
        let there = isNumbered ? 0 : sizeOfFile(modelPath) + sizeOfFile(checkpointPath)
        let needed = max(0, saved.model + 2 * saved.checkpoint - there) + small
        guard needed > free else { return }
        // What is needed is rounded up, what there is down.
        func text(_ bytes: Int, up: Int) -> String {
            bytes < 10_000_000
                ? "\((bytes + 999 * up) / 1000) kB" : "\((bytes + 999_999 * up) / 1_000_000) MB"
        }
        throw FileError(
            path,
            "saving this training takes \(text(needed, up: 1)), and the disk has \(text(free, up: 0)) left; free some, or "
                + "choose a \(Setting.folder) elsewhere")
    }
}
