import ArgumentParser
import Foundation
import VGGKit

/// A data set as the command line names it: a name, or a name and the folder that holds it, `folder:photos/birds`.
struct DataName: ExpressibleByArgument {
    var name: String
    /// An absolute path.
    var folder: String?

    /// nil for a name without its path, as a shell leaves of `folder:$UNSET`.
    init?(argument: String) {
        let parts = argument.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.allSatisfy({ !$0.isEmpty }) else { return nil }
        self.init(
            name: DatasetStore.name(of: String(parts[0])),
            folder: parts.count == 2 ? Self.absolute(String(parts[1])) : nil)
    }

    init(name: String, folder: String? = nil) {
        self.name = name
        self.folder = folder
    }

    var defaultValueDescription: String { name }

    /// A run may be gone on with, or tested, from another folder. Shells leave a `~` after a colon as it is.
    static func absolute(_ path: String) -> String {
        FileName.absolute(HomeFolder.expandingTilde(path))
    }

    /// What there is to say about `--data` and `--data-dir`.
    static let help = """
        \(DatasetStore.knownNames.joined(separator: ", ")); or folder:PATH, JPEG, PNG and WebP photos with one \
        sub-folder a class, or such folders in PATH/train and PATH/val (or valid, validation, dev, test; with val and test, epochs are \
        chosen by val). NAME:PATH, such as cifar10:PATH, \
        says where the files are.
        """
}
