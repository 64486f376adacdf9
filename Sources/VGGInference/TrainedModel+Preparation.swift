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

    /// The classes' names that the weight file has; nil if it has none.
    public var classNames: [String]? { stored?.labels }
}

extension ModelSpecification {
    /// Whether so many names can be those of its classes: one for each output; of a single output, which a sigmoid
    /// makes the probability of a class, its name alone, or before it that of the other class.
    public func canName(_ count: Int) -> Bool { count == classes || classes == 1 && count == 2 }
}
