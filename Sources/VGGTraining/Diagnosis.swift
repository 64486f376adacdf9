import Foundation
import VGGModel

/// What is wrong with a training, in words, with what to try.
public struct Diagnosis: Hashable, Sendable, Codable, CustomStringConvertible {
    public enum Problem: String, Sendable, Codable {
        /// The loss became infinite or not a number: the training cannot go on.
        case diverged
        /// The loss is still that of guessing: the training goes on.
        case atChance
    }

    public var problem: Problem
    /// The epoch, from 1.
    public var epoch: Int
    /// Steps done over the whole run.
    public var step: Int
    public var message: String
    public var advice: [String]

    public var description: String { "\(message); try \(advice.joined(separator: ", or "))" }

    /// A loss or weights that are no longer finite numbers.
    static func diverged(
        epoch: Int, step: Int, what: String, configuration: TrainingConfiguration
    ) -> Diagnosis {
        let rate = configuration.optimizer.learningRate
        var advice = ["a lower --lr (it is \(rate); try \(rate / 10))"]
        if !configuration.model.hasBatchNorm { advice.append("batch norm (--arch vgg11_bn)") }
        if configuration.optimizer.momentum > 0 { advice.append("less --momentum") }
        return Diagnosis(
            problem: .diverged, epoch: epoch, step: step,
            message: "the training diverged in epoch \(epoch), step \(step): \(what)", advice: advice)
    }

    /// The diagnosis of an epoch whose mean training loss is that of guessing, ln(classes); else nil.
    ///
    /// A network that has learnt anything at all is well below it: guessing costs ln(10) = 2.303 with ten
    /// classes and is right once in ten.
    static func atChance(_ epoch: EpochMetrics, configuration: TrainingConfiguration) -> Diagnosis? {
        let classes = Double(configuration.model.classes)
        guard classes > 1, epoch.trainLoss > 0.97 * log(classes), epoch.testAcc < 2 / classes else {
            return nil
        }
        var advice = [
            "more epochs", "another --lr (it is \(configuration.optimizer.learningRate))",
        ]
        if !configuration.model.hasBatchNorm { advice.append("batch norm (--arch vgg11_bn)") }
        return Diagnosis(
            problem: .atChance, epoch: epoch.epoch, step: epoch.step,
            message: String(
                format:
                    "after epoch %d the loss is %.3f, that of guessing among %d classes (%.3f): nothing is learnt yet",
                epoch.epoch, epoch.trainLoss, configuration.model.classes, log(classes)),
            advice: advice)
    }
}

extension ModelSpecification {
    var hasBatchNorm: Bool { arch.hasSuffix("_bn") }
}
