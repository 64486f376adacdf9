import Foundation
import VGGInference
import VGGModel

/// What is wrong with a training, in words, with what to try.
public struct Diagnosis: Hashable, Sendable, Codable, CustomStringConvertible {
    /// What can go wrong.
    public enum Problem: String, Sendable, Codable {
        /// The loss became infinite or not a number: the training cannot go on.
        case diverged
        /// The loss is still that of guessing: the training goes on.
        case atChance
        /// The loss is far above that of guessing: the training goes on.
        case exploding
    }

    /// What is wrong.
    public var problem: Problem
    /// The epoch, from 1.
    public var epoch: Int
    /// Steps done over the whole run.
    public var step: Int
    /// What was seen, in a sentence.
    public var message: String
    /// What may help, each a phrase, the likeliest first.
    public var advice: [String]

    public var description: String { "\(message); \(whatToTry)" }

    var whatToTry: String { "try \(advice.joined(separator: ", or "))" }

    private static func lowerRate(_ rate: Float) -> String { String(format: "%g", rate / 10) }

    /// A loss or weights that are no longer finite numbers.
    /// - Parameter run: with the weights before; nil if there are none.
    static func diverged(
        epoch: Int, step: Int, what: String, of network: Network, configuration: TrainingConfiguration,
        run: RunFolder?
    ) -> Diagnosis {
        let rate = configuration.optimizer.learningRate
        let lower = lowerRate(rate)
        var advice = ["a lower \(Setting.learningRate) (it is \(rate); try \(lower))"]
        if !network.hasBatchNorm() { advice.append("batch norm (\(Setting.arch) vgg11_bn)") }
        if configuration.optimizer.momentum > 0 { advice.append("less \(Setting.momentum)") }
        let change = SettingConflict(setting: .learningRate, stored: "\(rate)", given: lower)
        if let run, run.lastTestIsFinite, let newRun = run.newRun(configuration, [change]) {
            advice.append("a new run from the last good weights: \(newRun)")
        }
        return Diagnosis(
            problem: .diverged, epoch: epoch, step: step,
            message: "the training diverged in epoch \(epoch), step \(step): \(what)", advice: advice)
    }

    /// The diagnosis of an epoch whose mean training loss is that of guessing, ln(classes), or far above it;
    /// else nil.
    ///
    /// A network that has learnt anything at all is well below it: guessing costs ln(10) = 2.303 with ten
    /// classes and is right once in ten.
    package static func afterEpoch(
        _ epoch: EpochMetrics, of network: Network, learningRate rate: Float
    ) -> Diagnosis? {
        let classes = network.output.count
        guard classes > 1 else { return nil }
        let chance = log(Double(classes))
        let problem: Problem
        var advice: [String]
        let verdict: String
        // The mean can be that high for a bad beginning alone; then the test at the end is better.
        if epoch.trainLoss > 1.5 * chance, !(epoch.testLoss <= chance) {
            problem = .exploding
            advice = ["a lower \(Setting.learningRate) (it is \(rate); try \(lowerRate(rate)))"]
            verdict = "far above that of guessing among %d classes (%.3f): it grows"
        } else if (0.97 * chance...1.05 * chance).contains(epoch.trainLoss),
            epoch.testAcc < 2 / Double(classes)
        {
            problem = .atChance
            advice = ["more epochs", "another \(Setting.learningRate) (it is \(rate))"]
            verdict = "that of guessing among %d classes (%.3f): nothing is learnt yet"
        } else {
            return nil
        }
        if !network.hasBatchNorm() { advice.append("batch norm (\(Setting.arch) vgg11_bn)") }
        return Diagnosis(
            problem: problem, epoch: epoch.epoch, step: epoch.step,
            message: String(
                format: "after epoch %d the loss is %.3f, " + verdict, epoch.epoch, epoch.trainLoss, classes,
                chance),
            advice: advice)
    }
}
