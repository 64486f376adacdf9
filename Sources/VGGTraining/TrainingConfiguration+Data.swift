import VGGData
import VGGEngine
import VGGImages
import VGGInference
import VGGModel

extension TrainingConfiguration {
    /// Whether the data are a folder of photos.
    public var hasPhotos: Bool { data == DatasetStore.photoFolder }

    /// What the data are called: of a folder of photos, its name.
    public var dataName: String {
        guard hasPhotos, let name = dataDirectory?.split(separator: "/").last else { return data }
        return String(name)
    }

    /// Which training images are kept for validation, if `validationSplit` says so and is a share.
    public var validation: ValidationSplit? {
        guard let share = validationSplit, share > 0, share < 1 else { return nil }
        return ValidationSplit(share: share, seed: seed)
    }

    /// The configuration with what photos decide where it does not: how they are prepared, and their classes. Data in
    /// memory are prepared only if the configuration says how.
    /// - Throws: `TrainingError.dataMismatch` if the data set has other classes, or the images cannot be prepared for
    ///   the model.
    func completed(for dataset: ImageDataset) throws -> TrainingConfiguration {
        guard dataset.hasPhotos || preprocessing != nil else { return self }
        func mismatch(_ reason: String) -> TrainingError { .dataMismatch(data: dataset.name, reason: reason) }

        if dataset.hasPhotos, let labels, labels != dataset.classNames {
            throw mismatch("its classes are not those of the run")
        }
        guard [1, 3].contains(model.inChannels) else {
            throw mismatch(
                "photos have 3 channels, or 1 as grey, not \(model.inChannels); use \(Setting.inChannels) 3")
        }
        let prepared = try (preprocessing ?? .plain(size, channels: model.inChannels == 1 ? .grey : .rgb))
            .resized(to: size)
        guard prepared.channels.count == model.inChannels else {
            throw mismatch(
                "its images are prepared with \(prepared.channels.count) channels; "
                    + "use \(Setting.inChannels) \(prepared.channels.count), or \(Setting.preprocessing) plain"
            )
        }
        var result = self
        if dataset.hasPhotos { result.labels = dataset.classNames }
        result.preprocessing = prepared
        return result
    }

    /// The optimiser with the rates of a step of the run, counted from 0.
    /// - Parameters:
    ///   - plateau: what the rate has come to, where it has a memory.
    ///   - headPlateau: the same of the head's own rate; where there is none, as in runs of earlier versions, that follows in
    ///     proportion.
    package func optimizer(
        at step: Int, stepsPerEpoch: Int, plateau: PlateauRate? = nil, headPlateau: PlateauRate? = nil
    ) -> Optimizer {
        guard let schedule else { return optimizer }
        func rate(_ rate: Float, _ plateau: Double?) -> Float {
            Float(
                plateau
                    ?? schedule.schedule(rate: rate, epochs: epochs, stepsPerEpoch: stepsPerEpoch).rate(
                        at: step))
        }
        var result = optimizer
        result.learningRate = rate(optimizer.learningRate, plateau?.rate)
        result.headLearningRate = optimizer.headLearningRate.map { head in
            let inProportion = plateau.map { $0.rate * Double(head) / Double(optimizer.learningRate) }
            return rate(head, headPlateau?.rate ?? inProportion)
        }
        return result
    }

    /// Bytes that a training on so many images stores beside what every one does: all gradients where they are clipped or added
    /// up, and then their sum and the batches of a step.
    func bytesOfGradients(_ plan: Plan, batchSize: Int, images: Int) -> Int {
        let all = plan.trainedParameterCount * MemoryLayout<Float>.stride
        let adds = (gradAccumSteps ?? 1) > 1
        let waiting = min(((gradAccumSteps ?? 1) - 1) * batchSize, images)
        return (adds || clipGrad != nil ? all : 0) + (adds ? all : 0)
            + waiting * plan.network.input.count * MemoryLayout<Float>.stride
    }

    /// How the data set's images become the network's input.
    func preparation(of dataset: ImageDataset) -> Preparation {
        preprocessing.map(dataset.preparation)
            ?? Preparation(stretchingTo: size, size, channels: dataset.channels)
    }
}

extension StoredModel {
    /// What the configuration trains.
    public init(_ configuration: TrainingConfiguration) {
        self.init(
            model: configuration.model, size: configuration.size, data: configuration.data,
            precision: configuration.precision,
            labels: configuration.labels ?? DatasetStore.classNames(of: configuration.data),
            preprocessing: configuration.preprocessing)
    }
}
