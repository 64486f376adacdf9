import ArgumentParser
import VGGKit

struct RunsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "runs",
        abstract: "Compare the runs in a folder: what differs in their options, and how far they came.",
        discussion: """
            Examples:
              vgg runs
              vgg runs experiments --format json

            The best epoch is the one with the highest accuracy in validation; of a run without one, in the test, which is \
            too high for new images the more epochs there are to choose from.
            """)

    @Argument(
        help: "A folder that holds run folders, or one run folder.", transform: HomeFolder.expandingTilde)
    var folder = "runs"

    @OptionGroup var format: FormatOption

    /// An epoch and its figures.
    private struct Figures: Encodable {
        var epoch: Int
        var valAcc: Double?
        var testAcc: Double
        var trainLoss: Double

        init(_ epoch: EpochMetrics) {
            (self.epoch, valAcc, testAcc) = (epoch.epoch, epoch.valAcc, epoch.testAcc)
            trainLoss = epoch.trainLoss
        }
    }

    private struct Run: Encodable {
        /// Its path below the folder.
        var run: String
        /// Whole epochs done, and those that were asked for.
        var epochs: Int
        var ofEpochs: Int
        /// nil before the first epoch's end.
        var best: Figures?
        var last: Figures?
        /// Done, as far as there are figures.
        var steps: Int
        /// The mean loss of the last figures, which may be of an epoch that has not ended; nil before the first.
        var trainLoss: Double?
        /// By the clock, until the last figures; nil before the first.
        var seconds: Double?
        /// Whether it ended because its loss was no longer finite.
        var diverged: Bool
        /// By option, the settings in which the runs differ.
        var options: [String: String] = [:]
    }

    func run() throws {
        let (runs, configurations) = try read()
        let differences = TrainingConfiguration.differences(among: configurations)
        switch format.format {
        case .json:
            for (number, var run) in runs.enumerated() {
                for (setting, values) in differences { run.options[setting.option] = values[number] }
                try Console.print(json: run)
            }
        case .text:
            for line in Self.lines(runs, differences, width: Console.outputColumns) {
                try Console.print(line)
            }
        }
    }

    /// A table with a column for each option; where a line has no room for these, they follow, by run.
    private static func lines(
        _ runs: [Run], _ differences: [(setting: Setting, values: [String])], width: Int?
    ) -> [String] {
        let hasValidation = runs.contains { $0.best?.valAcc != nil }
        func table(_ options: [(setting: Setting, values: [String])]) -> [String] {
            let header =
                ["run"] + options.map(\.setting.option) + ["epochs"] + (hasValidation ? ["best val"] : [])
                + ["best test", "last test", "last loss", "time"]
            let rows = runs.enumerated().map { number, run in
                [run.run] + options.map { $0.values[number] } + cells(run, hasValidation)
            }
            return Text.table([header] + rows, leftColumns: 1 + options.count, width: width)
        }
        let whole = table(differences)
        // Lines that are too long are broken, all alike.
        guard let width, !differences.isEmpty, whole.count > 1 + runs.count else { return whole }
        return table([]) + [""]
            + runs.enumerated().map { number, run in
                let options = differences.map { "\($0.setting.option) \($0.values[number])" }
                return Text.wrapped("\(run.run): \(options.joined(separator: " "))", width: width)
            }
    }

    private static func cells(_ run: Run, _ hasValidation: Bool) -> [String] {
        func text(_ accuracy: Double?) -> String { accuracy.map { Text.fixed($0, 4) } ?? "-" }
        let at = run.best.map { " (\($0.epoch))" } ?? ""
        return ["\(run.epochs)/\(run.ofEpochs)\(run.diverged ? " diverged" : "")"]
            + (hasValidation ? [text(run.best?.valAcc) + (run.best?.valAcc == nil ? "" : at)] : [])
            + [text(run.best?.testAcc) + at, text(run.last?.testAcc)]
            + [run.trainLoss.map { Text.fixed($0, 3) } ?? "-", run.seconds.map(Text.duration) ?? "-"]
    }

    /// The runs in the order of their names, and what they train.
    /// - Throws: `FileError` if there are none. A run that cannot be read is named, and the others are shown.
    private func read() throws -> ([Run], [TrainingConfiguration]) {
        var runs: [Run] = []
        var configurations: [TrainingConfiguration] = []
        let names = try RunFolder.names(in: folder)
        for name in names {
            let record: RunRecord
            do {
                record = try RunRecord(RunFolder(name.isEmpty ? folder : "\(folder)/\(name)"))
            } catch {
                Console.error("warning: \(error)")
                continue
            }
            configurations.append(record.configuration)
            runs.append(
                Run(
                    run: name.isEmpty ? folder : name, epochs: record.last?.epoch ?? 0,
                    ofEpochs: record.configuration.epochs, best: record.best.map(Figures.init),
                    last: record.last.map(Figures.init), steps: record.steps, trainLoss: record.trainLoss,
                    seconds: record.seconds, diverged: record.diverged))
            if !record.damagedLines.isEmpty {
                let lines = record.damagedLines.map(String.init).firstFew
                Console.error(
                    "warning: \(record.folder.metricsPath): not counted, as damaged: line \(lines)")
            }
        }
        guard !runs.isEmpty else {
            throw FileError(
                folder,
                names.isEmpty ? "holds no runs; vgg train makes one in runs" : "none of its runs can be read")
        }
        return (runs, configurations)
    }
}
