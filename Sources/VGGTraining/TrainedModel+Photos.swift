import VGGData
import VGGFiles
import VGGImages
import VGGModel

/// How photos are prepared for the weights, and what the classes are called.
extension TrainedModel {
    /// What the weight file says; for weights trained on a data set, what the training did; nil if neither is
    /// known.
    public var preprocessing: Preprocessing? {
        guard let stored else { return nil }
        if let preprocessing = stored.preprocessing { return preprocessing }
        guard stored.data != nil else { return nil }
        switch stored.model.inChannels {
        case 1: return try? .plain(stored.size, channels: .grey)
        case 3: return try? .plain(stored.size)
        default: return nil
        }
    }

    /// What `preprocessing` says; where nothing is known, at the size of the network ImageNet's for three input
    /// channels, and for one 0…1.
    /// - Throws: `PreprocessingError` if that size is out of range.
    public func preprocessing(channels: Int) throws(PreprocessingError) -> Preprocessing {
        if let preprocessing { return preprocessing }
        let size = stored?.size ?? 224
        return try channels == 1 ? .plain(size, channels: .grey) : .imageNet.resized(to: size)
    }

    /// The classes' names that the weight file has, or those of the data set of its training, if it is known.
    public var classNames: [String]? { stored?.labels ?? stored?.data.flatMap(DatasetStore.classNames) }

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
        let all = data.train.joined(with: data.test)
        let photos = try run?.readPhotos()
        if let photos, isRuns || photos.areMost(of: all) {
            let (found, gone) = all.selecting(photos.test)
            guard found.count > 0 else {
                throw FileError(
                    data.folder,
                    "holds none of the \(photos.test.count) photos that the run tested itself on; if they are elsewhere, "
                        + "name their folder: --data folder:PATH")
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

extension ModelSpecification {
    /// Whether so many names can be those of its classes: one for each output; of a single output, which a sigmoid
    /// makes the probability of a class, its name alone, or before it that of the other class.
    public func canName(_ count: Int) -> Bool { count == classes || classes == 1 && count == 2 }
}
