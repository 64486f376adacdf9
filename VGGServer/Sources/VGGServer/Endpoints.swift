import HTTPTypes
import Hummingbird
import NIOCore
import VGGFiles
import VGGImages
import VGGInference
import VGGModel

extension InferenceServer {
    /// All that the server answers.
    var endpoints: [Endpoint] {
        let ofModel: [(String, JSON, @Sendable (Call) async throws -> Response)] = [
            ("", OpenAPI.metadata, { .json(try self.model($0).metadata) }),
            ("/ready", OpenAPI.ready, { Self.readiness(try self.model($0).isReady) }),
            ("/config", OpenAPI.configuration, { .json(try self.model($0).configuration(self.settings)) }),
            (
                "/stats", OpenAPI.statistics,
                { call in
                    let model = try self.model(call)
                    return Self.statistics(of: [model])
                }
            ),
        ]
        var endpoints = [
            Endpoint(.get, "/v2", OpenAPI.server) { _ in .json(Self.metadata) },
            Endpoint(.get, "/v2/health/live", OpenAPI.live) { _ in Response(status: .ok) },
            Endpoint(.get, "/v2/health/ready", OpenAPI.ready) { _ in Self.readiness(self.isReady) },
            Endpoint(.get, "/v2/models/stats", OpenAPI.statistics) { _ in
                Self.statistics(of: self.models.values.sorted { $0.name < $1.name })
            },
        ]
        for base in ["/v2/models/{name}", "/v2/models/{name}/versions/{version}"] {
            endpoints += ofModel.map { Endpoint(.get, base + $0, $1, handle: $2) }
            endpoints.append(Endpoint(.post, base + "/infer", OpenAPI.infer) { try await self.infer($0) })
        }
        endpoints += [
            Endpoint(.post, "/v1/models/{name}/classify", OpenAPI.classify) { try await self.classify($0) },
            Endpoint(.post, "/v1/models/{name}/features", OpenAPI.features) { try await self.features($0) },
            Endpoint(.get, "/metrics", OpenAPI.metrics) { _ in
                .text(self.metrics.text, type: "text/plain; version=0.0.4; charset=utf-8")
            },
        ]
        endpoints += pictureEndpoints
        endpoints += StudioPage.endpoints + studioModelEndpoints + runs.endpoints + training.endpoints
        let document = OpenAPI.document(of: endpoints, needsToken: settings.token != nil).line
        endpoints.append(
            Endpoint(.get, "/openapi.json", OpenAPI.itself) { _ in .text(document, type: "application/json") }
        )
        return endpoints
    }

    private static var metadata: JSON {
        [
            "name": "vgg-server", "version": .string(vggVersion),
            "extensions": ["classification", "binary_tensor_data", "model_configuration", "statistics"],
        ]
    }

    private static func readiness(_ isReady: Bool) -> Response {
        isReady ? Response(status: .ok) : .json(["error": "not ready"], status: .serviceUnavailable)
    }

    private static func statistics(of models: [ServedModel]) -> Response {
        .json(
            [
                "model_stats": .array(
                    models.map { model in model.counts.value.withLock { $0.json(name: model.name) } })
            ])
    }

    // MARK: The protocol's inference

    private func infer(_ call: Call) async throws -> Response {
        let model = try readyModel(call)
        return try await counting(call, model) { counts in
            let headerLength = try Self.headerLength(call.request.headers)
            let (request, logits) = try await self.admitting(call) { body, share in
                let start = ContinuousClock.now
                let request = try InferenceRequest(
                    body, headerLength: headerLength, share: share, for: model,
                    maxBatchSize: self.settings.maxBatchSize)
                let deadline = min(call.deadline, call.start + (request.timeout ?? self.settings.timeout))
                let images = try await self.images(request.input, for: model, by: deadline)
                counts.value.withLock { $0.preparation.add(.now - start) }
                return (request, try await model.batcher.logits(of: images, by: deadline))
            }
            let start = ContinuousClock.now
            let answer = InferenceResponse(logits, to: request, of: model)
            var response = Response(status: .ok)
            response.headers[.contentType] =
                answer.headerLength == nil ? "application/json" : "application/octet-stream"
            if let length = answer.headerLength {
                response.headers["Inference-Header-Content-Length"] = "\(length)"
            }
            response = self.packed(response, answer.body, for: call)
            counts.value.withLock { $0.answer.add(.now - start) }
            return response
        }
    }

    /// Counts a request that is to be computed as a success or a failure.
    private func counting(
        _ call: Call, _ model: ServedModel,
        _ work: @Sendable (ServedModel.Counts) async throws -> Response
    ) async throws -> Response {
        do {
            let response = try await work(model.counts)
            model.counts.value.withLock { $0.success.add(.now - call.start) }
            return response
        } catch {
            model.counts.value.withLock { $0.fail.add(.now - call.start) }
            // The weights gave finite numbers when they were warmed up: it is this input.
            if error is FileError {
                throw APIError.invalid("the network's answer to this input is not finite")
            }
            throw error
        }
    }

    private static func headerLength(_ headers: HTTPFields) throws(APIError) -> Int? {
        guard let field = headers["Inference-Header-Content-Length"] else { return nil }
        guard let length = Int(field), length >= 0 else {
            throw .invalid("Inference-Header-Content-Length must be a number")
        }
        return length
    }

    private func images(
        _ input: InferenceRequest.Input, for model: ServedModel, by deadline: ContinuousClock.Instant
    ) async throws -> ImageBatch {
        switch input {
        case .images(let images): return images
        case .pictures(let pictures):
            let decoder = decoder
            var images: [ImageBatch] = []
            for picture in pictures {
                images.append(
                    try await decoder.input(from: picture, model.predictor.preprocessing, by: deadline))
            }
            if images.count == 1 { return images[0] }
            return try ImageBatch(images.flatMap(\.values), count: images.count, shape: model.shape)
        }
    }

    // MARK: For people

    /// The body's picture, as it is or as the only file of a form, prepared.
    private func image(_ body: [UInt8], of call: Call, for model: ServedModel) async throws -> ImageBatch {
        let type = call.request.headers[.contentType] ?? ""
        let picture = try Multipart.boundary(of: type).map { boundary throws(APIError) in
            try Multipart.file(in: body, boundary: boundary)
        }
        return try await decoder.input(
            from: picture ?? body, preprocessing(call, for: model), by: call.deadline)
    }

    /// As the model says, or of the garment in the picture alone, as `vgg predict` has it.
    func preprocessing(_ call: Call, for model: ServedModel) throws(APIError) -> Preprocessing {
        let own = model.predictor.preprocessing
        return switch call.query("preprocessing") {
        case nil, "model": own
        case "garment": own.looking(for: .garment)
        default: throw .invalid("'preprocessing' must be model or garment")
        }
    }

    private func classify(_ call: Call) async throws -> Response {
        let model = try readyModel(call)
        var top = 5
        if let text = call.query("top") {
            guard let number = Int(text), number > 0 else {
                throw APIError.invalid("'top' must be a number above 0")
            }
            top = number
        }
        let wanted = top
        return try await counting(call, model) { counts in
            let prediction = try await self.admitting(call) { body, _ in
                let start = ContinuousClock.now
                let image = try await self.image(body, of: call, for: model)
                counts.value.withLock { $0.preparation.add(.now - start) }
                let logits = try await model.batcher.logits(of: image, by: call.deadline)
                return Prediction(logits: logits, names: model.predictor.classNames, top: wanted)
            }
            return self.packed(
                Response(status: .ok, headers: [.contentType: "application/json"]),
                Array(try prediction.json.utf8), for: call)
        }
    }

    private func features(_ call: Call) async throws -> Response {
        let model = try readyModel(call)
        guard let layer = call.query("layer") else {
            throw APIError.invalid("name a layer, such as ?layer=relu5_3")
        }
        let words = FeaturePooling.allCases.map(\.rawValue)
        guard let pooling = FeaturePooling(rawValue: call.query("pool") ?? "none") else {
            throw APIError.invalid("'pool' must be one of \(words.joined(separator: ", "))")
        }
        let tensor = try await admitting(call) { body, _ in
            let image = try await self.image(body, of: call, for: model)
            return pooling.pooled(
                try await model.features.features(of: image, layer: layer, by: call.deadline))
        }
        let answer: JSON = [
            "layer": .string(layer), "shape": .integers(Array(tensor.shape.dropFirst())),
            "values": .floats(tensor.values),
        ]
        return packed(
            Response(status: .ok, headers: [.contentType: "application/json"]), Array(answer.line.utf8),
            for: call)
    }
}
