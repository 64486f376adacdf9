import Testing
import VGGImages
import VGGInference
import VGGServer

/// What is for people and for those who watch.
@Suite struct PeopleTests {
    @Test func classifyAnswersAsPredictPrints() async throws {
        let photo = try TestModel.photo("exif2.jpg")
        let prediction = try await TestModel.predictor.prediction(for: RGBImage(decoding: photo), top: 3)
        let expected = try prediction.json
        let form =
            Array(
                "--b\r\nContent-Disposition: form-data; name=\"image\"; filename=\"/etc/passwd\"\r\n\r\n".utf8
            ) + photo
            + Array("\r\n--b--\r\n".utf8)
        try await withServer { client in
            let path = "/v1/models/tiny/classify?top=3"
            let body = try await client.post(path, photo, headers: ["Content-Type": "image/jpeg"])
            #expect(body.status == 200 && body.text == expected)
            let type = ["Content-Type": "multipart/form-data; boundary=b"]
            #expect(try await client.post(path, form, headers: type).text == expected)
            #expect(try await client.post(path, Array(form.dropLast(6)), headers: type).status == 400)
            for wrong in [[], Array("GIF89a".utf8), Array(photo.dropLast(photo.count / 2))] {
                let reply = try await client.post(path, wrong)
                #expect(try reply.status == 400 && reply.problem?.hasPrefix("picture: ") == true)
            }
            #expect(try await client.post("/v1/models/tiny/classify?top=0", photo).status == 400)
            #expect(try await client.post("/v1/models/none/classify", photo).status == 404)
        }
    }

    @Test func featuresAreTheExecutors() async throws {
        let photo = try TestModel.photo("exif2.jpg")
        let predictor = TestModel.predictor
        let model = try TrainedModel(runOrWeights: TestModel.path)
        let layer = try predictor.network.layerIndex(named: "conv1_1")
        let executor = try model.executor(
            for: predictor.network, batchSize: 1, keeping: [layer], device: .cpu(threads: 1))
        let image = try predictor.preprocessing.input(from: RGBImage(decoding: photo))
        let expected = try #require(executor.features(image)[layer])
        let last = "classifier.\(0)"
        try await withServer { client in
            let reply = try await client.post("/v1/models/tiny/features?layer=conv1_1", photo)
            let answer = try reply.json
            #expect(answer["shape"] == .numbers(expected.shape.dropFirst().map(Double.init)))
            guard case .numbers(let numbers) = answer["values"] else {
                Issue.record("\(reply.text.prefix(200))")
                return
            }
            #expect(numbers.map { Float($0) } == Array(expected.values))
            for pooling in FeaturePooling.allCases {
                let pooled = pooling.pooled(expected)
                let path = "/v1/models/tiny/features?layer=conv1_1&pool=\(pooling.rawValue)"
                let answer = try await client.post(path, photo).json
                #expect(answer["shape"] == .numbers(pooled.shape.dropFirst().map(Double.init)))
                guard case .numbers(let numbers) = answer["values"] else {
                    Issue.record("\(pooling)")
                    continue
                }
                #expect(numbers.map { Float($0) } == Array(pooled.values))
            }
            let wrong = try await client.post("/v1/models/tiny/features?layer=conv1_1&pool=x", photo)
            #expect(wrong.status == 400)
            #expect(try await client.post("/v1/models/tiny/features?layer=\(last)", photo).status == 200)
            #expect(try await client.post("/v1/models/tiny/features?layer=none", photo).status == 400)
            #expect(try await client.post("/v1/models/tiny/features", photo).status == 400)
        }
    }

    /// A model that ships needs no file.
    @Test func whatShipsIsServedByItsName() async throws {
        let shipped = ShippedModel.fashionMNIST
        let photo = try TestModel.photo("exif2.png")
        let predictor = try Predictor(shipped: shipped, device: .cpu(threads: 1))
        let expected = try await predictor.prediction(for: RGBImage(decoding: photo)).json
        try await withServer(model: shipped.rawValue) { client in
            let reply = try await client.post("/v1/models/fashion-mnist/classify", photo)
            #expect(reply.status == 200 && reply.text == expected)
        }
    }

    /// As `vgg predict --preprocessing garment` does it: what is transparent becomes a background.
    @Test func garmentsAreLookedFor() async throws {
        let shipped = ShippedModel.fashionMNIST
        let photo = try TestModel.photo("rgba8.png")
        let predictor = try Predictor(shipped: shipped, device: .cpu(threads: 1))
        let image = try predictor.preprocessing.looking(for: .garment)
            .input(from: RGBImage(decoding: photo, alpha: .blended))
        let expected = try #require(try await predictor.predictions(for: image).first)
        try await withServer(model: shipped.rawValue) { client in
            let path = "/v1/models/fashion-mnist/classify"
            let reply = try await client.post("\(path)?preprocessing=garment", photo)
            #expect(try reply.text == expected.json)
            let whole = try await client.post("\(path)?preprocessing=model", photo).text
            let usual = try await client.post(path, photo).text
            #expect(whole != reply.text && whole == usual)
            #expect(try await client.post("\(path)?preprocessing=shoe", photo).status == 400)
            let studio = "/studio/api/models/fashion-mnist/explain"
            let explained = try await client.post("\(studio)?preprocessing=garment", photo).json
            #expect(explained["top"]?.elements?.first?["label"]?.integer == expected.top[0].label)
            let plain = try await client.post(studio, photo).json
            #expect(explained["seen"] != plain["seen"])
        }
    }

    /// Every endpoint is in the document, and has a name of its own.
    @Test func theDocumentIsWhole() async throws {
        let settings = settings { _ in }
        try await withServer(settings) { client in
            let document = try await client.get("/openapi.json").json
            guard case .object(let paths) = document["paths"] else {
                Issue.record("no paths")
                return
            }
            #expect(paths.count == 19)
            var names: Set<String> = []
            for (path, operations) in paths {
                guard case .object(let operations) = operations else { continue }
                for (method, operation) in operations {
                    let isNew = names.insert(operation["operationId"]?.string ?? "").inserted
                    #expect(isNew, "\(method) \(path)")
                    let status = try await client.send(
                        method.uppercased(),
                        path.replacing("{name}", with: "tiny").replacing("{version}", with: "1"),
                        headers: ["Authorization": "Bearer \(settings.changeToken)"]
                    ).status
                    #expect([200, 400].contains(status), "\(method) \(path)")
                }
            }
        }
    }
}
