import CMPI
import Foundation
import Synchronization
import VGGEngine

/// The processes that `mpirun` or `srun` has started, through the launcher's own MPI library.
///
/// MPI starts them, finds them and carries bytes; the order of sums is ours. Its functions are called one at a time.
public final class MPI: Communicator {
    /// This process's number, 0 ..< count.
    public let rank: Int
    /// How many processes there are.
    public let count: Int
    /// Ranks on this machine; their threads share its processors.
    public let ranksHere: Int
    private let library = Mutex(())
    private let heartbeat = Mutex<Heartbeat?>(nil)

    private init(rank: Int, count: Int, ranksHere: Int) {
        (self.rank, self.count, self.ranksHere) = (rank, count, ranksHere)
    }

    /// A launcher, by what it puts into the environment of the processes that it starts.
    struct Launcher: Hashable, Sendable {
        let name: String
        /// How many processes there are, and how many of them on this machine.
        let size, sizeHere: String
        /// Something else that is there only where it is this one.
        var sign: String?
        let isOpenMPI: Bool

        static let all = [
            Launcher(
                name: "Open MPI's mpirun", size: "OMPI_COMM_WORLD_SIZE",
                sizeHere: "OMPI_COMM_WORLD_LOCAL_SIZE",
                isOpenMPI: true),
            Launcher(name: "MPICH's mpirun", size: "PMI_SIZE", sizeHere: "MPI_LOCALNRANKS", isOpenMPI: false),
            Launcher(
                name: "srun --mpi=pmix", size: "SLURM_NTASKS", sizeHere: "SLURM_NTASKS_PER_NODE",
                sign: "PMIX_RANK",
                isOpenMPI: true),
        ]

        /// Names of the library as the system's loader finds it, the newest first.
        var libraries: [String] {
            #if os(macOS)
                let names =
                    isOpenMPI
                    ? ["libmpi.40.dylib", "libmpi.dylib"]
                    : ["libmpi.12.dylib", "libmpich.12.dylib", "libmpich.dylib"]
                // The loader does not look into Homebrew's folder itself.
                return names.flatMap { [$0, "/opt/homebrew/lib/\($0)"] }
            #else
                return isOpenMPI
                    ? ["libmpi.so.40", "libmpi.so.20", "libmpi.so"]
                    : ["libmpich.so.12", "libmpi.so.12", "libmpich.so", "libmpi_mpich.so"]
            #endif
        }
    }

    /// Who started this process together with others; nil if nobody did.
    static func launcher(_ environment: [String: String]) -> (launcher: Launcher, count: Int)? {
        for launcher in Launcher.all {
            guard let count = environment[launcher.size].flatMap({ Int($0) }), count > 1,
                launcher.sign.map({ environment[$0] != nil }) ?? true
            else { continue }
            return (launcher, count)
        }
        return nil
    }

    /// Whether a launcher has started this process together with others.
    public static var isLaunched: Bool { launcher(ProcessInfo.processInfo.environment) != nil }

    /// Joins the processes that were started with this one.
    /// - Throws: `DistributedError` if there are none, the launcher's library cannot be found or is another launcher's, or
    ///   a batch cannot be shared out among so many.
    public static func start() throws(DistributedError) -> MPI {
        let environment = ProcessInfo.processInfo.environment
        guard let (launcher, count) = launcher(environment) else {
            throw DistributedError(
                "nobody has started several processes: start them with mpirun -n 2, or srun --mpi=pmix")
        }
        guard count & (count - 1) == 0, count <= SumTree.shards else {
            throw DistributedError(
                "\(count) processes cannot share a batch out evenly; start 2, 4, 8 or \(SumTree.shards)")
        }
        guard launcher.libraries.contains(where: { vgg_mpi_load($0, launcher.isOpenMPI) }) else {
            throw DistributedError(
                "\(launcher.name) has started \(count) processes, but its library is not found; looked for "
                    + launcher.libraries.joined(separator: ", ")
                    + " (on Debian: apt-get install \(launcher.isOpenMPI ? "openmpi-bin" : "mpich"))")
        }
        var (rank, found): (Int32, Int32) = (0, 0)
        guard vgg_mpi_init() == 0, vgg_mpi_rank(&rank) == 0, vgg_mpi_size(&found) == 0 else {
            throw DistributedError("the library of \(launcher.name) does not start")
        }
        guard Int(found) == count else {
            throw DistributedError(
                "\(launcher.name) has started \(count) processes, of which its library sees \(found): it is not the one that "
                    + "belongs to the launcher")
        }
        let here = environment[launcher.sizeHere].flatMap { Int($0.prefix { $0.isNumber }) } ?? 1
        return MPI(rank: Int(rank), count: count, ranksHere: max(1, min(here, count)))
    }

    /// Sends bytes to another rank and receives bytes from it, in messages of at most 2²⁸ bytes.
    public func exchange(
        _ sent: UnsafeRawBufferPointer, _ received: UnsafeMutableRawBufferPointer, with other: Int,
        on channel: RankChannel
    ) throws(DistributedError) {
        try exchange(sent, received, with: other, on: channel, within: nil)
    }

    /// - Parameter time: how long it may take; nil for as long as it takes.
    func exchange(
        _ sent: UnsafeRawBufferPointer, _ received: UnsafeMutableRawBufferPointer, with other: Int,
        on channel: RankChannel, within time: Duration?
    ) throws(DistributedError) {
        let deadline = time.map { ContinuousClock.now + $0 }
        // A message's length is an int.
        let most = 1 << 28
        var (out, back) = (0, 0)
        while out < sent.count || back < received.count {
            var requests: [vgg_mpi_request] = []
            let next = (min(sent.count - out, most), min(received.count - back, most))
            if next.1 > 0 {
                requests.append(vgg_mpi_request())
                let start = received.baseAddress.map { $0 + back }
                try call(other) {
                    vgg_mpi_receive(start, Int32(next.1), Int32(other), channel.rawValue, &requests[0])
                }
            }
            if next.0 > 0 {
                requests.append(vgg_mpi_request())
                let start = sent.baseAddress.map { $0 + out }
                try call(other) {
                    vgg_mpi_send(
                        start, Int32(next.0), Int32(other), channel.rawValue, &requests[requests.count - 1])
                }
            }
            try wait(&requests, other, deadline)
            out += next.0
            back += next.1
        }
    }

    /// MPI's own waits take a whole processor, which other ranks may compute on: this one asks now and then, seldom after a
    /// while.
    private func wait(
        _ requests: inout [vgg_mpi_request], _ other: Int, _ deadline: ContinuousClock.Instant?
    ) throws(DistributedError) {
        var asked: UInt32 = 0
        for index in requests.indices {
            while true {
                var isDone = false
                try call(other) { vgg_mpi_test(&requests[index], &isDone) }
                if isDone { break }
                if let deadline, ContinuousClock.now > deadline {
                    throw DistributedError(
                        "rank \(other) does not answer: its machine or the network is gone")
                }
                asked += 1
                // Nobody is in a hurry for what has a deadline.
                if deadline != nil { usleep(5000) }
                if asked > 50 { usleep(min(asked, 100)) } else { sched_yield() }
            }
        }
    }

    private func call(_ other: Int, _ function: () -> Int32) throws(DistributedError) {
        let result = library.withLock { _ in function() }
        guard result == 0 else {
            throw DistributedError("rank \(other) does not answer (MPI's error \(result))")
        }
    }

    /// Looks from now on, about once a second, whether the others are still there: a machine or a cable that is gone says nothing.
    /// - Parameter lost: called on a thread of its own, at most once, when one has been silent for eight seconds.
    public func watch(_ lost: @escaping @Sendable (DistributedError) -> Void) {
        heartbeat.withLock { $0 = $0 ?? Heartbeat(self, lost) }
    }

    /// Waits for the others to come to their end, too.
    public func finish() {
        try? heartbeat.withLock { heartbeat in
            try heartbeat?.end()
            heartbeat = nil
        }
        _ = library.withLock { _ in vgg_mpi_finalize() }
    }

    /// Ends all processes, because this one cannot go on.
    public func abort(code: Int32) -> Never {
        // A launcher that cannot be reached does not end anybody.
        Thread.detachNewThread {
            sleep(3)
            _exit(code)
        }
        _ = library.withLock { _ in vgg_mpi_abort(code) }
        exit(code)
    }
}
