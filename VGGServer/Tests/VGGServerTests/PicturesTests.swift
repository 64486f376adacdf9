import Foundation
import Testing
import VGGEngine
import VGGFormats
import VGGImages
import VGGInference
import VGGModel
import VGGPerception
import VGGServer

/// Two pictures: how alike they look, and one in the manner of the other.
@Suite struct PicturesTests {
    private let type = ["Content-Type": "multipart/form-data; boundary=b"]

    private func form(_ files: KeyValuePairs<String, [UInt8]>) -> [UInt8] {
        var form: [UInt8] = []
        for (name, bytes) in files {
            form += "--b\r\nContent-Disposition: form-data; name=\"\(name)\"; filename=\"x\"\r\n\r\n".utf8
            form += bytes
            form += "\r\n".utf8
        }
        return form + "--b--\r\n".utf8
    }

    // MARK: Distances

    /// What the library says of squares of a model's maps.
    private func library(
        _ metric: (Network) -> PerceptualMetric, _ path: String, _ photos: [[UInt8]], size: Int
    ) throws -> (distance: Double, layers: [(name: String, distance: Double)]) {
        let model = try TrainedModel(runOrWeights: path)
        let predictor = try Predictor(model, device: .cpu(threads: 1))
        let network = try predictor.network.withoutClassifier()
        let distance = try PerceptualDistance(
            metric(network), network, weights: model.tensors(for: network), height: size, width: size,
            device: .cpu(threads: 1))
        let colours = PictureColours(predictor.preprocessing)
        let square = try Preprocessing.plain(size)
        let values = try photos.flatMap {
            try colours.input(
                of: colours.numbers(of: square.crop(RGBImage(decoding: $0))), height: size, width: size
            ).values
        }
        let seen = try distance.embeddings(
            of: ImageBatch(values, count: photos.count, shape: distance.input))
        return (seen[0].distance(to: seen[1]), distance.layers(of: seen[0], seen[1]))
    }

    private func check(
        _ answer: JSON?, is expected: (distance: Double, layers: [(name: String, distance: Double)])
    ) {
        #expect(answer?["distance"] == .number(expected.distance) && expected.distance > 0)
        let layers = answer?["layers"]?.elements ?? []
        #expect(layers.compactMap { $0["layer"]?.string } == expected.layers.map(\.name))
        #expect(layers.compactMap { $0["distance"] } == expected.layers.map { JSON.number($0.distance) })
    }

    @Test func distancesAreTheLibrarys() async throws {
        let photos = try ["exif2.jpg", "grey.jpg"].map(TestModel.photo)
        let expected = try library(
            { .features(PerceptualMetric.lastReLUs(of: $0)) }, TestModel.path, photos, size: 48)
        let (type, form) = (self.type, self.form(["a": photos[0], "b": photos[1]]))
        let twice = self.form(["a": photos[0], "b": photos[0]])
        let (alone, broken) = (
            self.form(["a": photos[0]]), self.form(["a": photos[0], "b": Array("GIF89a".utf8)])
        )
        let whole = try RGBImage(decoding: photos[0])
        try await withServer { client in
            let path = "/v1/models/tiny/distance?size=48"
            let answer = try await client.post(path, form, headers: type).json
            check(answer["features"], is: expected)
            #expect(answer["width"] == 48 && answer["height"] == 48 && answer["lpips"] == nil)
            // Of one size they are compared whole, no larger than they are.
            let same = try await client.post("/v1/models/tiny/distance?size=1024", twice, headers: type).json
            #expect(same["features"]?["distance"] == 0)
            #expect(same["width"]?.integer == whole.width && same["height"]?.integer == whole.height)
            for (path, body, type) in [
                ("/v1/models/tiny/distance?size=15", form, type),
                ("/v1/models/tiny/distance?size=x", form, type),
                (path, alone, type), (path, broken, type), (path, form, [:]), (path, photos[0], type),
            ] {
                let reply = try await client.post(path, body, headers: type)
                #expect(try reply.status == 400 && reply.problem != nil)
            }
            #expect(try await client.post("/v1/models/none/distance", form, headers: type).status == 404)
        }
    }

    /// A VGG-16 of four channels with random weights, in a file.
    private func smallVGG16() throws -> String {
        let network = try vgg(
            ConvArch([2, 2, 3, 3, 3].map { Array(repeating: 4, count: $0) }), size: 32, inChannels: 3,
            classes: 2,
            hiddenFeatures: [8])
        var state = UInt64(1)
        let tensors = network.parameters.map { parameter in
            let values = (0..<parameter.shape.reduce(1, *)).map { _ -> Float in
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                return Float(state >> 40) / Float(1 << 24) - 0.4
            }
            return (name: parameter.name, tensor: Tensor(shape: parameter.shape, values: values))
        }
        let folder = FileManager.default.temporaryDirectory.appending(path: "vgg16-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let file = folder.appending(path: "small.safetensors").path
        try Safetensors(tensors: NamedTensors(tensors)).write(to: file)
        return file
    }

    @Test func linearWeightsMakeLPIPS() async throws {
        func weights(channels: Int) throws -> LPIPSWeights {
            let tensor = Tensor(shape: [1, channels, 1, 1], values: (0..<channels).map { Float($0 + 1) })
            return try LPIPSWeights(
                Dictionary(uniqueKeysWithValues: (0..<5).map { ("lin\($0).model.1.weight", tensor) }))
        }
        let path = try smallVGG16()
        defer { try? FileManager.default.removeItem(atPath: (path as NSString).deletingLastPathComponent) }
        let photos = try ["exif2.jpg", "grey.jpg"].map(TestModel.photo)
        let linear = try weights(channels: 4)
        let expected = try library({ _ in .lpips(linear) }, path, photos, size: 32)
        let (type, form) = (self.type, self.form(["a": photos[0], "b": photos[1]]))
        try await withServer(settings { $0.linear = linear }, model: path) { client in
            let answer = try await client.post("/v1/models/small/distance?size=32", form, headers: type).json
            check(answer["lpips"], is: expected)
            #expect(answer["features"]?["layers"]?.elements?.count == 5)
        }
        // Those of another network are not this one's affair.
        let others = try weights(channels: 5)
        try await withServer(settings { $0.linear = others }, model: path) { client in
            let answer = try await client.post("/v1/models/small/distance?size=32", form, headers: type).json
            #expect(answer["features"] != nil && answer["lpips"] == nil)
        }
    }

    // MARK: Stylisations

    private static func picture(_ event: JSON) throws -> RGBImage? {
        guard let address = event["picture"]?.string else { return nil }
        let bytes = try #require(
            Data(base64Encoded: String(address.dropFirst("data:image/png;base64,".count))))
        return try RGBImage(decoding: Array(bytes))
    }

    @Test(.timeLimit(.minutes(1))) func aPictureGrows() async throws {
        let photos = try ["exif2.jpg", "grey.jpg"].map(TestModel.photo)
        let form = self.form(["content": photos[0], "style": photos[1]])
        let model = try TrainedModel(runOrWeights: TestModel.path)
        let network = try TestModel.predictor.network.withoutClassifier()
        var stylization = Stylization(
            network, weights: try model.tensors(for: network),
            preprocessing: TestModel.predictor.preprocessing,
            device: .cpu(threads: 1))
        stylization.settings.scales = [.init(size: 40, steps: 5)]
        stylization.settings.styleWeight = 2e6
        stylization.settings.optimizer = .lbfgs(LBFGS())
        var losses: [Double] = []
        let expected = try stylization.picture(
            of: RGBImage(decoding: photos[0]), inTheMannerOf: [(RGBImage(decoding: photos[1]), 1)]
        ) { state in
            losses.append(state.losses.total)
            return true
        }
        let (wanted, settings) = (losses, settings { _ in })
        try await withServer(settings) { client in
            let port = client.port
            try await blocking {
                let events = try Events(
                    Connection(port: port), port: port, "size=40&steps=5&every=2&optimizer=lbfgs&style=2",
                    form,
                    token: settings.changeToken)
                #expect(
                    events.reply.status == 200 && events.reply.headers["content-type"] == "text/event-stream")
                let all = try events.rest()
                #expect(all.map(\.name) == ["begin"] + Array(repeating: "step", count: 5) + ["end"])
                #expect(all[0].data["width"]?.integer == expected.width && all[0].data["steps"] == 5)
                let steps = all.filter { $0.name == "step" }.map(\.data)
                #expect(steps.compactMap { $0["step"]?.integer } == [1, 2, 3, 4, 5])
                #expect(steps.compactMap { $0["loss"] } == wanted.map(JSON.number))
                let pictures = try steps.map(Self.picture)
                #expect(pictures.map { $0 != nil } == [false, true, false, true, false])
                #expect(pictures[1] != pictures[3])
                #expect(all.last?.data["step"] == 5)
                #expect(try Self.picture(all[6].data) == expected)
            }
        }
    }

    /// The token, a form of two pictures and options within their bounds are needed.
    @Test func stylisationsAreGuarded() async throws {
        let photo = try TestModel.photo("exif2.jpg")
        let (form, alone) = (self.form(["content": photo, "style": photo]), self.form(["content": photo]))
        let (settings, type) = (settings { _ in }, type)
        try await withServer(settings) { client in
            let path = "/v1/models/tiny/stylize"
            #expect(try await client.post(path, form, headers: type).status == 401)
            let headers = type.merging(["Authorization": "Bearer \(settings.changeToken)"]) { $1 }
            for wrong in [
                "size=1025", "size=0", "steps=0", "steps=1001", "every=0", "optimizer=sgd", "start=x",
                "colours=x",
                "style=-1", "style=nan", "style=1e7",
            ] {
                let reply = try await client.post("\(path)?\(wrong)", form, headers: headers)
                #expect(try reply.status == 400 && reply.problem != nil, "\(wrong)")
            }
            #expect(try await client.post(path, alone, headers: headers).status == 400)
            #expect(try await client.post(path, photo, headers: headers).status == 400)
            #expect(try await client.post("/v1/models/none/stylize", form, headers: headers).status == 404)
            // None of these is being painted.
            let reply = try await client.post("\(path)?steps=1&size=16", form, headers: headers)
            #expect(reply.status == 200)
        }
    }

    /// While a picture is painted others wait, and networks answer; a client that hangs up has had enough.
    @Test(.timeLimit(.minutes(1)), arguments: [true, false])
    func oneIsPaintedAtATime(_ closes: Bool) async throws {
        let photo = try TestModel.photo("exif2.jpg")
        let (settings, form) = (settings { _ in }, self.form(["content": photo, "style": photo]))
        let headers = type.merging(["Authorization": "Bearer \(settings.changeToken)"]) { $1 }
        try await withServer(settings) { client in
            let port = client.port
            let first = try await blocking {
                let connection = try Connection(port: port)
                let events = try Events(
                    connection, port: port, "size=256&steps=1000&every=1000", form,
                    token: settings.changeToken)
                #expect(try events.next()?.name == "begin" && events.next()?.name == "step")
                return UncheckedBox(connection)
            }
            let path = "/v1/models/tiny/stylize?size=16&steps=1"
            let second = try await client.post(path, form, headers: headers)
            #expect(second.status == 409 && second.headers["retry-after"] == "1")
            #expect(try second.problem == "another picture is being painted")
            #expect(try await client.infer(request(TestModel.images(1))).status == 200)
            if closes { first.value = nil } else { first.value?.endSending() }
            while try await client.post(path, form, headers: headers).status == 409 {
                try await Task.sleep(for: .milliseconds(20))
            }
            withExtendedLifetime(first) {}
        }
    }

    /// Who does not listen is left, and others get their turn.
    @Test(.timeLimit(.minutes(1))) func whoDoesNotListenIsLeft() async throws {
        let photo = try TestModel.photo("exif2.jpg")
        let settings = settings { $0.timeout = .seconds(1) }
        let form = self.form(["content": photo, "style": photo])
        let headers = type.merging(["Authorization": "Bearer \(settings.changeToken)"]) { $1 }
        try await withServer(settings) { client in
            let port = client.port
            let deaf = try await blocking {
                let connection = try Connection(port: port)
                // Pictures of noise fill what the system keeps for the client.
                let events = try Events(
                    connection, port: port, "size=1024&steps=1000&every=1&start=noise&style=0", form,
                    token: settings.changeToken)
                #expect(events.reply.status == 200)
                return UncheckedBox(connection)
            }
            let path = "/v1/models/tiny/stylize?size=16&steps=1"
            while try await client.post(path, form, headers: headers).status == 409 {
                try await Task.sleep(for: .milliseconds(50))
            }
            withExtendedLifetime(deaf) {}
        }
    }

    /// The server's end is the picture's, which is sent as it is then.
    @Test(.timeLimit(.minutes(1))) func theEndKeepsThePicture() async throws {
        let photo = try TestModel.photo("exif2.jpg")
        let (settings, form) = (settings { _ in }, self.form(["content": photo, "style": photo]))
        let box = try await withServer(settings) { client in
            let port = client.port
            return try await blocking {
                let events = try Events(
                    Connection(port: port), port: port, "size=256&steps=1000&every=1000", form,
                    token: settings.changeToken)
                #expect(try events.next()?.name == "begin" && events.next()?.name == "step")
                return EventsBox(events)
            }
        }
        let last = try #require(try box.events.rest().last)
        #expect(last.name == "end" && last.data["step"]?.integer ?? 1000 < 1000)
        #expect(try Self.picture(last.data)?.width == 256 || Self.picture(last.data)?.height == 256)
    }

    /// One task hands it to the next.
    private final class EventsBox: @unchecked Sendable {
        let events: Events

        init(_ events: Events) { self.events = events }
    }
}

extension Events {
    /// A stylisation's.
    fileprivate convenience init(
        _ connection: Connection, port: Int, _ query: String, _ form: [UInt8], token: String
    ) throws {
        try connection.send(
            "POST /v1/models/tiny/stylize?\(query) HTTP/1.1\r\nHost: localhost\r\n"
                + "Authorization: Bearer \(token)\r\nContent-Type: multipart/form-data; boundary=b\r\n"
                + "Content-Length: \(form.count)\r\n\r\n")
        try connection.send(form)
        try self.init(connection)
    }
}
