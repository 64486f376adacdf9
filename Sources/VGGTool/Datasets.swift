import VGGKit

/// Data sets for the commands, with the progress of a fetch on standard error.
enum Datasets {
    static func load(
        _ name: String, from folder: String?, validation: ValidationSplit? = nil,
        classNames: ClassNames? = nil,
        checksPhotos: Bool = true
    ) throws -> DatasetSplits {
        let isTerminal = Console.isTerminal
        var shown: String?
        defer { if isTerminal, shown != nil { Console.write("\n") } }
        let splits = try DatasetStore().load(
            name, from: folder, validation: validation, classNames: classNames, checksPhotos: checksPhotos
        ) { progress in
            if isTerminal {
                if let shown, shown != progress.file { Console.write("\n") }
                let bar = progress.bytesTotal.map {
                    ProgressBar.bar(Double(progress.bytesDone) / Double(max($0, 1)), width: 30)
                }
                let size = Text.bytes(progress.bytesDone)
                Console.write("\rfetching \(progress.file) \(bar ?? "") \(size)\u{1B}[K")
            } else if shown != progress.file {
                Console.error("fetching \(progress.file)")
            }
            shown = progress.file
        }
        for remark in splits.remarks { Console.note(remark) }
        return splits
    }
}
