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

    /// The classes' names that the weight file has, or those of the data set of its training, if it is known.
    public var classNames: [String]? { stored?.labels ?? stored?.data.flatMap(DatasetStore.classNames) }
}
