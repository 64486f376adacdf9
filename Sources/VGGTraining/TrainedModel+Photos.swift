import VGGData
import VGGImages

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

    /// What `preprocessing` says; where nothing is known, ImageNet's for three input channels, and for one 0…1 at
    /// the network's own size.
    /// - Throws: `PreprocessingError` if that size is out of range.
    public func preprocessing(channels: Int) throws(PreprocessingError) -> Preprocessing {
        if let preprocessing { return preprocessing }
        return channels == 1 ? try .plain(stored?.size ?? 224, channels: .grey) : .imageNet
    }

    /// The classes' names that the weight file has, or those of the data set of its training, if it is known.
    public var classNames: [String]? { stored?.labels ?? stored?.data.flatMap(DatasetStore.classNames) }
}
