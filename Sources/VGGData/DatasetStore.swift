import Foundation
import VGGFiles

/// Finds data sets by name: in a given folder, in the user's cache, in the system's folder, or on the network.
public struct DatasetStore: Sendable {
    /// Where fetched sets are kept, each in a folder of its own name.
    public let cacheFolder: String
    /// Where Debian's packages put data sets, each in a folder of its own name.
    public let systemFolder: String
    let fetcher: DatasetFetcher

    /// The user's own store: the cache is `HomeFolder.cache`.
    public init() { self.init(cacheFolder: HomeFolder.cache) }

    package init(
        cacheFolder: String, systemFolder: String = "/usr/share/datasets",
        fetcher: DatasetFetcher = DatasetFetcher()
    ) {
        self.cacheFolder = cacheFolder
        self.systemFolder = systemFolder
        self.fetcher = fetcher
    }

    /// The name that stands for a folder of photos with one sub-folder a class.
    public static let photoFolder = "folder"

    /// The names of the data sets whose classes are known; sets of any other name have numbered classes.
    public static var knownNames: [String] { KnownDataset.all.map(\.name) }

    /// The name of a data set in the catalogue, however it is spelt (`EMNIST_letters` is `emnist-letters`); another name
    /// is left as it is.
    public static func name(of spelling: String) -> String {
        spelling.lowercased() == photoFolder ? photoFolder : KnownDataset.known(spelling)?.name ?? spelling
    }

    /// The classes of a data set that is known by name, in the order of their numbers; nil for another one.
    public static func classNames(of name: String) -> [String]? { KnownDataset.named(name).classNames }

    /// Loads the data set `name`: four IDX files, each compressed by gzip or not; `cifar10`: the six of its binary
    /// version; or `folder`: photos, which stay in their files.
    ///
    /// A `folder` that is given is the only place looked at, and its files need not be the published ones: a
    /// subset, or other data under the name of a known set, loads if it is valid (`isVerified` is then
    /// false). Else the set is searched for in the cache and in the system's folder, where a set with
    /// published checksums must match them, and if it does not, or is not there, is fetched into the cache.
    ///
    /// A folder of photos has one sub-folder a class, sorted by name, or such folders `train` and `val` (or `valid`,
    /// `validation`, `dev`, `test`; in any letter case). Its path, and the names in it, are text as `FileName` has it.
    /// The photos are prepared to 224 pixels unless `DatasetSplits.prepared` says otherwise.
    ///
    /// - Parameters:
    ///   - validation: which training images are kept for validation; of a folder that has no photos for testing, for
    ///     that. nil for none.
    ///   - classNames: of a folder of photos: the classes in the order of their numbers, among which its
    ///     sub-folders must be; nil for the names of these, of which there must be two.
    ///   - checksPhotos: whether to look at the first bytes of each photo (`ImageDataset.checkPhotos`).
    ///   - progress: told how a fetch goes on, from the calling thread.
    /// - Throws: `DatasetError` or `FileError`.
    public func load(
        _ name: String, from folder: String? = nil, validation: ValidationSplit? = nil,
        classNames: ClassNames? = nil, checksPhotos: Bool = true, progress: (FetchProgress) -> Void = { _ in }
    ) throws -> DatasetSplits {
        let name = Self.name(of: name)
        guard name == Self.photoFolder else {
            let splits = try loadStored(name, from: folder, progress)
            return validation.map(splits.keeping) ?? splits
        }
        guard let folder else { throw DatasetError.folderMissing(name: name) }
        return try PhotoFolder(folder).load(
            validation: validation, classNames: classNames, checksPhotos: checksPhotos)
    }

    /// The same for a data set that is read into memory.
    /// - Parameter name: as the catalogue has it.
    private func loadStored(
        _ name: String, from folder: String?, _ progress: (FetchProgress) -> Void
    ) throws -> DatasetSplits {
        if name == KnownDataset.cifar10 {
            guard let folder else { throw DatasetError.folderMissing(name: name) }
            return try CIFAR10(folder).load()
        }
        let known = KnownDataset.named(name)
        if let folder {
            guard FileManager.default.fileExists(atPath: folder) else {
                throw FileError(folder, "there is no such folder; give the one that holds the IDX files")
            }
            guard let files = try DatasetFiles(folder: folder, dataset: name) else {
                throw DatasetError.missingFiles(
                    folder: folder, missing: DatasetPart.allCases.map(\.rawValue))
            }
            return try files.load(as: known)
        }

        let cache = "\(cacheFolder)/\(name)"
        let searched = [cache, "\(systemFolder)/\(name)"]
        guard let publication = known.publication else {
            for folder in searched {
                if let files = try DatasetFiles(folder: folder, dataset: name) {
                    return try files.load(as: known)
                }
            }
            throw DatasetError.notFound(name: name, searched: searched)
        }

        for folder in searched {
            // Whatever is wrong with these files, fetching them again puts it right.
            let splits = try? DatasetFiles(folder: folder, dataset: name)?.load(as: known)
            if let splits, splits.isVerified { return splits }
        }
        do {
            try fetcher.fetch(publication, into: cache, progress: progress)
        } catch let failure as DatasetFetcher.Failure {
            throw DatasetError.fetchFailed(name: name, searched: searched, reasons: failure.reasons)
        }
        guard let files = try DatasetFiles(folder: cache, dataset: name) else {
            throw DatasetError.notFound(name: name, searched: [cache])
        }
        return try files.load(as: known)
    }
}
