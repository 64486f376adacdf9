import Foundation
import Testing
import VGGImages
import VGGInference
import VGGModel
import VGGServer

/// The Open Inference Protocol v2.
@Suite struct ProtocolTests {
    @Test func saysWhatItIs() async throws {
        try await withServer { client in
            let server = try await client.get("/v2").json
            #expect(server["name"] == "vgg-server")
            #expect(server["extensions"]?.elements?.contains("binary_tensor_data") == true)
            for path in ["/v2/health/live", "/v2/health/ready", "/v2/models/tiny/ready"] {
                #expect(try await client.get(path).status == 200)
            }
            let model = try await client.get("/v2/models/tiny").json
            #expect(model == (try await client.get("/v2/models/tiny/versions/1").json))
            let network = TestModel.predictor.network
            #expect(model["name"] == "tiny" && model["versions"] == ["1"])
            #expect(
                model["inputs"]?.elements == [
                    [
                        "name": "input", "datatype": "FP32",
                        "shape": .numbers([-1] + network.input.dimensions.map(Double.init)),
                    ]
                ])
            #expect(model["outputs"]?.elements?.map { $0["name"] } == ["logits", "probabilities"])
            let configuration = try await client.get("/v2/models/tiny/config").json
            #expect(configuration["max_batch_size"] == 16)
        }
    }

    @Test(arguments: [
        ("GET", "/v2/models/none", 404), ("GET", "/v2/models/tiny/versions/2", 404),
        ("POST", "/v2/models/none/infer", 404), ("GET", "/v2/models/tiny/infer", 405), ("POST", "/v2", 405),
        ("GET", "/nothing", 404), ("GET", "/v2/systemsharedmemory/status", 404),
        ("POST", "/v2/repository/models/tiny/unload", 404), ("TRACE", "/v2", 405), ("GET", "/%ff", 400),
        ("GET", "/v2/models/..%2f..%2fetc%2fpasswd", 404),
    ])
    func refusesWhatIsNotThere(_ method: String, _ path: String, _ status: Int) async throws {
        try await withServer { client in
            let reply = try await client.send(method, path)
            #expect(reply.status == status)
            #expect(try reply.problem?.isEmpty == false)
            #expect((reply.headers["allow"] != nil) == (status == 405))
        }
    }

    /// HEAD is GET without the body, also where it is an error, and the next answer follows.
    @Test(.timeLimit(.minutes(1))) func headsHaveNoBodies() async throws {
        try await withServer { client in
            let port = client.port
            let replies = try await blocking {
                let connection = try Connection(port: port)
                return try ["/v2", "/v2/models/none", "/v2/models/tiny/infer"].flatMap { path in
                    try connection.send("HEAD \(path) HTTP/1.1\r\nHost: localhost\r\n\r\n")
                    let head = try connection.receive(hasBody: false)
                    try connection.send("GET \(path) HTTP/1.1\r\nHost: localhost\r\n\r\n")
                    return [head, try connection.receive()]
                }
            }
            #expect(replies.map(\.status) == [200, 200, 404, 404, 405, 405])
            for place in [0, 2, 4] {
                let (head, whole) = (replies[place], replies[place + 1])
                #expect(head.headers["content-length"] == "\(whole.body.count)" && !whole.body.isEmpty)
            }
        }
    }

    @Test func jsonAndBinaryAreTheSameToTheBit() async throws {
        let images = try TestModel.images(3)
        let expected = try await TestModel.predictor.logits(for: images)
        try await withServer { client in
            let text = try await client.infer(request(images, ["id": "seven"]))
            #expect(text.status == 200 && text.headers["content-type"] == "application/json")
            let answer = try text.json
            #expect(
                answer["id"] == "seven" && answer["model_name"] == "tiny" && answer["model_version"] == "1")
            #expect(floats("logits", in: answer) == expected)
            let sums = try #require(floats("probabilities", in: answer))
            #expect(abs(sums.reduce(0, +) - 3) < 1e-5)

            let values = bytes(images.values)
            let header: JSON = [
                "inputs": [
                    [
                        "name": "input", "datatype": "FP32",
                        "shape": .integers([3] + images.shape.dimensions),
                        "parameters": ["binary_data_size": .number(Double(values.count))],
                    ]
                ],
                "outputs": [["name": "logits", "parameters": ["binary_data": true]]],
            ]
            let binary = try await client.infer(header, binary: values)
            #expect(binary.status == 200 && binary.headers["content-type"] == "application/octet-stream")
            let length = try #require(binary.headers["inference-header-content-length"].flatMap { Int($0) })
            let json = try JSON(reading: binary.body[..<length])
            #expect(
                json["outputs"]?.elements?.first?["parameters"]?["binary_data_size"]
                    == .number(Double(4 * expected.count)))
            #expect(floats(binary.body[length...]) == expected)

            // All outputs are binary where nothing else is said.
            let all = try await client.infer(request(images, ["parameters": ["binary_data_output": true]]))
            let start = try #require(all.headers["inference-header-content-length"].flatMap { Int($0) })
            #expect(floats(all.body[start...].prefix(4 * expected.count)) == expected)
        }
    }

    @Test func nestedArraysAndBF16AreInputs() async throws {
        let images = try TestModel.images(1)
        let rounded = try ImageBatch(
            images.values.map { Float(bitPattern: $0.bitPattern & 0xFFFF_0000) }, shape: images.shape)
        let expected = try await TestModel.predictor.logits(for: rounded)
        let (channels, height, width) = (
            images.shape.dimensions[0], images.shape.dimensions[1], images.shape.dimensions[2]
        )
        try await withServer { client in
            var rest = rounded.values[...]
            let nested = JSON.array([
                .array(
                    (0..<channels).map { _ in
                        .array(
                            (0..<height).map { _ in
                                defer { rest = rest.dropFirst(width) }
                                return .floats(rest.prefix(width))
                            })
                    })
            ])
            let shape = JSON.integers([1, channels, height, width])
            let tensor: JSON = ["name": "input", "datatype": "FP32", "shape": shape, "data": nested]
            let text = try await client.infer(["inputs": [tensor]])
            #expect(floats("logits", in: try text.json) == expected)
            let halves = rounded.values.flatMap { value in
                [UInt8(truncatingIfNeeded: value.bitPattern >> 16), UInt8(value.bitPattern >> 24)]
            }
            let half: JSON = [
                "inputs": [
                    [
                        "name": "input", "datatype": "BF16", "shape": shape,
                        "parameters": ["binary_data_size": .number(Double(halves.count))],
                    ]
                ]
            ]
            #expect(floats("logits", in: try await client.infer(half, binary: halves).json) == expected)
        }
    }

    /// Pictures are prepared as `vgg predict` does it.
    @Test(arguments: ["baseline-420.jpg", "exif2.png", "exif2.webp"])
    func picturesAreInputs(_ name: String) async throws {
        let photo = try TestModel.photo(name)
        let expected = try await TestModel.predictor.prediction(for: RGBImage(decoding: photo))
        let elements = [photo, photo].flatMap { photo in
            withUnsafeBytes(of: UInt32(photo.count).littleEndian) { Array($0) } + photo
        }
        try await withServer { client in
            let input: [String: JSON] = ["name": "input", "datatype": "BYTES"]
            let sized = JSON.object(
                input.merging([
                    "shape": [2, 1], "parameters": ["binary_data_size": .number(Double(elements.count))],
                ]) { $1 })
            let binary = try await client.infer(["inputs": [sized]], binary: elements).json
            #expect(floats("logits", in: binary) == expected.logits + expected.logits)
            let text = JSON.object(
                input.merging([
                    "shape": [1], "parameters": ["content_type": "base64"],
                    "data": [.string(Data(photo).base64EncodedString())],
                ]) { $1 })
            #expect(floats("logits", in: try await client.infer(["inputs": [text]]).json) == expected.logits)
            let broken = try await client.infer(["inputs": [sized]], binary: elements.map { $0 &+ 1 })
            #expect(broken.status == 400)
        }
    }

    @Test func classesHaveNames() async throws {
        let images = try TestModel.images(2)
        let top = try await TestModel.predictor.predictions(for: images, top: 2)
        let expected = top.flatMap { prediction in
            prediction.top.map { "\(prediction.logits[$0.label]):\($0.label):\($0.class)" }
        }
        let wanted: JSON = [["name": "logits", "parameters": ["classification": 2]]]
        let binary: JSON = [["name": "logits", "parameters": ["classification": 2, "binary_data": true]]]
        try await withServer { client in
            let answer = try await client.infer(request(images, ["outputs": wanted])).json
            let output = try #require(answer["outputs"]?.elements?.first)
            #expect(output["datatype"] == "BYTES" && output["shape"] == .numbers([2, 2]))
            #expect(output["data"] == .array(expected.map(JSON.string)))
            let reply = try await client.infer(request(images, ["outputs": binary]))
            let start = try #require(reply.headers["inference-header-content-length"].flatMap { Int($0) })
            let bytes = expected.flatMap { text in
                withUnsafeBytes(of: UInt32(text.utf8.count).littleEndian) { Array($0) } + Array(text.utf8)
            }
            #expect(Array(reply.body[start...]) == bytes)
        }
    }

    @Test(arguments: Compression.allCases)
    func bodiesMayBePacked(_ compression: Compression) async throws {
        let images = try TestModel.images(1)
        let expected = try await TestModel.predictor.logits(for: images)
        let packed = try #require(compression.packed(Array(request(images).line.utf8)))
        try await withServer { client in
            let reply = try await client.post(
                "/v2/models/tiny/infer", packed,
                headers: ["Content-Encoding": compression.rawValue, "Accept-Encoding": compression.rawValue])
            #expect(reply.status == 200 && reply.headers["content-encoding"] == compression.rawValue)
            let answer = try JSON(reading: compression.unpacked(reply.body, limit: 1 << 20)[...])
            #expect(floats("logits", in: answer) == expected)
            let wrong = try await client.post(
                "/v2/models/tiny/infer", packed, headers: ["Content-Encoding": "br"])
            #expect(wrong.status == 415)
        }
    }

    @Test func manyAtOnceGetTheAnswersOfEachAlone() async throws {
        try await withServer { client in
            let count = 48
            let expected = try await withThrowingTaskGroup(of: (Int, [Float]).self) { group in
                var expected: [Int: [Float]] = [:]
                for number in 0..<count {
                    expected[number] = try await TestModel.predictor.logits(
                        for: TestModel.images(1 + number % 3, seed: number))
                    group.addTask {
                        let images = try TestModel.images(1 + number % 3, seed: number)
                        let answer = try await client.infer(request(images)).json
                        return (number, floats("logits", in: answer) ?? [])
                    }
                }
                for try await (number, logits) in group { #expect(logits == expected[number]) }
                return expected
            }
            #expect(expected.count == count)
            let statistics = try #require(
                try await client.get("/v2/models/tiny/stats").json["model_stats"]?.elements?.first)
            #expect(statistics["inference_count"] == .number(96))
            #expect(statistics["inference_stats"]?["success"]?["count"] == .number(48))
            let metrics = try await client.get("/metrics").text
            #expect(metrics.contains("vgg_images_total{model=\"tiny\"} 96\n"))
            #expect(metrics.contains("route=\"/v2/models/{name}/infer\",status=\"200\"} 48\n"))
        }
    }

    private static let pixels = TestModel.predictor.network.input.dimensions

    @Test(arguments: [
        "", "[]", "{", "{}", #"{"inputs":[]}"#, #"{"inputs":7}"#, #"{"inputs":[7]}"#,
        #"{"inputs":[{"name":"other","datatype":"FP32","shape":[1],"data":[1]}]}"#,
        #"{"inputs":[{"name":"input","datatype":"FP64","shape":SHAPE,"data":DATA}]}"#,
        #"{"inputs":[{"name":"input","datatype":"FP32","shape":[1,2],"data":[1,2]}]}"#,
        #"{"inputs":[{"name":"input","datatype":"FP32","shape":[1.5],"data":DATA}]}"#,
        #"{"inputs":[{"name":"input","datatype":"FP32","shape":[],"data":DATA}]}"#,
        #"{"inputs":[{"name":"input","datatype":"FP32","shape":SHAPE,"data":[1]}]}"#,
        #"{"inputs":[{"name":"input","datatype":"FP32","shape":SHAPE,"data":["a"]}]}"#,
        #"{"inputs":[{"name":"input","datatype":"FP32","shape":SHAPE}]}"#,
        #"{"inputs":[{"name":"input","datatype":"BF16","shape":SHAPE,"data":DATA}]}"#,
        #"{"inputs":[{"name":"input","datatype":"BYTES","shape":[1],"data":["no picture"]}]}"#,
        #"{"inputs":[{"name":"input","datatype":"BYTES","shape":[1],"data":"no array"}]}"#,
        #"{"inputs":[{"name":"input","datatype":"FP32","shape":SHAPE,"parameters":{"shared_memory_region":"a"}}]}"#,
        #"{"inputs":[{"name":"input","datatype":"FP32","shape":SHAPE,"parameters":{"binary_data_size":4}}]}"#,
        #"{"inputs":[{"name":"input","datatype":"FP32","shape":SHAPE,"data":HUGE}]}"#,
        #"{"inputs":[{"name":"input","datatype":"FP32","shape":SHAPE,"data":DATA}],"outputs":[{"name":"x"}]}"#,
        #"{"inputs":[{"name":"input","datatype":"FP32","shape":SHAPE,"data":DATA}],"id":{}}"#,
        #"{"inputs":[{"name":"input","datatype":"FP32","shape":SHAPE,"data":DATA}],"parameters":{"timeout":-1}}"#,
        #"{"inputs":[{"name":"input","datatype":"FP32","shape":SHAPE,"data":DATA}],"outputs":[{"name":"logits","parameters":{"classification":0}}]}"#,
    ])
    func saysWhatIsWrong(_ pattern: String) async throws {
        let count = Self.pixels.reduce(1, *)
        let body = pattern.replacing("SHAPE", with: JSON.integers([1] + Self.pixels).line)
            .replacing("DATA", with: JSON.floats(Array(repeating: 0.5, count: count)).line)
            .replacing("HUGE", with: JSON.floats(Array(repeating: 3e38, count: count)).line)
        try await withServer { client in
            let reply = try await client.post("/v2/models/tiny/infer", Array(body.utf8))
            #expect(reply.status == 400, "\(reply.text)")
            #expect(try reply.problem?.isEmpty == false)
        }
    }

    @Test func refusesMoreThanABatch() async throws {
        try await withServer(settings { $0.maxBatchSize = 2 }) { client in
            let (fitting, larger) = (try TestModel.images(2), try TestModel.images(3))
            let accepted = try await client.infer(request(fitting))
            let refused = try await client.infer(request(larger))
            #expect(accepted.status == 200 && refused.status == 400)
        }
    }
}
