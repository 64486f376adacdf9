import Foundation
import VGGCPU
import VGGData
import VGGEngine
import VGGFormats
import VGGInference
import VGGModel
import VGGTestSupport
import VGGTraining

extension TemporaryFolder {
    func run(_ name: String) -> RunFolder { RunFolder("\(path)/\(name)") }
}

/// Images of 8×8 pixels that are told apart by which of their columns is bright, under noise.
func stripes(count: Int) -> ImageDataset {
    let random = Philox(seed: 7, stream: .shuffle)
    var pixels: [UInt8] = []
    for image in 0..<count {
        for pixel in 0..<64 {
            let noise = UInt8(random.word(sequence: UInt32(image), element: pixel) % 100)
            pixels.append(noise + (pixel % 8 == image % 4 ? 150 : 0))
        }
    }
    return ImageDataset(
        name: "stripes", height: 8, width: 8, pixels: pixels, labels: (0..<count).map { UInt8($0 % 4) },
        classNames: ["first", "second", "third", "fourth"])
}

/// Two small blocks with batch norm, with everything on that has a state: dropout, momentum, shuffling.
func smallConfiguration() -> TrainingConfiguration {
    var configuration = TrainingConfiguration()
    configuration.model.arch = "vgg11_bn"
    configuration.model.convArch = "1x4,1x8"
    configuration.model.widthDivisor = 1
    configuration.model.classes = 4
    configuration.data = "stripes"
    configuration.size = 8
    configuration.epochs = 2
    configuration.batchSize = 8
    configuration.optimizer.momentum = 0.9
    configuration.optimizer.nesterov = true
    configuration.optimizer.weightDecay = 1e-4
    configuration.optimizer.learningRate = 0.01
    configuration.seed = 5
    configuration.device = "cpu"
    return configuration
}

/// A warm-up and a cosine.
func changingSchedule() -> ScheduleSettings {
    var schedule = ScheduleSettings()
    (schedule.sched, schedule.warmupEpochs, schedule.warmupLr) = (.cosine, 1, 0.001)
    return schedule
}

/// Everything that can be done to training pictures at once.
func everyAugmentation() -> AugmentationSettings {
    var augmentation = AugmentationSettings()
    (augmentation.cropPadding, augmentation.vflip, augmentation.alternatingFlip) = (1, 0.1, true)
    (augmentation.colorJitter, augmentation.autoAugment) = ([0.4, 0.4, 0.4, 0.1], .trivialAugmentWide)
    (augmentation.reprob, augmentation.remode, augmentation.recount) = (0.5, .pixel, 2)
    return augmentation
}

/// Mixup and cutmix, in the first epoch only.
func someMixing() -> MixingSettings {
    var mixing = MixingSettings()
    (mixing.mixup, mixing.cutmix, mixing.mixupMode, mixing.mixupOffEpoch) = (0.4, 1, .pair, 1)
    return mixing
}

func trainer(
    _ configuration: TrainingConfiguration, folder: RunFolder? = nil, resuming: Bool = false,
    threads: Int = 2,
    device: Device? = nil
) throws -> Trainer {
    // 44 is not a multiple of the batch size: the last batch of an epoch has 4 examples.
    try Trainer(
        TrainingSetup(
            configuration, training: stripes(count: 44), test: stripes(count: 20),
            // A rate that follows figures has images of its own to take them of.
            validation: configuration.schedule?.sched == .plateau ? stripes(count: 12) : nil,
            device: device ?? .cpu(threads: threads), folder: folder, resuming: resuming))
}

extension RunFolder {
    /// Weights and momentum, to the bit.
    func tensors() throws -> NamedTensors { try Safetensors(contentsOf: checkpointPath).tensors }

    func bytes(_ path: KeyPath<RunFolder, String>) throws -> Data {
        try Data(contentsOf: URL(fileURLWithPath: self[keyPath: path]))
    }
}
