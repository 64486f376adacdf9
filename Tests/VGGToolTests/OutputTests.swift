import Foundation
import Testing
import VGGKit

private let training = """
    train --conv-arch 1x8,1x16 --size 8 --batch-size 32 --train-limit 320 --test-limit 100 --precision fp32
    """

extension ToolTests {
    /// As a full disk does, `/dev/full` takes nothing.
    @Test(arguments: [
        "summary", "summary --format json", "--help", "--version", "help train", "eval --help",
        "\(training) --estimate",
    ])
    func aResultThatCannotBeWrittenIsAFailure(_ arguments: String) throws {
        let full = try run(arguments, shell: "exec >/dev/full")
        #expect(full.status == 1)
        #expect(full.errors == "error: standard output cannot be written: No space left on device\n")
        let closed = try run(arguments, shell: "exec >&-")
        #expect(closed.status == 1)
        #expect(closed.errors == "error: standard output cannot be written: Bad file descriptor\n")
    }

    @Test func halfALineOfJSONIsAFailure() throws {
        // A limit on the size of files, in units of 512 or 1024 bytes, lets the first part through.
        let result = try run("summary --arch vgg19 --format json", shell: "ulimit -f 1")
        #expect(result.status == 1 && !result.output.isEmpty && !result.output.hasSuffix("}\n"))
        #expect(result.errors == "error: standard output cannot be written: File too large\n")
    }

    @Test func aClosedPipeEndsQuietly() throws {
        let result = try run(
            "summary", shell: #"{ sleep 0.3; "$0" "$@"; echo $? >status; } | true; exit"#)
        #expect(try String(contentsOf: folder.url("status"), encoding: .utf8) == "\(128 + SIGPIPE)\n")
        #expect(result.errors.isEmpty)
    }

    @Test func aTrainingBehindAClosedPipeIsSaved() throws {
        let result = try run(
            "\(training) --epochs 100000 --run-dir run",
            shell: #"{ "$0" "$@"; echo $? >status; } | head -n 3; exit"#)
        #expect(try String(contentsOf: folder.url("status"), encoding: .utf8) == "\(128 + SIGPIPE)\n")
        #expect(result.errors.hasSuffix("the run is saved; go on with: vgg train --resume run\n"))
        let run = RunFolder(folder.url("run").path)
        let epochs = try #require(try run.readMetrics().last?.step) / 10 + 1
        #expect(try self.run("train --resume run --epochs \(epochs)").status == 0)
    }

    @Test func aTrainingThatCannotBeToldAboutIsSaved() throws {
        let result = try run("\(training) --run-dir run --format json", shell: "exec >/dev/full")
        #expect(result.status == 1)
        let problem = "error: standard output cannot be written: No space left on device"
        #expect(result.errors == "\(problem); the run is saved; go on with: vgg train --resume run\n")
        #expect(try run("train --resume run --epochs 1").status == 0)
    }

    @Test(arguments: ["exec 2>/dev/full", "exec 2>&-", "exec </dev/null 0<&-"])
    func messagesAreNoneOfATrainingsBusiness(_ shell: String) throws {
        // The first says something on standard error.
        let result = try run(
            "\(training) --lr 1e-12 --epochs 1 --run-dir run", shell: "export VGG_MAX_ISA=avx2; \(shell)")
        #expect(result.status == 0)
        #expect(result.lines.last?.contains("examples/sec on cpu") == true)
    }

    /// The files of a program whose standard output is closed do not become it.
    @Test func closedDescriptorsAreNotReused() throws {
        #expect(try run("\(training) --max-steps 1 --run-dir run").status == 0)
        for (name, shell) in [("open", ":"), ("closed", "exec <&- >&- 2>&-")] {
            #expect(try run("convert run \(name).safetensors", shell: shell).status == 0)
        }
        #expect(try folder.bytes("open.safetensors") == folder.bytes("closed.safetensors"))
    }

    @Test func outputsThatAreNoFilesAreWrittenThrough() throws {
        #expect(try run("data --output /dev/null --format json").status == 0)
        var status = stat()
        #expect(stat("/dev/null", &status) == 0 && status.st_mode & S_IFMT == S_IFCHR)
        #expect(try run("data --output sheet.png").status == 0)
        // What is there already stays.
        let piped = try run(
            "data --output /dev/stdout", shell: #"printf old >out; "$0" "$@" >>out; exit"#)
        #expect(piped.status == 0)
        #expect(try folder.bytes("out").starts(with: Data("old".utf8) + folder.bytes("sheet.png")))
    }

    @Test func weightsThatAreNotFiniteFail() throws {
        #expect(try run("\(training) --max-steps 1 --run-dir run").status == 0)
        let path = folder.url("run/model.safetensors").path
        var file = try Safetensors(contentsOf: path)
        for value in [Float.nan, .infinity] {
            file.tensors["features.0.weight"]?.values[0] = value
            try file.write(to: path)
            for command in [
                "eval run --test-limit 10", "predict run --index 0", "train --init run --run-dir other",
            ] {
                let result = try self.run(command)
                #expect(result.status == 1 && result.output.isEmpty, "\(command)")
                #expect(result.errors.contains("model.safetensors") && result.errors.contains("not finite"))
                #expect(result.errors.split(separator: "\n").count == 1)
            }
        }
        #expect(!FileManager.default.fileExists(atPath: folder.url("other").path))
    }
}
