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
