import VGGData
import VGGDistributed
import VGGEngine
import VGGFiles
import VGGModel

/// What a trainer does with the processes that train together with it.
///
/// Each has the whole network, and makes, trains on and tests with its part of every batch: a node of the tree that sums
/// over the batch follow. Gradients and figures are added along the tree, so that all have the same bits after each step, and
/// these are the bits of a training by one process. The first alone has a run folder.
final class Sharing: BatchExchange {
    private let communicator: any Communicator
    private let gradients: GradientStream
    private let clock = ContinuousClock()
    /// For gradients and batch norm's sums, in this epoch.
    private var waited = Duration.zero
    private var timeline: Timeline?
    /// What went wrong while the processes agreed on something.
    private(set) var failure: (any Error)?

    var rank: Int { communicator.rank }
    var count: Int { communicator.count }
    var isFirst: Bool { rank == 0 }

    /// - Throws: `DistributedError` for what is not shared yet.
    init(_ communicator: any Communicator, _ setup: borrowing TrainingSetup) throws(DistributedError) {
        self.communicator = communicator
        gradients = GradientStream(communicator)
        let configuration = setup.configuration
        let hasNorm = setup.network.layers.contains { if case .batchNorm = $0.layer { true } else { false } }
        let (size, all) = (configuration.batchSize, setup.training.count)
        let least = min(all, all % size == 0 ? size : all % size)
        if hasNorm, least < communicator.count {
            throw DistributedError(
                "\(least == size ? "a batch" : "the last batch of an epoch") has \(least) examples, and with batch norm each of "
                    + "\(communicator.count) processes needs one; choose another \(Setting.batchSize), or fewer processes"
            )
        }
        guard setup.device.properties.kind == .cpu else {
            throw DistributedError("several processes train on processors only as yet: \(Setting.device) cpu")
        }
    }

    /// This process's images of a batch of so many.
    var part: @Sendable (_ images: Int) -> Range<Int> {
        let (rank, count) = (rank, count)
        return { SumTree(images: $0).node(rank, of: count).images }
    }

    /// Replaces the gradients of this process's part of a batch by those of the batch.
    func exchangeGradients(of executor: Executor, _ tree: SumTree) throws {
        let begin = clock.now
        var rest = Rest(gradients: gradients, tree: tree)
        try executor.exchangeGradients(with: &rest)
        haveWaited(since: begin, "gradients")
    }

    private func haveWaited(since begin: ContinuousClock.Instant, _ what: String) {
        let now = clock.now
        waited += now - begin
        timeline?.add(what, on: .waiting, from: begin, to: now)
    }

    /// From now on writes down what goes out and what is waited for; nil ends that.
    func write(to timeline: Timeline?) {
        self.timeline = timeline
        gradients.write(to: timeline)
    }

    /// What is still to be done when the backward pass is.
    private struct Rest: GradientExchange {
        let gradients: GradientStream
        let tree: SumTree

        func exchange(_ numbers: inout MutableSpan<Float>) throws {
            try numbers.withUnsafeMutableBufferPointer { try gradients.finish($0, along: tree) }
        }
    }

    func gradientsAreMade(
        _ ranges: [Range<Int>], of gradients: UnsafeMutableBufferPointer<Float>, _ node: SumTree
    ) {
        self.gradients.add(ranges, of: gradients, along: SumTree(images: node.batch))
    }

    /// The seconds that each process has waited since this was asked last.
    func waitedSeconds() throws -> [Double] {
        var seconds = [Double](repeating: 0, count: count)
        seconds[rank] = waited.seconds
        waited = .zero
        try communicator.add(&seconds, along: Self.everyone)
        return seconds
    }

    /// A batch of which every process has images.
    private static let everyone = SumTree(images: SumTree.shards)

    /// Replaces the figures of this process's part of a batch by those of the batch.
    func add(_ metrics: inout BatchMetrics, _ tree: SumTree) throws {
        var numbers = [metrics.lossSum, Double(metrics.correct), Double(metrics.count)]
        try communicator.add(&numbers, along: tree)
        metrics = BatchMetrics(lossSum: numbers[0], correct: Int(numbers[1]), count: Int(numbers[2]))
    }

    func combine(
        _ numbers: inout [Double], of node: SumTree, by combine: (inout [Double], [Double]) -> Void
    ) {
        let begin = clock.now
        defer { haveWaited(since: begin, "sums of batch norm") }
        do {
            try communicator.combine(&numbers, along: SumTree(images: node.batch), by: combine)
        } catch {
            failure = failure ?? error
        }
    }

    /// Whether any process has been asked to stop: all stop after the same step.
    func anyone(_ isAsked: Bool) -> Bool {
        var asked = [isAsked ? 1.0 : 0]
        do {
            try communicator.add(&asked, along: Self.everyone)
        } catch {
            failure = failure ?? error
            return true
        }
        return asked[0] > 0
    }

    /// Gives all processes what the first has.
    func broadcast(_ bytes: [UInt8]) throws -> [UInt8] { try communicator.broadcast(bytes) }

    /// Tests with a data set that the processes share out batch by batch.
    func evaluate(_ loader: BatchLoader, by executor: Executor) throws -> BatchMetrics? {
        var loader = loader
        loader.part = part
        var total: BatchMetrics?
        for batch in loader {
            let images = min(loader.batchSize, loader.images.count - batch.index * loader.batchSize)
            let tree = SumTree(images: images)
            if let problem = batch.firstProblem { throw problem }
            var metrics = BatchMetrics(lossSum: 0, correct: 0, count: 0)
            if let images = batch.images {
                metrics = executor.evaluateWithLogits(images, of: tree.node(rank, of: count)).metrics
            }
            try add(&metrics, tree)
            if let total { metrics.add(total) }
            total = metrics
        }
        return total
    }
}

/// What must be alike where processes train together: other kernels or data give other bits, or nonsense.
private struct Facts: Codable {
    var version = vggVersion
    var kernels: String
    var precision: String
    var configuration: String
    var data: [DatasetFacts]
}

private struct DatasetFacts: Codable {
    var name: String
    var classNames: [String]
    var labels: [UInt16]
    /// Of photos.
    var files: [String]?

    init(_ name: String, _ dataset: ImageDataset) {
        self.name = name
        classNames = dataset.classNames
        labels = dataset.labels
        if case .files(let photos) = dataset.images { files = photos.names }
    }

    /// How it differs from another; nil if it does not.
    func difference(from other: DatasetFacts) -> String? {
        func first<Value: Equatable>(_ what: String, _ mine: [Value], _ theirs: [Value]) -> String? {
            let place = zip(mine, theirs).enumerated().first { $0.element.0 != $0.element.1 }
            return place.map {
                "\(what) \($0.offset) of its \(name) data is \($0.element.0), and \($0.element.1) on the first"
            }
        }
        guard labels.count == other.labels.count else {
            return "it has \(labels.count) examples of \(name) data, and the first \(other.labels.count)"
        }
        return first("class", classNames, other.classNames) ?? first("photo", files ?? [], other.files ?? [])
            ?? first("label", labels, other.labels)
    }
}

extension Facts {
    init(_ setup: TrainingSetup) throws {
        // Where the files are, each process knows for itself.
        var configuration = setup.configuration
        configuration.dataDirectory = nil
        let data = [("training", setup.training), ("test", setup.test)]
        self.init(
            kernels: setup.device.kernels, precision: "\(setup.configuration.precision)",
            configuration: try JSONText.line(configuration),
            data: (data + (setup.validation.map { [("validation", $0)] } ?? [])).map(DatasetFacts.init))
    }

    /// How they differ from the first process's; nil if they do not.
    func difference(from first: Facts) -> String? {
        for (name, mine, theirs) in [
            ("version", version, first.version), ("kernels", kernels, first.kernels),
            ("precision", precision, first.precision),
            ("configuration", configuration, first.configuration),
        ] where mine != theirs {
            let advice =
                name == "kernels"
                ? "; VGG_MAX_ISA, given to all by mpirun -x, lowers them to what all have" : ""
            return "its \(name) is \(mine), and the first's \(theirs)\(advice)"
        }
        guard data.count == first.data.count else {
            return "it has no validation data, or the first has none"
        }
        return zip(data, first.data).lazy.compactMap { $0.difference(from: $1) }.first
    }
}

extension Trainer {
    /// Checks that the processes which train together fit together, and goes on from where the first is.
    /// - Throws: `DistributedError` if they do not fit.
    func joinOthers() throws {
        guard let sharing else { return }
        let facts = try Facts(setup)
        let bytes = try sharing.broadcast(sharing.isFirst ? Array(JSONText.line(facts).utf8) : [])
        if !sharing.isFirst {
            let first = try JSONText.decode(Facts.self, from: String(decoding: bytes, as: UTF8.self))
            if let difference = facts.difference(from: first) {
                throw DistributedError("rank \(sharing.rank) does not fit: \(difference)")
            }
        }
        let start = try sharing.broadcast(sharing.isFirst ? SharedStart(state, executor).bytes() : [])
        guard !sharing.isFirst else { return }
        let shared = try SharedStart(bytes: start)
        try executor.load(shared.weights)
        try executor.load(shared.optimizer)
        state = shared.state
    }
}
