import VGGDevices
import VGGEngine
import VGGImages
import VGGModel

/// Everything that decides what a training computes; what a run folder's `config.json` holds.
///
/// The defaults are the chapter's experiment: the slim VGG-11 on Fashion-MNIST at 224×224, ten epochs.
public struct TrainingConfiguration: Hashable, Sendable, Codable {
    /// Which network is trained.
    public var model = ModelSpecification.slimVGG11
    /// The data set's name in the catalogue.
    public var data = "fashion-mnist"
    /// A folder to look for the data in first; nil for the usual places.
    public var dataDirectory: String?
    /// The share of each class's training images that is kept for validation; of a folder of photos without any for
    /// testing, for that.
    public var validationSplit: Double?
    /// Whether photos that cannot be read are left out; nil for no: they end the training.
    public var skipBroken: Bool?
    /// How images become the network's input; nil for data in memory that are only resized and made 0…1, and before
    /// the data are known.
    public var preprocessing: Preprocessing?
    /// The classes of a folder of photos, in the order of their numbers; nil for data in memory, and before the data
    /// are known.
    public var labels: [String]?
    /// Images are resized to `size` × `size` pixels.
    public var size = 224
    /// How often every training example is seen.
    public var epochs = 10
    /// Images of a batch.
    public var batchSize = 128
    /// How parameters are updated, and by which rate.
    public var optimizer = Optimizer.usual(.sgd)
    /// The greatest norm of all gradients together, which longer ones are shortened to; nil for any.
    public var clipGrad: Float?
    /// How many batches an update is by, which is what a step is; nil for one.
    public var gradAccumSteps: Int?
    /// Decides the initial weights, the dropout masks and the order of the examples.
    public var seed: UInt64 = 0
    /// The name of the device that trains, which another may take the place of when a run goes on; nil before it is known,
    /// and of a run from before there was more than the CPU.
    public var device: String?
    /// By default what the best device of this machine is fastest in.
    public var precision = Precision.automatic
    /// Whether each epoch visits the training examples in an order of its own.
    public var shuffle = true
    /// Train on the first so many examples only.
    public var trainLimit: Int?
    /// Test on the first so many examples only.
    public var testLimit: Int?
    /// Stop after so many steps over the whole run, even within an epoch.
    public var maxSteps: Int?
    /// How random weights are drawn.
    public var initialization = Initialization.xavier
    /// A run folder or weight file to start from instead of random weights.
    public var initialWeights: String?
    /// Where in that file the weights are, as `WeightFile` takes it; nil for those with the most convolutions.
    public var initialWeightsKey: String?
    /// What is not trained; nil for nothing.
    public var freeze: FrozenPart?
    /// What all classes share alike of the target 1 of each example's own, in training; nil for nothing.
    public var smoothing: Float?
    /// How much each class counts in the loss; nil for all alike.
    public var classWeights: ClassWeights?
    /// How the learning rate changes; nil for a constant one.
    public var schedule: ScheduleSettings?
    /// How training pictures are changed; nil for not at all.
    public var augmentation: AugmentationSettings?
    /// How training pictures are mixed with each other; nil for not at all.
    public var mixing: MixingSettings?

    /// Which weights become the model; nil for the last.
    public var keep: KeptWeights?
    /// After how many epochs without a better one the training ends; nil for never.
    public var patience: Int?
    /// In which other forms the run keeps its figures; nil for none.
    public var log: [RunLog]?

    /// The chapter's experiment.
    public init() {}
}
