import Foundation
import Synchronization
import Testing
import VGGCPU
import VGGDistributed
import VGGEngine
import VGGFiles
import VGGFormats
import VGGInference
import VGGModel
import VGGTestSupport
import VGGTraining

/// The ways between ranks that are threads of one process.
private final class Ways: Sendable {
    private struct Way: Sendable {
        let messages = Mail()
        let arrivals = DispatchSemaphore(value: 0)
    }

    private final class Mail: Sendable { let all = Mutex<[[UInt8]]>([]) }

    private let ways: [Way]
    let count: Int
    /// How long a message may take.
    private let seconds: Double

    init(_ count: Int, seconds: Double = 120) {
        (self.count, self.seconds) = (count, seconds)
        ways = (0..<count * count * RankChannel.allCases.count).map { _ in Way() }
    }

    private func way(from: Int, to: Int, _ channel: RankChannel) -> Way {
        ways[(Int(channel.rawValue) - 1) * count * count + from * count + to]
    }

    func send(_ bytes: [UInt8], from: Int, to: Int, on channel: RankChannel) {
        let way = way(from: from, to: to, channel)
        way.messages.all.withLock { $0.append(bytes) }
        way.arrivals.signal()
    }

    /// nil if nothing comes: then ranks do not do the same.
    func receive(from: Int, to: Int, on channel: RankChannel) -> [UInt8]? {
        let way = way(from: from, to: to, channel)
        guard way.arrivals.wait(timeout: .now() + seconds) == .success else { return nil }
        return way.messages.all.withLock { $0.removeFirst() }
    }
}

private final class ThreadRank: Communicator {
    let rank: Int
    var count: Int { ways.count }
    private let ways: Ways

    init(_ rank: Int, _ ways: Ways) { (self.rank, self.ways) = (rank, ways) }

    func exchange(
        _ sent: UnsafeRawBufferPointer, _ received: UnsafeMutableRawBufferPointer, with other: Int,
        on channel: RankChannel
    ) throws(DistributedError) {
        if !sent.isEmpty { ways.send(Array(sent), from: rank, to: other, on: channel) }
        guard !received.isEmpty else { return }
        guard let bytes = ways.receive(from: other, to: rank, on: channel), bytes.count == received.count
        else {
            throw DistributedError("rank \(other) does not answer")
        }
        received.copyBytes(from: bytes)
    }
}

/// What a training comes to.
private struct Outcome: Equatable, Sendable {
    var tensors: NamedTensors
    var figures: [[Double]]
}

@Suite struct SharingTests {
    /// Everything but batch norm that has a state or draws.
    private func configuration() -> TrainingConfiguration {
        var configuration = smallConfiguration()
        configuration.model.arch = "vgg11"
        configuration.augmentation = everyAugmentation()
        configuration.optimizer.average = WeightAverage(decay: 0.9)
        return configuration
    }

    private func setup(
        _ configuration: TrainingConfiguration, ranks: Int = 1, folder: RunFolder? = nil,
        resuming: Bool = false,
        training: Int = 44
    ) throws -> TrainingSetup {
        try TrainingSetup(
            configuration, training: stripes(count: training), test: stripes(count: 20),
            device: .cpu(threads: 1),
            folder: folder, resuming: resuming, ranks: ranks)
    }

    /// Weights, momentum and averages to the bit, and all figures but times.
    private func outcome(_ folder: RunFolder) throws -> Outcome {
        let figures = try folder.readMetrics().map { record in
            switch record {
            case .step(let step): [Double(step.step), step.trainLoss, step.trainAcc]
            case .epoch(let epoch): [Double(epoch.epoch), epoch.trainLoss, epoch.testLoss, epoch.testAcc]
            }
        }
        return Outcome(tensors: try folder.tensors(), figures: figures)
    }

    /// The same training by so many ranks, the first of which keeps it in `folder`.
    /// - Parameter steps: after which one rank, not the first, asks to stop.
    /// - Returns: the errors of the ranks.
    @discardableResult private func train(
        _ configuration: TrainingConfiguration, ranks: Int, in folder: RunFolder, resuming: Bool = false,
        training: Int = 44, stoppingAfter steps: Int? = nil, seconds: Double = 120,
        change: @escaping @Sendable (Int, inout TrainingConfiguration, inout Int) -> Void = { _, _, _ in }
    ) -> [String?] {
        let ways = Ways(ranks, seconds: seconds)
        let errors = Mutex([String?](repeating: nil, count: ranks))
        let done = DispatchGroup()
        for rank in 0..<ranks {
            done.enter()
            Thread.detachNewThread {
                defer { done.leave() }
                do {
                    var (configuration, training) = (configuration, training)
                    change(rank, &configuration, &training)
                    let setup = try setup(
                        configuration, ranks: ranks, folder: rank == 0 ? folder : nil,
                        resuming: rank == 0 && resuming, training: training)
                    var made = 0
                    _ = try Trainer(setup, with: ThreadRank(rank, ways)).run { event in
                        if case .step = event { made += 1 }
                    } shouldStop: {
                        rank == ranks - 1 && steps.map { made >= $0 } ?? false
                    }
                } catch {
                    errors.withLock { $0[rank] = "\(error)" }
                }
            }
        }
        done.wait()
        return errors.withLock { $0 }
    }

    private static let changes: [@Sendable (inout TrainingConfiguration) -> Void] = [
        { _ in }, { $0.clipGrad = 0.1 }, { $0.gradAccumSteps = 2 }, { $0.mixing = someMixing() },
        { $0.optimizer = .usual(.adamw) }, { $0.precision = .bf16 },
        { $0.classWeights = .named(["first": 3, "third": 0.7]) },
        { ($0.classWeights, $0.gradAccumSteps) = (.named(["first": 3, "third": 0.7]), 2) },
        { $0.model.arch = "vgg11_bn" }, { ($0.model.arch, $0.precision) = ("vgg11_bn", .bf16) },
    ]

    /// Sixteen ranks have half an image each of a batch of eight: some have none.
    @Test(arguments: (0..<changes.count).map { ($0, 4) } + [(0, 2), (0, 16), (changes.count - 2, 16)])
    func anyNumberOfRanksIsTheSameTraining(_ change: Int, _ ranks: Int) throws {
        let folder = try TemporaryFolder()
        var configuration = configuration()
        Self.changes[change](&configuration)
        // Batch norm needs an image everywhere.
        if configuration.model.arch.hasSuffix("_bn"), ranks > 4 {
            (configuration.batchSize, configuration.epochs) = (22, 3)
        }
        let (alone, shared) = (folder.run("alone"), folder.run("shared"))
        _ = try Trainer(setup(configuration, folder: alone)).run()
        #expect(train(configuration, ranks: ranks, in: shared).allSatisfy { $0 == nil })
        #expect(try outcome(shared) == outcome(alone))
        #expect(try shared.bytes(\.modelPath) == alone.bytes(\.modelPath))
    }

    /// Stopped on four ranks by one of them, gone on with on two, and ended by one alone.
    @Test func goesOnWithAnyNumberOfRanks() throws {
        let folder = try TemporaryFolder()
        let (whole, run) = (folder.run("whole"), folder.run("run"))
        _ = try Trainer(setup(configuration(), folder: whole)).run()
        #expect(train(configuration(), ranks: 4, in: run, stoppingAfter: 3).allSatisfy { $0 == nil })
        #expect(
            train(configuration(), ranks: 2, in: run, resuming: true, stoppingAfter: 5).allSatisfy {
                $0 == nil
            })
        #expect(try run.tensors() != whole.tensors())
        _ = try Trainer(setup(configuration(), folder: run, resuming: true)).run()
        #expect(try run.tensors() == whole.tensors())
        #expect(try outcome(run) == outcome(whole))
    }

    @Test func saysWhichRankDoesNotFit() throws {
        let folder = try TemporaryFolder()
        for (name, difference, change) in [
            (
                "seed", "rank 1 does not fit: its configuration is ",
                { @Sendable (rank: Int, configuration: inout TrainingConfiguration, _: inout Int) in
                    if rank == 1 { configuration.seed = 9 }
                }
            ),
            (
                "data", "rank 1 does not fit: it has 40 examples of training data, and the first 44",
                { @Sendable (rank: Int, _: inout TrainingConfiguration, training: inout Int) in
                    if rank == 1 { training = 40 }
                }
            ),
        ] as [(String, String, @Sendable (Int, inout TrainingConfiguration, inout Int) -> Void)] {
            // The others would wait for it, until their launcher ends them; here, for the time that a message may take.
            let errors = train(configuration(), ranks: 2, in: folder.run(name), seconds: 10, change: change)
            #expect(errors[1]?.hasPrefix(difference) == true, "\(errors)")
        }
    }

    @Test func batchNormWantsAnImageEverywhere() throws {
        var configuration = configuration()
        (configuration.model.arch, configuration.batchSize) = ("vgg11_bn", 43)
        let error = #expect(throws: DistributedError.self) {
            try Trainer(setup(configuration), with: ThreadRank(0, Ways(2)))
        }
        #expect(error?.description.contains("the last batch of an epoch has 1 examples") == true)
    }
}
