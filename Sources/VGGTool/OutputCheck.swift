import Foundation
import VGGKit

/// Whether a file may be replaced by what a command writes.
enum OutputCheck {
    /// - Parameter inputs: what the command reads.
    /// - Throws: `FileError` if it cannot be replaced, or if something would be lost by it: what is read, or a run's weights.
    static func check(_ output: String, reading inputs: [String]) throws(FileError) {
        let folder = RunFolder(output.parentFolder)
        if folder.holdsRun,
            [folder.modelPath, folder.checkpointPath].contains(where: { isSameFile($0, output) })
        {
            throw FileError(output, "belongs to the run in that folder; write to another file")
        }
        // Which of many photos it may be is asked only where there is a file.
        if FileKind(at: output) != nil, inputs.contains(where: { isSameFile($0, output) }) {
            throw FileError(output, "is the file that is read; write to another file")
        }
        try AtomicFile.checkReplaceable(output)
    }
}
