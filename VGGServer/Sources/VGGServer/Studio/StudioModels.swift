import HTTPTypes
import Hummingbird
import VGGEngine
import VGGImages
import VGGModel

/// What the studio asks of a model beside what any program may.
final class StudioModel: Sendable {
    let test: Lane<TestSet>
    let explainer: Lane<Explainer>
    let errors: ErrorsService

    init(_ model: ServedModel, _ settings: ServerSettings) {
        let (trained, predictor) = (model.trained, model.predictor)
        test = Lane("Test") { try TestSet(trained, preprocessing: predictor.preprocessing) }
        explainer = Lane("Explainer") {
            do {
                return try Explainer(trained, predictor, device: settings.device)
            } catch let error as PlanError {
                throw APIError(HTTPResponse.Status(code: 507), "\(error)")
            }
        }
        errors = ErrorsService(trained, predictor, settings, test)
    }
}

extension InferenceServer {
    /// The studio's questions about models.
    var studioModelEndpoints: [Endpoint] {
        let base = "/studio/api/models/{name}"
        return [
            Endpoint(.get, "/studio/api/models", .null) { _ in .json(self.modelList) },
            Endpoint(.get, base, .null) { call in
                let model = try self.model(call)
                return .json(NetworkFacts(model).json(on: self.settings.device))
            },
            Endpoint(.get, "/studio/api/architectures/{name}", .null) { call in
                .json(
                    try NetworkFacts(architecture: call.parameters["name"] ?? "").json(
                        on: self.settings.device))
            },
            Endpoint(.get, base + "/examples/{number}", .null) { call in
                let number = call.parameters["number"].flatMap { Int($0) } ?? -1
                return .json(
                    try await self.studioModel(call).test.run {
                        _ = try $0.picture(number)
                        return try $0.json(number, ["count": .number(Double($0.images.count))])
                    })
            },
            Endpoint(.post, base + "/explain", .null) { try await self.explain($0) },
            Endpoint(.post, base + "/maps", .null) { try await self.maps($0) },
            Endpoint(.get, base + "/errors", .null) { call in
                .json(try await self.studioModel(call).errors.answer())
            },
            Endpoint(.get, base + "/errors/{actual}/{guess}", .null) { call in
                guard let actual = call.parameters["actual"].flatMap({ Int($0) }),
                    let guess = call.parameters["guess"].flatMap({ Int($0) })
                else { throw APIError.invalid("a cell has two numbers") }
                return .json(
                    try self.studioModel(call).errors.cell(actual: actual, guess: guess, count: 60))
            },
        ]
    }

    private var modelList: JSON {
        .array(
            models.values.sorted { $0.name < $1.name }.map { model in
                [
                    "name": .string(model.name), "ready": .bool(model.isReady),
                    "classes": .array(model.predictor.classNames.map(JSON.string)),
                    "input": .integers(model.shape.dimensions),
                    "data": model.trained.stored?.data.map(JSON.string) ?? .null,
                ]
            })
    }

    private func studioModel(_ call: Call) throws(APIError) -> StudioModel {
        let name = try model(call).name
        guard let model = studioModels[name] else { throw APIError(.notFound, "there is no such model") }
        return model
    }

    /// What a question is about: the picture that is its body, or an image of the test set.
    private struct Subject: Sendable {
        let image: ImageBatch
        /// As the network gets it, for people.
        let seen: RGBImage
        var actual: String?
    }

    private func subject(_ body: [UInt8], of call: Call) async throws -> Subject {
        if let text = call.query("example") {
            guard let example = Int(text) else { throw APIError.invalid("'example' must be a number") }
            return try await studioModel(call).test.run { test in
                Subject(
                    image: try test.input(example), seen: try test.picture(example),
                    actual: test.name(of: example))
            }
        }
        let preprocessing = try preprocessing(call, for: model(call))
        let alpha = Preparation(preprocessing).alpha
        return try await decoder.decoding(body, alpha: alpha, by: call.deadline) { picture in
            Subject(image: preprocessing.input(from: picture), seen: preprocessing.crop(picture))
        }
    }

    private func explain(_ call: Call) async throws -> Response {
        let explainer = try studioModel(call).explainer
        let label = try call.query("class").map { text in
            guard let number = Int(text) else { throw APIError.invalid("'class' must be a number") }
            return number
        }
        return .json(
            try await admitting(call) { body, _ in
                let subject = try await self.subject(body, of: call)
                let answer = try await explainer.run(by: call.deadline) {
                    try $0.explanation(of: subject.image, class: label)
                }
                guard case .object(var members) = answer else { return answer }
                members["seen"] = .string(subject.seen.dataAddress)
                members["actual"] = subject.actual.map(JSON.string)
                return .object(members)
            })
    }

    private func maps(_ call: Call) async throws -> Response {
        let explainer = try studioModel(call).explainer
        return .json(
            try await admitting(call) { body, _ in
                let subject = try await self.subject(body, of: call)
                return try await explainer.run(by: call.deadline) {
                    try $0.maps(of: subject.image, count: 16)
                }
            })
    }
}
