import VGGInference
import VGGModel

/// Which weights of a training become its model.
public enum KeptWeights: String, Hashable, Sendable, Codable, CaseIterable {
    /// Those that the training ends with.
    case last
    /// Those of the epoch with the best accuracy in validation.
    case best
}

/// How a training chooses among its epochs. It looks at images that are kept for that, at the validation, and where a
/// folder of photos has none, at the test, which is then no test any more, and that is said.
extension TrainingConfiguration {
    /// Whether epochs are compared.
    var selects: Bool { keep == .best || patience != nil }

    /// Whether the training looks at an epoch's figures to decide anything.
    private var looksAtFigures: Bool { selects || schedule?.sched == .plateau }

    /// - Parameter isResumed: whether the run goes on, which can get no images for validation any more.
    /// - Throws: `TrainingError.invalidSetting` if epochs are compared, and there is nothing to compare them by.
    package func checkSelection(hasValidation: Bool, isResumed: Bool = false) throws(TrainingError) {
        // Whether a folder of photos has a part for validation, its names alone say.
        guard looksAtFigures, !hasValidation, !hasPhotos else { return }
        throw .invalidSetting(
            keep == .best ? .keep : patience != nil ? .patience : .sched,
            reason: (keep == .best ? "best " : patience != nil ? "" : "plateau ")
                + "needs images to choose by that are not tested on"
                + (isResumed
                    ? ", and the run keeps none; go on without, or start a new run with \(Setting.validationSplit) 0.1"
                    : ": \(Setting.validationSplit) 0.1 keeps a tenth of the training images for it"))
    }

    /// What somebody should know who chooses by the images that are tested on.
    var selectionRemark: String? {
        guard looksAtFigures else { return nil }
        return
            (selects ? "the epoch is chosen" : "the learning rate is chosen")
            + " by the photos that it is tested on: their accuracy is that of the best of several "
            + "tries, and too high for new photos; test the model on others, which had no say"
    }
}

extension EpochMetrics {
    /// The share of images classified right that epochs are compared by.
    public var selectionAcc: Double { valAcc ?? testAcc }
    /// The mean loss over the same images.
    public var selectionLoss: Double { valLoss ?? testLoss }

    /// Whether the epoch is the better one: it has the higher accuracy, or the same with a lower loss.
    package func isBetter(than other: EpochMetrics) -> Bool {
        selectionAcc > other.selectionAcc
            || selectionAcc == other.selectionAcc && selectionLoss < other.selectionLoss
    }
}

extension Trainer {
    /// Whether too many epochs have passed since the best one.
    var isOutOfPatience: Bool {
        guard let patience = configuration.patience, let best = state.best else { return false }
        return state.epoch - best.epoch >= patience
    }

    /// Whether the weights as they are now are the model: if the last are kept, they always are; else those of the best
    /// epoch, and before the first has ended any.
    var isModelNow: Bool {
        guard configuration.keep == .best, let best = state.best else { return true }
        return state.stepInEpoch == 0 && state.epoch == best.epoch
    }

    /// What the model says of itself.
    var modelEpoch: TrainedEpoch {
        // When patience ends a training, its last epoch is one that figures chose.
        let chosen =
            configuration.keep == .best ? state.best : isOutOfPatience ? state.lastEpoch : nil
        guard let chosen else { return TrainedEpoch(epoch: state.epoch, step: state.step) }
        return TrainedEpoch(
            epoch: chosen.epoch, step: chosen.step, chosenBy: chosen.valAcc == nil ? .testAcc : .valAcc,
            accuracy: chosen.selectionAcc)
    }
}
