import VGGData
import VGGFiles
import VGGInference
import VGGModel

/// What the run that weights come from knows of its data; of weights without a run nothing.
public struct RunData: Sendable {
    /// Where the run found its data; nil for the usual places.
    public let directory: String?
    /// Whether the run leaves out photos that cannot be read.
    public let skipsBroken: Bool
    /// Which photos of that folder the run tested itself on; nil if the folder says so.
    public let validation: ValidationSplit?
    private let photos: RunPhotos?

    /// - Throws: `FileError` if the run's files cannot be understood.
    public init(of model: TrainedModel) throws {
        let configuration: TrainingConfiguration?
        do {
            configuration = try model.run?.readConfiguration()
        } catch let error as FileError {
            throw FileError(
                error.path, "\(error.reason); what its weights are is also in \(model.path.shellWord)")
        }
        directory = configuration?.dataDirectory
        skipsBroken = configuration?.skipBroken == true
        validation = configuration?.validation
        photos = try model.run?.readPhotos()
    }

    /// The same data, with the photos to test on for testing: those that the run tested itself on, if this is its folder,
    /// wherever that is now; else those that the folder has for it; else all. Data in memory stay as they are.
    /// - Parameters:
    ///   - data: loaded without a split for validation.
    ///   - isRuns: whether the folder is that of the run for certain; else its photos' names tell.
    /// - Returns: the data, which photos that the run tested itself on are gone, and how many of other data have names of
    ///   photos that it trained on.
    /// - Throws: `FileError` if the run's folder has none of them.
    public func testing(
        on data: DatasetSplits, isRuns: Bool
    ) throws(FileError) -> (data: DatasetSplits, gone: [String], trained: Int) {
        guard data.train.hasPhotos else { return (data, [], 0) }
        let halves = data.train.joined(with: data.test)
        let all = data.validation.map(halves.joined) ?? halves
        if let photos, isRuns || photos.areMost(of: all) {
            let (found, gone) = all.selecting(photos.test)
            guard found.count > 0 else {
                throw FileError(
                    data.folder,
                    "holds none of the \(photos.test.count) photos that the run tested itself on; if they are elsewhere, "
                        + "name their folder: \(Setting.data) folder:PATH")
            }
            return (data.testing(on: found, .run), gone, 0)
        }
        // A run that keeps no list of its photos: which they were follows from the split.
        let others =
            if data.test.count > 0 {
                data
            } else if photos == nil, let validation {
                data.testing(keptBy: validation)
            } else {
                data.testingAll
            }
        return (others, [], others.test.selecting(photos?.train ?? []).found.count)
    }
}

extension TrainedModel {
    /// The classes' names that the weight file has, else those of the data set that it was trained on; nil if neither is
    /// known.
    public var knownClassNames: [String]? { classNames ?? stored?.data.flatMap(DatasetStore.classNames) }
}
