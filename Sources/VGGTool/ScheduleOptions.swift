import ArgumentParser
import VGGKit

/// The value of --sched.
struct ScheduleChoice: ExpressibleByArgument {
    /// nil for a constant rate.
    var kind: ScheduleSettings.Kind?

    init?(argument: String) {
        guard argument != "none" else { return }
        guard let kind = ScheduleSettings.Kind(rawValue: argument) else { return nil }
        self.kind = kind
    }

    static var defaultCompletionKind: CompletionKind {
        .list(ScheduleSettings.Kind.allCases.map(\.rawValue) + ["none"])
    }
}

/// How the learning rate changes.
struct ScheduleOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "How the learning rate changes from step to step: step and multistep multiply it by --decay-rate, cosine "
                + "lowers it to --min-lr, onecycle raises it to --lr and lowers it, and leaves the momentum; plateau multiplies it when the accuracy "
                + "no longer rises; none keeps it as it is (default: none).",
            valueName: "step|multistep|cosine|onecycle|plateau|none"))
    var sched: ScheduleChoice?

    @Option(parsing: .unconditional, help: "Epochs in which the learning rate rises to --lr (default: 0).")
    var warmupEpochs: Int?

    @Option(parsing: .unconditional, help: "The learning rate at the begin of the warm-up (default: 1e-5).")
    var warmupLr: Double?

    @Option(
        parsing: .unconditional,
        help: "The learning rate at the end of --sched cosine, and the least of plateau (default: 0).")
    var minLr: Double?

    @Option(
        parsing: .unconditional,
        help: "After how many epochs each --sched step lowers the learning rate (default: 90).")
    var decayEpochs: Double?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "The epochs at whose ends --sched multistep lowers the learning rate.", valueName: "n,n,…"))
    var decayMilestones: NumberList<Int>?

    @Option(parsing: .unconditional, help: "What it is multiplied by then (default: 0.1).")
    var decayRate: Double?

    @Option(
        parsing: .unconditional,
        help:
            "After how many epochs without a better accuracy --sched plateau does not yet lower it (default: 10)."
    )
    var patienceEpochs: Int?

    /// The settings with what was given; nil if nothing ever was.
    func applied(to base: ScheduleSettings?) -> ScheduleSettings? {
        var result = base ?? ScheduleSettings()
        if let sched { result.sched = sched.kind }
        if let warmupEpochs { result.warmupEpochs = warmupEpochs }
        if let warmupLr { result.warmupLr = warmupLr }
        if let minLr { result.minLr = minLr }
        if let decayEpochs { result.decayEpochs = decayEpochs }
        if let decayMilestones { result.decayMilestones = decayMilestones.numbers }
        if let decayRate { result.decayRate = decayRate }
        if let patienceEpochs { result.patienceEpochs = patienceEpochs }
        return result == ScheduleSettings() ? nil : result
    }
}
