import VGGKit

/// Data sets for the commands, with the progress of a fetch on standard error.
enum Datasets {
    static func load(
        _ name: String, from folder: String?, validation: ValidationSplit? = nil,
        classNames: ClassNames? = nil,
        checksPhotos: Bool = true
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
                [Text.bytes(progress.bytesDone)])
        }
        for remark in splits.remarks { Console.note(remark) }
        return splits
    }
}
