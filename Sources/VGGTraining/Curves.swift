import Foundation
import VGGFiles
import VGGInference
import VGGPictures

extension LineChart {
    /// Training loss, training accuracy and test accuracy over epochs, in the colours of d2l's `Animator`, and where
    /// there is a validation its accuracy.
    public init(_ metrics: [MetricsRecord], title: String, epochs: Int) {
        var loss: [Point] = []
        var trainAcc: [Point] = []
        var testAcc: [Point] = []
        var valAcc: [Point] = []
        for record in metrics {
            switch record {
            case .step(let step):
                loss.append(Point(step.epochs, step.trainLoss))
                trainAcc.append(Point(step.epochs, step.trainAcc))
            case .epoch(let epoch):
                loss.append(Point(Double(epoch.epoch), epoch.trainLoss))
                trainAcc.append(Point(Double(epoch.epoch), epoch.trainAcc))
                testAcc.append(Point(Double(epoch.epoch), epoch.testAcc))
                if let acc = epoch.valAcc { valAcc.append(Point(Double(epoch.epoch), acc)) }
            }
        }
        self.init(
            title: title, xLabel: "epoch", xRange: 0...Double(max(1, epochs)),
            series: [
                Series("train loss", colour: .blue, points: loss),
                Series("train acc", colour: .magenta, dash: .dashed, points: trainAcc),
                Series("test acc", colour: .green, dash: .dashDot, points: testAcc),
            ] + (valAcc.isEmpty ? [] : [Series("val acc", colour: .orange, dash: .dotted, points: valAcc)]))
    }
}

extension LineChart {
    /// The smoothed loss over the learning rate as far as it did not diverge, and the rates that are suggested.
    public init(_ test: LearningRateTest, title: String) {
        let shown = test.points.dropLast(test.diverged ? 1 : 0)
        let losses = shown.map(\.smoothedLoss)
        let (least, greatest) = (losses.min() ?? 0, losses.max() ?? 1)
        let rules = zip(LearningRateTest.Rule.allCases, [Colour.green, .orange]).compactMap { rule, colour in
            test.suggestion(by: rule).map { rate in
                Series(
                    rule.rawValue, colour: colour, dash: .dashed,
                    points: [Point(rate, least), Point(rate, greatest)])
            }
        }
        let loss = Series(
            "loss", colour: .blue, points: shown.map { Point($0.learningRate, $0.smoothedLoss) })
        let end = max(shown.last?.learningRate ?? 0, test.plan.rate(at: 1))
        self.init(
            title: title, xLabel: "learning rate", xRange: test.plan.least...end, series: [loss] + rules)
        hasLogarithmicX = true
    }
}

extension RunFolder {
    /// The run's curves so far.
    /// - Throws: what reading the run throws.
    public func curves() throws -> LineChart {
        curves(try readMetrics(), try readConfiguration())
    }

    /// The chart of these figures.
    package func curves(_ metrics: [MetricsRecord], _ configuration: TrainingConfiguration) -> LineChart {
        let size = configuration.size
        return LineChart(
            metrics, title: "\(configuration.model.name), \(configuration.dataName) at \(size)×\(size)",
            epochs: configuration.epochs)
    }

    /// Draws `curves.svg` and `curves.png`.
    func draw(_ curves: LineChart) throws {
        try AtomicFile.replace(curvesSVGPath, with: Data(curves.svg().utf8))
        try AtomicFile.replace(curvesPNGPath, with: curves.png())
    }
}
