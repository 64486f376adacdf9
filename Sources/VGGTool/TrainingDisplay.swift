import VGGKit

/// Shows a training to a person: lines on standard output and, on a terminal, the curves so far and a progress bar below
/// them.
struct TrainingDisplay {
    private let folder: RunFolder
    private let isResumed: Bool
    private var bar = Console.isTerminal ? ProgressBar() : nil
    private var chart: LiveChart?
    private let clock = ContinuousClock()
    private var start: TrainingStart?
    private var began = ContinuousClock().now
    /// When the last plain line about a step was printed.
    private var printed = ContinuousClock().now

    init(folder: RunFolder, isResumed: Bool) {
        self.folder = folder
        self.isResumed = isResumed
    }

    mutating func show(_ event: TrainingEvent) throws(OutputError) {
        switch event {
        case .started(let start):
            self.start = start
            began = clock.now
            printed = began
            try line(Self.introduction(start))
            if isResumed { try line(Self.resumption(start)) }
            chart = LiveChart(start.configuration, folder)
        case .step(let metrics):
            if metrics.isRecorded { try add(.step(metrics)) }
            try show(metrics)
        case .testing(let progress):
            if bar?.isDue() == true {
                bar?.draw(
                    "test \(progress.epoch)/\(start?.configuration.epochs ?? progress.epoch)",
                    Double(progress.examples) / Double(progress.testExamples),
                    ["\(progress.examples)/\(progress.testExamples)"])
            }
        case .epoch(let metrics):
            chart?.add(.epoch(metrics))
            try line(
                "epoch \(metrics.epoch)/\(start?.configuration.epochs ?? metrics.epoch): "
                    + "loss \(Text.fixed(metrics.trainLoss, 3)), train acc \(Text.fixed(metrics.trainAcc, 3)), "
                    + (metrics.valAcc.map { "val acc \(Text.fixed($0, 3)), " } ?? "")
                    + "test acc \(Text.fixed(metrics.testAcc, 3)), "
                    + "\(Text.fixed(metrics.examplesPerSec, 1)) examples/sec, \(Text.duration(metrics.seconds))"
                    + (metrics.waitedSeconds.map(Self.waits) ?? ""))
        case .checkpoint, .finished: break
        case .diagnosis(let diagnosis):
            bar?.clear()
            // The error that ends a diverged training says the same.
            guard diagnosis.problem != .diverged else { break }
            try chart?.remove()
            Console.error("warning: \(diagnosis)")
            try chart?.draw()
        case .interrupted(let written):
            try line(
                "stopped after step \(written.step) and saved; go on with: "
                    + folder.resumption)
        }
    }

    /// The curves and the figures that the chapter ends with.
    mutating func finish(_ summary: TrainingSummary) throws(OutputError) {
        bar?.clear()
        try chart?.remove()
        if let curves = try? folder.curves() {
            let width = min((Console.outputColumns ?? 80) - 1, 79)
            try Console.print(
                chart: curves.terminalText(width: width, height: 16, isColoured: Console.isColoured))
        }
        try Console.print("curves: \(folder.curvesPNGPath)")
        if let best = summary.best, let configuration = start?.configuration {
            let since = summary.epochs - best.epoch
            if summary.epochs < configuration.epochs, let patience = configuration.patience, since >= patience
            {
                try Console.print(
                    "stopped: \(Text.count(since, "epoch")) without a better one; to go on: "
                        + "\(folder.resumption) \(Setting.patience) \(2 * since)")
            }
            try Console.print(
                "\(configuration.keep == .best ? "kept" : "best"): epoch \(best.epoch), "
                    + (best.valAcc.map { "val acc \(Text.fixed($0, 3)), " } ?? "")
                    + "test acc \(Text.fixed(best.testAcc, 3))")
        }
        try Console.print(
            """
            loss \(Text.fixed(summary.trainLoss, 3)), train acc \(Text.fixed(summary.trainAcc, 3)), \
            test acc \(Text.fixed(summary.testAcc, 3))
            \(Text.fixed(summary.examplesPerSec, 1)) examples/sec on \(start?.configuration.device ?? "cpu") \
            (\(Text.fixed(summary.wallExamplesPerSec, 1)) by the wall clock)
            """)
    }

    /// Prints a line, above the chart if there is one.
    private mutating func line(_ text: String) throws(OutputError) {
        bar?.clear()
        try chart?.remove()
        try Console.print(text)
        try chart?.draw()
    }

    /// Adds figures to the chart, and draws it now and then.
    private mutating func add(_ record: MetricsRecord) throws(OutputError) {
        chart?.add(record)
        guard chart?.isDue == true else { return }
        bar?.clear()
        try chart?.draw()
    }

    /// How long processes waited for each other, and for whom.
    private static func waits(_ seconds: [Double]) -> String {
        guard let least = seconds.min(), let most = seconds.max(), let slowest = seconds.firstIndex(of: least)
        else { return "" }
        return "; waited \(Text.fixed(least, 1)) to \(Text.fixed(most, 1)) s"
            + (most > 2 * least + 1 ? ", for rank \(slowest)" : "")
    }

    private static func introduction(_ start: TrainingStart) -> String {
        let configuration = start.configuration
        var text = """
            \(configuration.model.name), \(ReadableNumber.grouped(start.parameters)) parameters, \
            on \(ReadableNumber.grouped(start.trainExamples)) images of \(configuration.dataName) \
            at \(configuration.size)×\(configuration.size), batches of \(configuration.batchSize), \
            \(ReadableNumber.bytes(start.memory.total)) of memory
            """
        if let ranks = start.ranks { text += "\non \(ranks) processes, each with its part of every batch" }
        if let weights = configuration.initialWeights { text += "\nstarts from \(weights)" }
        if let head = start.newHead {
            text +=
                "\nnew head: \(head.layer), for \(head.classes) classes"
                + (head.classesOfFile == 0 ? "" : " instead of \(head.classesOfFile)")
                + (head.classes == head.classesOfFile ? " others" : "")
        }
        if let freeze = configuration.freeze {
            text +=
                "\nfrozen: \(freeze.rawValue); \(ReadableNumber.grouped(start.trainedParameters)) parameters are trained"
        }
        if let folder = start.runDirectory { text += "\nrun folder: \(folder)" }
        return text
    }

    /// Where a resumed run is.
    private static func resumption(_ start: TrainingStart) -> String {
        if start.step == 0 { return "no checkpoint yet: starting again" }
        if start.epochs >= start.configuration.epochs {
            // Where the rates follow from the number of epochs, more of them would be another training.
            let isWhole = start.configuration.schedule?.dependsOnEpochs == true
            return isWhole ? "already finished" : "already finished; give --epochs N for more"
        }
        if let patience = start.configuration.patience, let best = start.best, start.epochs - best >= patience
        {
            return "already finished; give --patience N for more"
        }
        if let limit = start.configuration.maxSteps, start.step >= limit {
            return "already finished; give --max-steps N for more"
        }
        return "going on after step \(start.step)"
    }

    private mutating func show(_ metrics: StepMetrics) throws(OutputError) {
        guard let start else { return }
        let pace = secondsPerStep(metrics, start)
        let figures = [
            "\(metrics.stepInEpoch)/\(metrics.stepsPerEpoch)", "loss \(Text.fixed(metrics.trainLoss, 3))",
            "\(Text.duration(pace * Double(stepsLeft(metrics, start)))) left",
            "acc \(Text.fixed(metrics.trainAcc, 3))",
            "\(Text.fixed(Double(start.trainExamples) / Double(metrics.stepsPerEpoch) / pace, 0)) img/s",
        ]
        let epoch = "epoch \(metrics.epoch)/\(start.configuration.epochs)"
        if bar != nil {
            if bar?.isDue() == true {
                bar?.draw(epoch, Double(metrics.stepInEpoch) / Double(metrics.stepsPerEpoch), figures)
            }
        } else if clock.now - printed >= .seconds(15) {
            printed = clock.now
            try Console.print("\(epoch) \(figures.joined(separator: "  "))")
        }
    }

    /// The pace of this process so far, tests between epochs included: what was before a resumption may have been on another
    /// machine.
    private func secondsPerStep(_ metrics: StepMetrics, _ start: TrainingStart) -> Double {
        (clock.now - began) / .seconds(1) / Double(metrics.step - start.step)
    }

    private func stepsLeft(_ metrics: StepMetrics, _ start: TrainingStart) -> Int {
        let whole = start.configuration.epochs * metrics.stepsPerEpoch
        return max(0, min(whole, start.configuration.maxSteps ?? whole) - metrics.step)
    }
}

extension ModelSpecification {
    /// Such as `vgg11 with channels / 4`.
    fileprivate var name: String {
        (convArch ?? arch) + (widthDivisor > 1 ? " with channels / \(widthDivisor)" : "")
    }
}
