import VGGKit

/// Data sets for the commands, with the progress of a fetch on standard error.
enum Datasets {
    /// - Parameter isRemembered: whether it is a run that says which folder it is, and not the command line.
    static func load(
        _ name: String, from folder: String?, isRemembered: Bool = false, validation: ValidationSplit? = nil,
        classNames: ClassNames? = nil,
        checksPhotos: Bool = true
    ) throws -> DatasetSplits {
        if isRemembered, let folder, FileKind(at: folder) == nil {
            throw FileError(
                folder, "the run's data are no longer there; say where they are now: --data-dir FOLDER")
        }
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
                [Text.bytes(progress.bytesDone)])
        }
        for remark in splits.remarks { Console.note(remark) }
        return splits
    }
}
