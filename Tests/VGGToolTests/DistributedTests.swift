import Foundation
import Testing
import VGGKit

/// An MPI that is installed here, by how it starts a program as often as `-n` says, also as root and on fewer processors.
private struct MPILauncher: Sendable, CustomTestStringConvertible {
    let command: String

    var testDescription: String { command }

    /// VGG_REQUIRE_MPI makes the absence of one a failure.
    static let all: [MPILauncher] = {
        let known = [
            "mpirun.openmpi --allow-run-as-root --oversubscribe --mca btl_vader_single_copy_mechanism none",
            "mpirun.mpich",
        ]
        let isRequired = ProcessInfo.processInfo.environment["VGG_REQUIRE_MPI"] != nil
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
        return known.filter { command in
            let program = command.split(separator: " ")[0]
            return isRequired
                || folders.contains { FileManager.default.isExecutableFile(atPath: "\($0)/\(program)") }
        }.map(MPILauncher.init)
    }()
}

/// Two epochs with a last batch of two examples.
private let training = """
    train --conv-arch 1x8,1x16 --arch vgg11_bn --width-divisor 2 --size 12 --batch-size 16 --epochs 2 \
    --train-limit 50 --test-limit 40 --momentum 0.9 --precision fp32 --threads 1
    """

extension ToolTests {
    private func run(_ command: String, by launcher: MPILauncher, ranks: Int) throws -> Program.Result {
        let process = try Program.start(
            command.split(separator: " ").map(String.init), in: folder,
            shell: "exec \(launcher.command) -n \(ranks) \"$0\" \"$@\"")
        return try Program.finish(process, in: folder)
    }

    private func bytes(_ file: String, of run: String) throws -> Data {
        try Data(contentsOf: folder.url("\(run)/\(file)"))
    }

    @Test(arguments: MPILauncher.all)
    fileprivate func ranksTrainWhatOneProcessTrains(_ launcher: MPILauncher) throws {
        #expect(try run("\(training) --run-dir alone").status == 0)
        let shared = try run("\(training) --run-dir two --format json", by: launcher, ranks: 2)
        #expect(shared.status == 0, "\(shared.output)\(shared.errors)")
        // One process prints.
        let events = try shared.objects()
        #expect(events.first?["ranks"] as? Int == 2)
        #expect(try bytes("model.safetensors", of: "two") == bytes("model.safetensors", of: "alone"))

        // Begun by two, ended by one.
        let begun = try run("\(training) --epochs 1 --run-dir run", by: launcher, ranks: 2)
        #expect(begun.status == 0, "\(begun.output)\(begun.errors)")
        #expect(begun.output.contains("on 2 processes, each with its part of every batch"))
        #expect(try run("train --resume run --epochs 2").status == 0)
        #expect(try bytes("model.safetensors", of: "run") == bytes("model.safetensors", of: "alone"))
    }

    /// They keep to the run's photos, and need no weights that it once started from.
    @Test(arguments: MPILauncher.all, ImageFormat.png.isSupported ? [true] : [])
    fileprivate func ranksGoOnWithTheRunsPhotos(_ launcher: MPILauncher, _: Bool) throws {
        #expect(try run(greyTraining).status == 0)
        for index in 0..<12 {
            try writeTestImage(index, to: "photos/\(index % 2 == 0 ? "a" : "b")/\(index).png")
        }
        let tuning = """
            train --init run --data folder:photos --val-split 0.25 --batch-size 4 --max-steps 2 --threads 1 --run-dir tuned
            """
        let begun = try run(tuning, by: launcher, ranks: 2)
        #expect(begun.status == 0, "\(begun.output)\(begun.errors)")
        let photos = try RunFolder(folder.url("tuned").path).readPhotos()
        try FileManager.default.removeItem(at: folder.url("run"))
        try writeTestImage(20, to: "photos/a/0new.png")
        let resumed = try run("train --resume tuned --max-steps 4 --threads 1", by: launcher, ranks: 2)
        #expect(resumed.status == 0, "\(resumed.output)\(resumed.errors)")
        #expect(try RunFolder(folder.url("tuned").path).readPhotos() == photos)
    }

    @Test(arguments: MPILauncher.all)
    fileprivate func aRankThatCannotGoOnEndsAll(_ launcher: MPILauncher) throws {
        let three = try run(training, by: launcher, ranks: 3)
        #expect(
            three.status != 0
                && three.errors.contains("3 processes cannot share a batch out evenly; start 2, 4, 8"))
        // Two examples, and batch norm.
        let four = try run(training, by: launcher, ranks: 4)
        #expect(four.status != 0, "\(four.output)")
        #expect(four.errors.contains("the last batch of an epoch has 2 examples"), "\(four.errors)")
        #expect(four.errors.contains("choose another --batch-size, or fewer processes"), "\(four.errors)")
    }

    /// The process of a rank that was started in this test's folder.
    private func process(ofRank rank: Int) -> pid_t? {
        let folder = URL(filePath: folder.path).resolvingSymlinksInPath().path
        let entries = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return entries.compactMap { pid_t($0) }.first { process in
            let environment = FileManager.default.contents(atPath: "/proc/\(process)/environ") ?? Data()
            let ranks = ["OMPI_COMM_WORLD_RANK=\(rank)", "PMI_RANK=\(rank)"]
            let place = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(process)/cwd")
            return place.map { URL(filePath: $0).path == folder } == true
                && environment.split(separator: 0).contains {
                    ranks.contains(String(decoding: $0, as: UTF8.self))
                }
        }
    }

    #if os(Linux)
        /// One that is stopped is as silent as one whose cable is pulled.
        @Test(arguments: MPILauncher.all)
        fileprivate func silenceEndsAll(_ launcher: MPILauncher) throws {
            let command = "\(training) --epochs 100000 --run-dir silent"
            let all = try Program.start(
                command.split(separator: " ").map(String.init), in: folder,
                shell: "exec \(launcher.command) -n 2 \"$0\" \"$@\"")
            let deadline = Date.now + 60
            while !FileManager.default.fileExists(atPath: folder.url("silent/metrics.jsonl").path),
                Date.now < deadline
            {
                usleep(100_000)
            }
            let rank = try #require(process(ofRank: 1))
            kill(rank, SIGSTOP)
            defer { kill(rank, SIGKILL) }
            let result = try Program.finish(all, in: folder)
            #expect(
                result.status != 0
                    && result.errors.contains(
                        "error: rank 0: rank 1 does not answer: its machine or the network is gone"),
                "\(result.errors)")
        }
    #endif

    @Test func nobodyHasStartedSeveralProcesses() throws {
        let result = try run("train --distributed mpi")
        #expect(result.status == 1 && result.errors.contains("start them with mpirun -n 2"))
    }
}
