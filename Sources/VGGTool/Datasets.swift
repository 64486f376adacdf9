import VGGKit

/// Data sets for the commands, with the progress of a fetch on standard error.
enum Datasets {
    /// - Parameter isRemembered: whether it is a run that says which folder it is, and not the command line.
    static func load(
        _ name: String, from folder: String?, isRemembered: Bool = false, validation: ValidationSplit? = nil,
        classNames: ClassNames? = nil,
        checksPhotos: Bool = true
    ) throws -> DatasetSplits {
        guard isRemembered, let folder else {
            return try load(name, from: folder, validation, classNames, checksPhotos)
        }
        guard FileKind(at: folder) != nil else {
            throw FileError(
                folder, "the run's data are no longer there; say where they are now: --data-dir FOLDER")
        }
        do {
            return try load(name, from: folder, validation, classNames, checksPhotos)
        } catch {
            // An empty place to mount a disk at, another folder of the same name, …
            throw Misplaced(problem: "\(error)")
        }
    }

    /// What is wrong with a folder that a run remembers.
    private struct Misplaced: Error, CustomStringConvertible {
        let problem: String
        var description: String {
            "\(problem); or, if the run's data are elsewhere now, say where: --data-dir FOLDER"
        }
    }

    private static func load(
        _ name: String, from folder: String?, _ validation: ValidationSplit?, _ classNames: ClassNames?,
        _ checksPhotos: Bool
    ) throws -> DatasetSplits {
        var bar = Console.isTerminal ? ProgressBar() : nil
        var shown: String?
        defer { bar?.clear() }
        let splits = try DatasetStore().load(
            name, from: folder, validation: validation, classNames: classNames, checksPhotos: checksPhotos
        ) { progress in
            if shown != progress.file {
                bar?.clear()
                Console.error("fetching \(progress.file)")
            }
            shown = progress.file
            guard bar?.isDue() == true else { return }
            bar?.draw(
                "fetching", progress.bytesTotal.map { Double(progress.bytesDone) / Double(max($0, 1)) },
                [ReadableNumber.bytes(progress.bytesDone)])
        }
        for remark in splits.remarks { Console.note(remark) }
        return splits
    }
}
