import ArgumentParser
import Foundation
import VGGKit

/// The test of learning rates, in place of a training.
struct LearningRateTestOptions: ParsableArguments {
    @Flag(
        help: """
            Only try learning rates from small to large, one a step, draw the loss and suggest one. Nothing is kept, and options \
            that say how long to train, how the rate changes and which epoch is best make no difference.
            """
    )
    var lrFind = false

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Which rates --lr-find tries (default: 1e-7,10).", valueName: "least,greatest"))
    var lrFindRange: NumberList<Double>?

    @Option(parsing: .unconditional, help: "How many steps --lr-find makes at most (default: 100).")
    var lrFindSteps: Int?

    @Option(
        help: ArgumentHelp(
            "Also draw the chart of --lr-find into this file, .svg or .png.", valueName: "file"),
        transform: HomeFolder.expandingTilde)
    var lrFindChart: String?

    /// What is tried.
    /// - Throws: a validation error for rates that make no sense.
    var plan: LearningRateTest.Plan {
        get throws {
            var plan = LearningRateTest.Plan()
            if let numbers = lrFindRange?.numbers {
                guard numbers.count == 2 else {
                    throw ValidationError("--lr-find-range must be two rates, the least and the greatest")
                }
                (plan.least, plan.greatest) = (numbers[0], numbers[1])
            }
            if let lrFindSteps { plan.steps = lrFindSteps }
            try ValidationError.wrapping { try plan.validate() }
            return plan
        }
    }

    private var isSVG: Bool { lrFindChart?.lowercased().hasSuffix(".svg") ?? false }

    func validate() throws {
        let others = [
            ("--lr-find-range", lrFindRange != nil), ("--lr-find-steps", lrFindSteps != nil),
            ("--lr-find-chart", lrFindChart != nil),
        ]
        for (option, isGiven) in others where isGiven && !lrFind {
            throw ValidationError("\(option) is for --lr-find")
        }
        if let lrFindChart, !isSVG, !lrFindChart.lowercased().hasSuffix(".png") {
            throw ValidationError("\(lrFindChart) must end in .svg or .png, which says what is drawn")
        }
        _ = try plan
    }

    /// What was found, for programs.
    private struct Report: Encodable {
        var points: [LearningRateTest.Point]
        /// Whether the loss became too large, or no number, which ended the test.
        var diverged: Bool
        /// By the name of the rule; none where the test was too short.
        var suggestions: [String: Double]
    }

    /// Makes the test and shows what came out of it.
    func run(_ setup: consuming TrainingSetup, format: OutputFormat) throws {
        if let lrFindChart { try AtomicFile.checkReplaceable(lrFindChart) }
        let plan = try plan
        let headRateRatio = setup.configuration.optimizer.headRateRatio
        let title = "\(setup.configuration.dataName), batches of \(setup.configuration.batchSize)"
        var bar = Console.isTerminal ? ProgressBar() : nil
        var made = 0
        let test = try Trainer.testLearningRates(setup, plan) { point in
            made += 1
            guard bar?.isDue() == true else { return }
            bar?.draw(
                "lr-find", Double(made) / Double(plan.steps),
                [
                    "\(made)/\(plan.steps)", "lr \(Self.text(point.learningRate))",
                    "loss \(Text.fixed(point.smoothedLoss, 3))",
                ])
        }
        bar?.clear()
        let chart = LineChart(test, title: title)
        if let lrFindChart {
            try AtomicFile.replace(lrFindChart, with: isSVG ? Data(chart.svg().utf8) : chart.png())
        }
        let suggestions = LearningRateTest.Rule.allCases.compactMap { rule in
            test.suggestion(by: rule).map { (rule: rule, rate: $0) }
        }
        switch format {
        case .json:
            try Console.print(
                json: Report(
                    points: test.points, diverged: test.diverged,
                    suggestions: Dictionary(
                        uniqueKeysWithValues: suggestions.map { ($0.rule.rawValue, $0.rate) })))
        case .text:
            let width = min((Console.outputColumns ?? 80) - 1, 79)
            try Console.print(
                chart: chart.terminalText(width: width, height: 16, isColoured: Console.isColoured))
            let last = Self.text(test.points.last?.learningRate ?? plan.least)
            try Console.print(
                "tried \(Text.count(test.points.count, "rate")) from \(Self.text(plan.least)) to \(last)"
                    + (test.diverged ? ", where the training diverged" : ""))
            guard !suggestions.isEmpty else {
                return try Console.print(
                    "too few to suggest one; give a lower --lr-find-range, or more --lr-find-steps")
            }
            // The head was tried at rates in proportion.
            let words = suggestions.map { rule, rate in
                "--lr \(Self.text(rate)) "
                    + (headRateRatio.map { "--lr-head \(Self.text(rate * $0)) " } ?? "")
                    + "(\(rule.rawValue))"
            }
            try Console.print("suggested: \(words.joined(separator: ", "))")
        }
    }

    /// Two digits, as nobody can tell rates apart that are nearer to each other.
    private static func text(_ rate: Double) -> String { String(format: "%.2g", rate) }
}
