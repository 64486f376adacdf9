/// What people choose for a network, its data and its training, as errors and advice name it.
///
/// In a text it stands as the name that it has in Swift, between backticks: "`widthDivisor` 3 does not divide 64
/// channels". A program may put its own name in that place; `vgg` puts its option, `--width-divisor`.
public enum Setting: String, CaseIterable, Sendable, CustomStringConvertible {
    // The network.
    case arch, convArch, widthDivisor, inChannels, classes, dropout, blockDropout, pool, hiddenFeatures, size
    // Weights.
    case initialWeights, weightsKey, initialization, freeze, naming
    // The data.
    case data, dataDirectory, validationSplit, skipBroken, preprocessing, trainLimit, testLimit
    // The training.
    case epochs, maxSteps, batchSize, seed, device, precision, noShuffle, learningRate, headLearningRate,
        momentum
    case nesterov, weightDecay, noNormDecay, smoothing, opt, dampening, optBetas, optEps
    case clipGrad, gradAccumSteps, bnBiasLrScale, classWeights
    // The average of its weights.
    case modelEma, modelEmaDecay, modelEmaWarmup
    // Its learning rate from step to step.
    case sched, warmupEpochs, warmupLr, minLr, decayEpochs, decayMilestones, decayRate, patienceEpochs
    // The test of learning rates.
    case lrFindRange, lrFindSteps
    // Which epoch it ends with.
    case keep, patience
    // What happens to its pictures.
    case cropPadding, scale, ratio, hflip, vflip, alternatingFlip, colorJitter, autoAugment, reprob, remode,
        recount
    // How they are mixed with each other.
    case mixup, cutmix, cutmixMinmax, mixupProb, mixupSwitchProb, mixupMode, mixupOffEpoch
    // The run.
    case folder, resuming, log

    public var description: String { "`\(rawValue)`" }
}
