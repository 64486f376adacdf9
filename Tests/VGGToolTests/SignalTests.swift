import Foundation
import Testing
import VGGKit

/// So many epochs that no machine is done with them before the signal comes.
private let training = """
    train --conv-arch 1x8,1x16 --size 8 --batch-size 32 --train-limit 320 --test-limit 100 --precision fp32 \
    --epochs 1000000 --run-dir run
    """

extension ToolTests {
    /// Starts the training; waits, without a delay until the first epoch is saved.
    private func start(shell: String? = nil, delay: useconds_t? = nil) throws -> Process {
        let process = try Program.start(
            training.split(separator: " ").map(String.init), in: folder, shell: shell)
        if let delay {
            usleep(delay)
        } else {
            let model = folder.url("run/model.safetensors").path
            while process.isRunning, !FileManager.default.fileExists(atPath: model) { usleep(1000) }
        }
        return process
    }

    /// The run is whole, and goes on.
    private func expectResumable() throws {
        #expect(
            try folder.names("run") == [
                "checkpoint.safetensors", "config.json", "curves.png", "curves.svg", "metrics.jsonl",
                "model.safetensors",
            ])
        let done = try RunFolder(folder.url("run").path).readMetrics().last?.step ?? 0
        let resumed = try run("train --resume run --max-steps \(done + 1)")
        #expect(resumed.status == 0, "\(resumed.errors)")
    }

    /// Ctrl-C, `kill`, a closed terminal, and what batch systems warn with.
    @Test(arguments: [SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGXCPU])
    func aSignalSavesTheRun(_ signal: Int32) throws {
        let process = try start()
        kill(process.processIdentifier, signal)
        let result = try Program.finish(process, in: folder)
        #expect(result.status == 128 + signal)
        #expect(result.output.contains("go on with: vgg train --resume run"))
        #expect(result.errors.contains("stopping…\n"))
        try expectResumable()
    }

    /// Also while the data are read: either nothing is there yet, or what is there is whole.
    @Test(arguments: [0, 50_000, 150_000, 400_000] as [useconds_t])
    func aSignalComesAtAnyTime(_ delay: useconds_t) throws {
        let process = try start(delay: delay)
        kill(process.processIdentifier, SIGTERM)
        let result = try Program.finish(process, in: folder)
        #expect(result.status == 128 + SIGTERM)
        if result.errors.contains("stopping…\n") {
            try expectResumable()
        } else {
            // Nothing is said by a program that has hardly begun.
            let messages = ["", "stopped before the training began; no step is lost\n"]
            #expect(messages.contains(result.errors) && result.output.isEmpty, "\(result.errors)")
            // The folder is made last; a run that has no more than that starts again.
            if try folder.names().contains("run") {
                #expect(try run("train --resume run --max-steps 1").status == 0)
            }
        }
    }

    @Test func whatWasIgnoredStaysIgnored() throws {
        let process = try start(shell: "trap '' HUP INT")
        kill(process.processIdentifier, SIGHUP)
        kill(process.processIdentifier, SIGINT)
        usleep(300_000)
        #expect(process.isRunning)
        kill(process.processIdentifier, SIGTERM)
        let result = try Program.finish(process, in: folder)
        #expect(result.status == 128 + SIGTERM && result.errors.contains("stopping…\n"))
    }

    /// A terminal that closes sends more than one signal, and a batch system too.
    @Test func onlyASecondCtrlCEndsAtOnce() throws {
        let errors = folder.url("errors").path
        func stop(_ process: Process, _ signal: Int32) throws {
            kill(process.processIdentifier, signal)
            // Of several at once, which comes first is left open.
            while process.isRunning, try !String(contentsOfFile: errors, encoding: .utf8).contains("stopping")
            {
                usleep(100)
            }
        }
        let patient = try start()
        try stop(patient, SIGHUP)
        for signal in [SIGHUP, SIGTERM, SIGUSR1] { kill(patient.processIdentifier, signal) }
        let saved = try Program.finish(patient, in: folder)
        #expect(saved.status == 128 + SIGHUP && saved.output.contains("and saved"))
        try expectResumable()

        try FileManager.default.removeItem(at: folder.url("run"))
        let hasty = try start()
        try stop(hasty, SIGINT)
        kill(hasty.processIdentifier, SIGINT)
        #expect(try Program.finish(hasty, in: folder).status == 128 + SIGINT)
        #expect(try !folder.names("run").contains { $0.hasSuffix(".partial") })
        #expect(try run("train --resume run --max-steps 1000000 --epochs 1000000 --estimate").status == 0)
    }

    /// A command that has nothing to save ends as programs do.
    @Test func otherCommandsEndByTheSignal() throws {
        let process = try Program.start(
            ["bench", "--conv-arch", "1x8", "--size", "8", "--steps", "1000000"], in: folder)
        usleep(500_000)
        kill(process.processIdentifier, SIGTERM)
        let result = try Program.finish(process, in: folder)
        #expect(process.terminationReason == .uncaughtSignal && result.status == 128 + SIGTERM)
        #expect(result.output.isEmpty && result.errors.isEmpty)
    }

    /// What has come is not taken for the file, and curl does not go on alone.
    @Test(.disabled(if: FileManager.default.fileExists(atPath: "/usr/share/datasets/fashion-mnist")))
    func aSignalEndsAFetch() throws {
        let curl = """
            #!/bin/sh
            while head -c 65536 /dev/zero; do sleep 0.01; done
            : > "$CURL_ENDED"
            """
        try folder.write(Array(curl.utf8), to: "bin/curl")
        try FileManager.default.setAttributes(
            [.posixPermissions: 0o755], ofItemAtPath: folder.url("bin/curl").path)
        let surroundings = """
            export PATH="$PWD/bin:$PATH" XDG_CACHE_HOME="$PWD/cache" CURL_ENDED="$PWD/ended"
            """
        let process = try Program.start(["data"], in: folder, shell: surroundings)
        let cache = "cache/swift-vgg/fashion-mnist"
        let partial = "train-images-idx3-ubyte.gz.partial"
        while process.isRunning, (try? folder.bytes("\(cache)/\(partial)").isEmpty) != false { usleep(1000) }
        kill(process.processIdentifier, SIGTERM)
        let result = try Program.finish(process, in: folder)
        #expect(result.status == 128 + SIGTERM && result.output.isEmpty)
        #expect(try folder.names(cache) == [partial])
        for _ in 0..<1000 where try !folder.names().contains("ended") { usleep(10_000) }
        #expect(try folder.names().contains("ended"))
    }
}
