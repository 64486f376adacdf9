import Foundation
import Testing
import VGGModel
import VGGServer

/// The studio's page and what it asks.
@Suite struct StudioTests {
    /// Scripts and styles are files of this server, and nothing else may run or be reached.
    @Test func thePageKeepsToItself() async throws {
        try await withServer(settings { $0.token = "0123456789abcdef" }) { client in
            let page = try await client.get("/")
            #expect(page.status == 200 && page.headers["content-type"] == "text/html; charset=utf-8")
            let policy = page.headers["content-security-policy"] ?? ""
            #expect(policy.hasPrefix("default-src 'none';") && !policy.contains("unsafe"))
            #expect(page.text.matches(of: /<script(?! type="module" src="\/studio\/)/).isEmpty)
            #expect(page.text.matches(of: /<style| style=| on\w+=|https?:/).isEmpty)
            var files: Set<String> = ["/studio/words.json"]
            for match in page.text.matches(of: /(?:src|href)="(\/studio\/[^"]+)"/) {
                files.insert(String(match.1))
            }
            var read: Set<String> = []
            while let file = files.subtracting(read).first {
                read.insert(file)
                let reply = try await client.get(file)
                #expect(reply.status == 200, "\(file)")
                for match in reply.text.matches(of: /from "(\/studio\/[^"]+)"/) {
                    files.insert(String(match.1))
                }
                #expect(
                    reply.text.matches(of: /\beval\(|innerHTML|https?:\/\/(?!www\.w3\.org)/).isEmpty,
                    "\(file)")
            }
            #expect(
                read.count == 12, "a new file of the page? it must be found from the others: \(read.sorted())"
            )
            // What is here needs the token.
            for path in ["runs", "models", "training", "curves", "events", "models/tiny"] {
                #expect(try await client.get("/studio/api/\(path)").status == 401, "\(path)")
            }
        }
    }

    /// Both languages have every word, and the page asks for no other.
    @Test func bothLanguagesHaveEveryWord() async throws {
        try await withServer { client in
            let words = try await client.get("/studio/words.json").json
            guard case .object(let english) = words["en"], case .object(let chinese) = words["zh"] else {
                Issue.record("no words")
                return
            }
            #expect(Set(english.keys) == Set(chinese.keys) && english.count > 100)
            for (key, text) in english {
                func places(_ text: JSON?) -> [String] {
                    (text?.string ?? "").matches(of: /\{\w+\}/).map { String($0.0) }.sorted()
                }
                #expect(places(text) == places(chinese[key]), "\(key)")
            }
            var asked: Set<String> = []
            for file in [
                "/", "/studio/runs.js", "/studio/network.js", "/studio/try.js", "/studio/errors.js",
                "/studio/pictures.js",
            ] {
                let text = try await client.get(file).text
                for match in text.matches(of: /(?:data-word=|word\()"([\w.-]+[\w-])"/) {
                    asked.insert(String(match.1))
                }
            }
            #expect(
                asked.count > 50 && asked.subtracting(english.keys).isEmpty,
                "\(asked.subtracting(english.keys))")
        }
    }

    @Test func runsAreShown() async throws {
        let runs = TestRuns()
        defer { runs.remove() }
        for (name, rate) in [("one", Float(0.1)), ("two", 0.2)] {
            try runs.add(name, rate: rate, metrics: TestRuns.epochs([2, 1]))
        }
        try await withServer(settings { $0.runs = runs.path }) { client in
            let table = try await client.get("/studio/api/runs").json
            #expect(table["runs"]?.elements?.compactMap { $0["name"]?.string } == ["one", "two"])
            #expect(table["settings"] == ["learningRate"])
            #expect(table["runs"]?.elements?.map { $0["values"] } == [["0.1"], ["0.2"]])
            let curves = try await client.get("/studio/api/curves?run=two&columns=100&smoothing=0").json
            #expect(curves["two"]?["train_loss"] == .numbers([1, 2, 2, 1]) && curves["one"] == nil)
            let smooth = try await client.get("/studio/api/curves?run=two&smoothing=0.5").json
            #expect(smooth["two"]?["train_loss"] == .numbers([1, 2, 2, 4.0 / 3]))
            for wrong in ["run=three", "run=../one", "run=one&smoothing=1"] {
                let status = try await client.get("/studio/api/curves?\(wrong)").status
                #expect([400, 404].contains(status), "\(wrong)")
            }
        }
    }

    /// The table comes once, and from then on the rows that change.
    @Test(.timeLimit(.minutes(1))) func onlyTheRunThatChangesIsSentAgain() async throws {
        let runs = TestRuns()
        defer { runs.remove() }
        for (name, rate) in [("one", Float(0.1)), ("two", 0.2)] {
            try runs.add(name, rate: rate, metrics: TestRuns.epochs([2, 1]))
        }
        try await withServer(settings { $0.runs = runs.path }) { client in
            let port = client.port
            try await blocking {
                let connection = try Connection(port: port)
                try connection.send("GET /studio/api/events HTTP/1.1\r\nHost: localhost:\(port)\r\n\r\n")
                let events = try Events(connection)
                let table = try #require(try events.next())
                #expect(table.name == "runs" && table.data["runs"]?.elements?.count == 2)
                try runs.write(TestRuns.epochs([2, 1, 0.5]), of: "two")
                let change = try #require(try events.next())
                #expect(change.name == "run" && change.data["name"] == "two")
                #expect(change.data["last"]?["epoch"] == 3)
                try runs.add("zero", rate: 0.3, metrics: TestRuns.epochs([2]))
                let whole = try #require(try events.next())
                #expect(whole.name == "runs" && whole.data["runs"]?.elements?.count == 3)
            }
        }
    }

    @Test func networksAndPicturesAreExplained() async throws {
        let photo = try TestModel.photo("exif2.jpg")
        try await withServer { client in
            let facts = try await client.get("/studio/api/models/tiny").json
            #expect(facts["drawing"]?.string?.hasPrefix("<svg ") == true)
            #expect(facts["layers"]?.elements?.count == TestModel.predictor.network.layers.count)
            #expect(facts["parameters"]?.integer == TestModel.predictor.network.parameterCount)
            let known = try await client.get("/studio/api/architectures/vgg16").json
            #expect(known["parameters"]?.integer == 138_357_544)
            #expect(try await client.get("/studio/api/architectures/vgg1").status == 404)

            let prediction = try await client.post("/v1/models/tiny/classify", photo).json
            let answer = try await client.post("/studio/api/models/tiny/explain", photo).json
            let labels = answer["top"]?.elements?.map { $0["label"]?.integer }
            #expect(
                labels == prediction["top"]?.elements?.map { $0["label"]?.integer }
                    && labels?.isEmpty == false)
            #expect(answer["seen"]?.string?.hasPrefix("data:image/png;base64,") == true)
            let shape = answer["map"]?["shape"]?.elements?.compactMap(\.integer) ?? []
            #expect(shape.count == 2 && answer["map"]?["values"]?.elements?.count == shape.reduce(1, *))
            let other = try await client.post("/studio/api/models/tiny/explain?class=1", photo).json
            #expect(other["label"] == 1)
            let maps = try await client.post("/studio/api/models/tiny/maps", photo).json
            let first = maps.elements?.first
            let size = first?["shape"]?.elements?.compactMap(\.integer) ?? []
            try #require(size.count == 3)
            let bytes = first?["channels"]?.elements?.first?["bytes"]?.string.flatMap {
                Data(base64Encoded: $0)
            }
            #expect(bytes?.count == size[1] * size[2])
            #expect(try await client.post("/studio/api/models/tiny/explain?class=99", photo).status == 400)
            #expect(try await client.post("/studio/api/models/tiny/explain?class=a", photo).status == 400)
            #expect(try await client.post("/studio/api/models/tiny/explain", [1, 2, 3]).status == 400)
            // The model does not say what it was trained on.
            #expect(try await client.get("/studio/api/models/tiny/errors").status == 404)
            #expect(try await client.get("/studio/api/models/tiny/examples/0").status == 404)
        }
    }

    /// Trainings start with the token alone, by options alone that lead to no file, and in a session of their own.
    @Test(.timeLimit(.minutes(1))) func trainingsAreGuarded() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "vgg-train-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let program = folder.appending(path: "vgg")
        // As `vgg train` it refuses what makes no sense, and else writes what the run is.
        let script = """
            #!/bin/sh
            case "$*" in *epochs=abc*) echo "error: abc is no number" >&2; exit 64;; esac
            echo "$@"
            ls /proc/self/fd | tr '\\n' ' '
            echo {} > "$3/config.json"
            exec sleep 50

            """
        try Data(script.utf8).write(to: program)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: program.path)
        let settings = settings {
            $0.runs = folder.appending(path: "runs").path
            $0.trainer = program.path
        }
        // The server's frameworks ignore signals to handle them elsewhere.
        let before = signal(SIGTERM, SIG_IGN)
        defer { signal(SIGTERM, before) }
        try await withServer(settings) { client in
            let path = "/studio/api/training/start"
            #expect(try await client.post(path, Array("{}".utf8)).status == 401)
            let token = ["Authorization": "Bearer \(settings.changeToken)"]
            for wrong in [
                "[", "{\"data\":\"folder:/etc\"}", "{\"options\":{\"data-dir\":\"x\"}}",
                "{\"options\":{\"size\":\"/etc/passwd\"}}", "{\"options\":{\"size\":\"1 --resume x\"}}",
                "{\"recipe\":\"../x\"}", "{\"init\":\"/etc/passwd\"}", "{\"options\":[]}", "[1]",
                "{\"recipe\":5}",
            ] {
                let status = try await client.post(path, Array(wrong.utf8), headers: token).status
                #expect([400, 404].contains(status), "\(wrong)")
            }
            let refused = try await client.post(
                path, Array("{\"options\":{\"epochs\":\"abc\"}}".utf8), headers: token)
            #expect(try refused.status == 400 && refused.problem == "abc is no number")
            let runs = folder.appending(path: "runs").path
            #expect(try FileManager.default.contentsOfDirectory(atPath: runs).isEmpty)
            let wish =
                "{\"recipe\":\"quick\",\"data\":\"mnist\",\"options\":{\"epochs\":\"3\",\"nesterov\":true}}"
            let name = try await client.post(path, Array(wish.utf8), headers: token).json["run"]?.string ?? ""
            let run = folder.appending(path: "runs/\(name)")
            let number = try String(contentsOf: run.appending(path: "studio.pid"), encoding: .utf8)
            let process = try #require(pid_t(number.dropLast()))
            var said = ""
            while !said.contains(" ") || said.split(separator: "\n").count < 2 {
                try await Task.sleep(for: .milliseconds(20))
                said = try String(contentsOf: run.appending(path: "studio.log"), encoding: .utf8)
            }
            let lines = said.split(separator: "\n")
            #expect(
                lines[0]
                    == "train --run-dir \(run.path) --recipe quick --data mnist --epochs=3 --nesterov --format json"
            )
            // The folder that ls reads is 3: nothing of the server's is open, above all not its port.
            #expect(lines[1].split(separator: " ").allSatisfy { Int($0) ?? 9 <= 3 }, "\(lines[1])")
            #expect(getsid(process) == process)
            #expect(kill(process, SIGTERM) == 0)
            while kill(process, 0) == 0 { try await Task.sleep(for: .milliseconds(20)) }
        }
    }
}
