import VGGData
import VGGEngine
import VGGFiles
import VGGImages
import VGGInference
import VGGModel

/// A training with everything decided and checked: what is trained, where, on which images, prepared how, from which
/// weights, and where the run is kept. One `Trainer` does what it says.
///
///     let setup = try TrainingSetup(configuration, training: data.train, test: data.test, device: .best)
///     let summary = try Trainer(setup).run()
public struct TrainingSetup {
    /// What is trained; of photos, with how they are prepared and their classes. Where the network is given itself, the
    /// configuration's model and size are not used.
    public let configuration: TrainingConfiguration
    /// What is trained.
    public let network: Network
    /// Where.
    public let device: Device
    /// The examples that it trains on.
    public let training: ImageDataset
    /// Those that it tests on after each epoch.
    public let test: ImageDataset
    /// What epochs are compared by; nil for the test.
    public let validation: ImageDataset?
    /// How images become the network's input when it is trained, with the configuration's augmentation; here another has
    /// its place.
    public var trainingPreparation: Preparation
    /// The same when it is tested.
    public let testPreparation: Preparation
    /// Bytes that the training holds.
    public let memory: PlanMemory
    /// Where the run is kept; nil for nowhere.
    public let folder: RunFolder?
    /// What somebody should know about the photos and how epochs are chosen, a line each.
    public let remarks: [String]

    let plan: Plan
    /// How much each class counts in the loss; nil for all alike.
    let classWeights: [Float]?
    let photos: SettledPhotos
    /// What saved weights say of themselves. Only a VGG's can: its specification is what a run keeps.
    let stored: StoredModel?
    /// nil where the weights are random, or those of a checkpoint.
    var initialWeights: InitialWeights?
    /// Of a run that goes on.
    let lock: RunLock?
    /// Whether it goes on from a checkpoint; else from the weights that it was started with.
    let hasCheckpoint: Bool

    /// The training of a VGG.
    /// - Parameters:
    ///   - training, test, validation: the data; the configuration's limits are applied here. A run that goes on takes from
    ///     them, in any, the photos that it has had so far.
    ///   - folder: where to keep the run; nil to keep nothing.
    ///   - resuming: whether to go on with the run in `folder` rather than start one there.
    ///   - weights: the configuration's initial weights, if they have been read; nil to read them.
    ///   - ranks: how many processes share each batch out.
    /// - Throws: `TrainingError`, `ModelError`, `FileError` for photos that are gone or cannot be read, or what reading
    ///   the run and planning the network throw.
    public init(
        _ configuration: TrainingConfiguration, training: ImageDataset, test: ImageDataset,
        validation: ImageDataset? = nil, device: Device,
        folder: RunFolder? = nil, resuming: Bool = false, weights: TrainedModel? = nil, ranks: Int = 1
    ) throws {
        var configuration = try configuration.completed(for: training)
        try configuration.validate()
        configuration.device = device.name
        var lock: RunLock?
        if let folder, resuming {
            try folder.checkHoldsRun()
            lock = try RunLock(folder)
            folder.removePartialFiles()
        }
        let photos = try SettledPhotos(
            configuration, training: training, test: test, validation: validation,
            known: resuming ? folder?.readPhotos() : nil, of: folder, threads: device.threads)
        try self.init(
            configuration.model.network(size: configuration.size), configuration, photos,
            configuration.preparation(of: training), device, folder, lock, StoredModel(configuration),
            weights, ranks)
    }

    /// The training of a VGG together with a process that has the run, and from which this one gets its weights.
    /// - Parameters:
    ///   - configuration: that process's.
    ///   - training, test, validation: the data, as it has them.
    ///   - photos: of a run that goes on and has a list of its photos, this list.
    ///   - ranks: how many processes share each batch out.
    /// - Throws: as the other initialiser.
    public init(
        joining configuration: TrainingConfiguration, training: ImageDataset, test: ImageDataset,
        validation: ImageDataset?, photos: RunPhotos?, device: Device, ranks: Int
    ) throws {
        var configuration = try configuration.completed(for: training)
        configuration.device = device.name
        let photos = try SettledPhotos(
            configuration, training: training, test: test, validation: validation, known: photos, of: nil,
            threads: device.threads)
        try self.init(
            configuration.model.network(size: configuration.size), configuration, photos,
            configuration.preparation(of: training), device, nil, nil, nil, nil, ranks, getsWeights: true)
    }

    /// The training of any network that ends in a linear layer; there is no run folder for it, which says by a
    /// specification what it trains.
    /// - Parameters:
    ///   - configuration: all of it counts but the model and the size.
    ///   - preparation: to the network's input.
    /// - Throws: as the other initialiser.
    public init(
        _ network: Network, _ configuration: TrainingConfiguration, training: ImageDataset,
        test: ImageDataset, validation: ImageDataset? = nil, preparation: Preparation, device: Device
    ) throws {
        try configuration.validateSettings()
        let photos = try SettledPhotos(
            configuration, training: training, test: test, validation: validation, known: nil, of: nil,
            threads: device.threads)
        try self.init(network, configuration, photos, preparation, device, nil, nil, nil, nil, 1)
    }

    /// - Parameter getsWeights: whether the initial weights come from another process.
    private init(
        _ network: Network, _ configuration: TrainingConfiguration, _ photos: SettledPhotos,
        _ preparation: Preparation, _ device: Device, _ folder: RunFolder?, _ lock: RunLock?,
        _ stored: StoredModel?, _ weights: TrainedModel?, _ ranks: Int, getsWeights: Bool = false
    ) throws {
        training = photos.training.limited(to: configuration.trainLimit ?? .max)
        test = photos.test.limited(to: configuration.testLimit ?? .max)
        validation = photos.validation?.limited(to: configuration.testLimit ?? .max)
        try configuration.checkSelection(hasValidation: validation != nil, isResumed: lock != nil)
        for dataset in [training, test, validation].compactMap(\.self) {
            try network.check(dataset, preparation)
        }
        classWeights = try configuration.classWeights?.weights(of: training, outputs: network.output.count)
        let plan = try Plan(
            network, batchSize: (configuration.batchSize + ranks - 1) / ranks, mode: .training,
            precision: configuration.precision,
            frozenLayers: try configuration.freeze.map { try network.layerCount(of: $0) } ?? 0)
        let memory = device.memory(of: plan, optimizer: configuration.optimizer)
        let images = training.count
        try plan.checkFits(on: device, optimizer: configuration.optimizer) { batchSize in
            // What is saved is copied first.
            BatchLoader.bytes(of: network.input, batchSize: batchSize) + memory.parameters
                + memory.optimizerState
                + configuration.bytesOfGradients(plan, batchSize: batchSize, images: images)
        }
        if let folder {
            let optimizer = configuration.optimizer
            let average = optimizer.average == nil ? 0 : network.parameterCount
            try folder.checkSpace(
                for: RunFolder.SavedBytes(
                    network, beside: optimizer.stateCount * plan.trainedParameterCount + average),
                free: FreeDisk.bytes(at: folder.path))
        }
        var hasCheckpoint = false
        if let folder, lock != nil {
            try folder.checkCanGoOn(with: configuration)
            hasCheckpoint = folder.hasCheckpoint
            if !hasCheckpoint { try folder.checkNothingSaved(configuration) }
        }
        if let path = configuration.initialWeights, !hasCheckpoint, !getsWeights {
            let weights =
                try weights
                ?? TrainedModel(
                    runOrWeights: path, weightsKey: configuration.initialWeightsKey,
                    convArch: configuration.model.rows)
            initialWeights = try InitialWeights(weights, for: network, stored)
        }
        (self.configuration, self.network, self.device, self.photos) = (
            configuration, network, device, photos
        )
        (trainingPreparation, testPreparation) = (preparation, preparation)
        trainingPreparation.augmentation = configuration.augmentation?.augmentation
        self.plan = plan
        (self.memory, self.folder, self.lock, self.stored) = (memory, folder, lock, stored)
        self.hasCheckpoint = hasCheckpoint
        let remark = validation == nil ? configuration.selectionRemark : nil
        remarks = photos.remarks + (remark.map { [$0] } ?? [])
    }
}

extension Network {
    /// - Throws: `TrainingError.dataMismatch` if the network cannot take the images or has too few classes.
    func check(_ dataset: ImageDataset, _ preparation: Preparation) throws(TrainingError) {
        func mismatch(_ reason: String) -> TrainingError { .dataMismatch(data: dataset.name, reason: reason) }

        guard dataset.count > 0 else {
            throw mismatch(
                dataset.hasPhotos
                    ? "it has no photos for testing; use \(Setting.validationSplit) 0.2 (of two photos a class or more, one is kept), "
                        + "or share the class folders' photos out to class folders in two sub-folders, train and val"
                    : "it has no examples")
        }
        let channels = preparation.channels
        guard channels == input.dimensions[0] else {
            throw mismatch(
                "its images have \(channels) channel\(channels == 1 ? "" : "s"); use \(Setting.inChannels) \(channels)"
            )
        }
        guard dataset.channels == channels || [[1, 3], [3, 1]].contains([dataset.channels, channels]) else {
            throw mismatch(
                "its images have \(dataset.channels) channels, and they are prepared as \(channels)")
        }
        guard preparation.augmentation == nil || [1, 3].contains(channels) else {
            throw mismatch("only images of 1 or 3 channels are augmented, and these have \(channels)")
        }
        guard preparation.shape == input else {
            throw mismatch("its images are prepared as \(preparation.shape), and the network takes \(input)")
        }
        guard head != nil else {
            throw mismatch("it has classes, and the network ends in no linear layer that tells them apart")
        }
        // Labels that are only numbers may be fewer than they could be; folders are all there are.
        let count = dataset.classNames.count
        guard dataset.hasPhotos ? count == output.count : count <= output.count else {
            throw mismatch("it has \(count) class\(count == 1 ? "" : "es"); use \(Setting.classes) \(count)")
        }
    }
}
