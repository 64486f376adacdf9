import Foundation
import Testing
import VGGFiles
import VGGModel
import VGGTraining

@Suite struct ConfigurationTests {
    @Test func isTheChaptersExperimentByDefault() throws {
        let configuration = TrainingConfiguration()
        #expect(configuration == Preset.chapter.configuration)
        #expect(configuration.data == "fashion-mnist")
        #expect(try configuration.model.network(size: configuration.size).parameterCount == 43_093_322)
        #expect(configuration.epochs == 10 && configuration.batchSize == 128)
        #expect(configuration.optimizer.learningRate == 0.05 && configuration.optimizer.momentum == 0)
    }

    @Test(arguments: Preset.allCases) func presetsAreValid(_ preset: Preset) throws {
        try preset.configuration.validate()
    }

    @Test func survivesAsJSON() throws {
        var configuration = smallConfiguration()
        configuration.seed = .max
        configuration.optimizer.learningRate = 0.1
        configuration.maxSteps = 12
        configuration.initialWeights = "a/\"b\".safetensors"
        let text = try JSONText.pretty(configuration)
        #expect(try JSONText.decode(TrainingConfiguration.self, from: text) == configuration)
        #expect(text.contains("\"learning_rate\" : 0.1"))
    }

    @Test func doublesSurviveAsJSON() throws {
        for value in [0.1 + 0.2, .pi * 1e-300, .leastNonzeroMagnitude, .greatestFiniteMagnitude, 1 / 3] {
            #expect(try JSONText.decode([Double].self, from: JSONText.line([value])) == [value])
        }
    }

    typealias Change = @Sendable (inout TrainingConfiguration) -> Void
    static let mistakes: [(String, Change)] = [
        ("`epochs`", { $0.epochs = 0 }), ("`batchSize`", { $0.batchSize = -1 }),
        ("`learningRate`", { $0.optimizer.learningRate = 0 }),
        ("`learningRate`", { $0.optimizer.learningRate = .nan }),
        ("`momentum`", { $0.optimizer.momentum = 1 }), ("`nesterov`", { $0.optimizer.momentum = 0 }),
        ("`weightDecay`", { $0.optimizer.weightDecay = -1 }), ("`trainLimit`", { $0.trainLimit = 0 }),
        ("`testLimit`", { $0.testLimit = 0 }), ("`maxSteps`", { $0.maxSteps = 0 }),
        ("`epochs`", { $0.epochs = 1_000_001 }), ("`batchSize`", { $0.batchSize = 65537 }),
        ("`trainLimit`", { $0.trainLimit = .max }), ("`testLimit`", { $0.testLimit = .max }),
        ("`maxSteps`", { $0.maxSteps = .max }), ("`size`", { $0.size = .max }),
        ("`size`", { $0.size = 0 }), ("`classes`", { $0.model.classes = 0 }),
        ("`dropout`", { $0.model.dropout = 1 }), ("`widthDivisor`", { $0.model.widthDivisor = 3 }),
    ]

    @Test(arguments: mistakes)
    func namesTheOptionAtFault(_ option: String, _ spoil: Change) {
        var configuration = smallConfiguration()
        spoil(&configuration)
        let error = #expect(throws: (any Error).self) { try configuration.validate() }
        #expect(error.map { "\($0)".hasPrefix("\(option) ") } == true)
    }

    @Test func onlySomeOptionsMayChange() {
        let stored = smallConfiguration()
        var other = stored
        other.epochs = 7
        other.maxSteps = 3
        other.dataDirectory = "elsewhere"
        #expect(stored.conflicts(with: other) == [])
        other.optimizer.learningRate = 0.5
        other.trainLimit = 9
        #expect(
            stored.conflicts(with: other) == [
                SettingConflict(setting: .learningRate, stored: "0.01", given: "0.5"),
                SettingConflict(setting: .trainLimit, stored: "none", given: "9"),
            ])
    }
}
