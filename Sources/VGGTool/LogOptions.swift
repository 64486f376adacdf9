import ArgumentParser
import VGGKit

/// In which other forms a run keeps its figures.
struct LogOptions: ParsableArguments {
    /// The value of --log.
    struct Logs: ExpressibleByArgument {
        var logs: [RunLog]

        init?(argument: String) {
            let logs = argument.split(separator: ",", omittingEmptySubsequences: false)
                .map { RunLog(rawValue: String($0)) }
            self.logs = logs.compactMap(\.self)
            guard self.logs.count == logs.count, Set(self.logs).count == logs.count else { return nil }
        }
    }

    @Option(
        help: ArgumentHelp(
            """
            Also keep the run's figures as an event file that TensorBoard shows, or as a table, metrics.csv, or, of the first 20 steps, \
            when each part began and ended, trace.json, which Perfetto and chrome://tracing show. Several are separated by commas; \
            with --resume, beside those that the run has.
            """,
            valueName: "tensorboard|csv|trace"))
    var log: Logs?

    func apply(to configuration: inout TrainingConfiguration) {
        // A form that a run has would no longer be true if it were left as it is.
        let own = configuration.log ?? []
        if let log { configuration.log = own + log.logs.filter { !own.contains($0) } }
    }
}
