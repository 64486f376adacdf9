import Foundation
import Testing
import VGGCPU
import VGGData
import VGGEngine
import VGGFiles
import VGGImages
import VGGInference
import VGGModel
import VGGTestSupport
import VGGTraining

@Suite struct TrainingSetupTests {
    /// No VGG: a stride of two, an average pool, a dropout before a single linear layer.
    private func network(height: Int = 6, classes: Int = 4) throws -> Network {
        try Network(
            input: .map(channels: 1, height: height, width: 10),
            blocks: [
                .sequential([
                    .convolution(Convolution(1, 12, kernel: 5, stride: 2, padding: 2)), .relu,
                    .averagePool(Pool(window: 3, stride: 1)),
                ]),
                .sequential([.flatten, .dropout(0.1), .linear(Linear(12 * 3, classes))]),
            ])
    }

    private func setup(
        _ network: Network, _ preparation: Preparation, _ configuration: TrainingConfiguration
    ) throws -> TrainingSetup {
        try TrainingSetup(
            network, configuration, training: stripes(count: 44), test: stripes(count: 20),
            preparation: preparation, device: .cpu(threads: 2))
    }

    @Test func trainsANetworkThatNoSpecificationDescribes() throws {
        var configuration = smallConfiguration()
        configuration.epochs = 12
        let network = try network()
        let whole = Preparation(stretchingTo: 6, 10, channels: 1)
        let trainer = try Trainer(setup(network, whole, configuration))
        var start: TrainingStart?
        let summary = try trainer.run { event in
            if case .started(let found) = event { start = found }
        }
        #expect(start?.parameters == network.parameterCount && start?.runDirectory == nil)
        #expect(try #require(summary).testAcc > 0.8)
    }

    @Test func refusesWhatDoesNotFitANetwork() throws {
        let whole = Preparation(stretchingTo: 6, 10, channels: 1)
        let mistakes: [(Network, Preparation, String)] = [
            (try network(), Preparation(stretchingTo: 10, 6, channels: 1), "takes 1×6×10"),
            (try network(), Preparation(stretchingTo: 6, 10, channels: 3), "3 channels"),
            (try network(classes: 3), whole, "4 classes"),
            (try network().withoutClassifier(), whole, "no linear layer"),
        ]
        for (network, preparation, reason) in mistakes {
            let error = #expect(throws: TrainingError.self) {
                try setup(network, preparation, smallConfiguration())
            }
            #expect(try #require(error).description.contains(reason))
        }
    }

    /// Weights that hardly move are tested the same, whatever they were trained on.
    @Test func anAugmentationIsOfTheTrainingAlone() throws {
        var configuration = smallConfiguration()
        configuration.model.arch = "vgg11"
        configuration.optimizer.learningRate = 1e-30
        func figures(_ own: Augmentation?) throws -> EpochMetrics {
            var setup = try TrainingSetup(
                configuration, training: stripes(count: 44), test: stripes(count: 20),
                device: .cpu(threads: 2))
            if let own { setup.trainingPreparation.augmentation = own }
            var figures: EpochMetrics?
            _ = try Trainer(setup).run { event in
                if case .epoch(let found) = event { figures = figures ?? found }
            }
            return try #require(figures)
        }
        let plain = try figures(nil)
        let changed = try figures(Augmentation(erasing: RandomErasing(probability: 1)))
        #expect(plain.trainLoss != changed.trainLoss && plain.testLoss == changed.testLoss)
        // What the configuration says is the same augmentation.
        configuration.augmentation = AugmentationSettings()
        configuration.augmentation?.reprob = 1
        let said = try figures(nil)
        #expect(said.trainLoss == changed.trainLoss && said.testLoss == changed.testLoss)
    }

    /// Weights that have been read are not read again.
    @Test func takesWeightsThatHaveBeenRead() throws {
        let folder = try TemporaryFolder()
        let run = folder.run("run")
        _ = try trainer(smallConfiguration(), folder: run).run()
        var configuration = smallConfiguration()
        configuration.initialWeights = run.modelPath
        let weights = try TrainedModel(runOrWeights: run.modelPath)
        try FileManager.default.removeItem(atPath: run.path)
        func setup(_ weights: TrainedModel?) throws -> TrainingSetup {
            try TrainingSetup(
                configuration, training: stripes(count: 44), test: stripes(count: 20),
                device: .cpu(threads: 2), weights: weights)
        }
        #expect(throws: (any Error).self) { try setup(nil) }
        #expect(try #require(try Trainer(setup(weights)).run()).epochs == 2)
    }
}
