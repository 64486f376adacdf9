import HTTPTypes
import Hummingbird
import NIOCore
import ServiceLifecycle
import VGGImages

extension InferenceServer {
    /// What is asked about two pictures: how alike they look, and one in the manner of the other.
    var pictureEndpoints: [Endpoint] {
        let base = "/v1/models/{name}"
        return [
            Endpoint(.post, base + "/distance", OpenAPI.distance) { try await self.distance($0) },
            Endpoint(.post, base + "/stylize", OpenAPI.stylize, access: .change) {
                try await self.stylize($0)
            },
        ]
    }

    /// Two pictures of a form, each made smaller as soon as it is decoded.
    private func pictures<Made: Sendable>(
        _ names: [String], _ body: [UInt8], of call: Call,
        _ make: @escaping @Sendable (RGBImage) throws -> Made
    ) async throws -> [Made] {
        guard let boundary = Multipart.boundary(of: call.request.headers[.contentType] ?? "") else {
            throw APIError.invalid(
                "send a form (multipart/form-data) with \(names.joined(separator: " and "))")
        }
        let files = try Multipart.files(in: body, boundary: boundary)
        var made: [Made] = []
        for name in names {
            guard let file = files[name] else { throw APIError.invalid("the form has no picture '\(name)'") }
            made.append(try await decoder.decoding(file, by: call.deadline, make))
        }
        return made
    }

    private func distance(_ call: Call) async throws -> Response {
        let model = try readyModel(call)
        let size = try call.number("size", in: StylizationWish.sizes, usually: 256)
        let answer = try await admitting(call) { body, _ in
            let shrunk = try await self.pictures(["a", "b"], body, of: call) {
                try PictureDistances.Shrunk($0, size: size)
            }
            return try await model.distances.run(by: call.deadline) { distances in
                try distances.json(PictureDistances.Shrunk.alike(shrunk[0], shrunk[1]))
            }
        }
        return .json(answer)
    }

    private func stylize(_ call: Call) async throws -> Response {
        let model = try readyModel(call)
        let wish = try StylizationWish(call)
        try self.stylist.checkIsFree()
        let maps = try PictureMaps(model.trained, model.predictor)
        let pictures = try await admitting(call) { body, _ in
            try await self.pictures(["content", "style"], body, of: call) { picture in
                let (height, width) = picture.sides(withLonger: wish.size)
                return picture.resized(height: height, width: width)
            }
        }
        let stylization = try self.stylist.stylization(maps, wish, of: pictures[0])
        let turn = try Stylist.Turn(self.stylist)
        let (stylist, connections, channel) = (self.stylist, self.connections, call.channel)
        let body = ResponseBody { writer in
            let work = stylist.begin(
                pictures[0], inTheMannerOf: pictures[1], by: stylization, wish, turn,
                onSilence: { channel.close(promise: nil) })
            let stop: @Sendable () -> Void = { work.stop() }
            defer { stop() }
            try await withGracefulShutdownHandler {
                try await connections.watching(channel, onHangUp: stop) {
                    for await event in work.events {
                        try await writer.write(ByteBuffer(string: event))
                        work.wasSent()
                    }
                }
            } onGracefulShutdown: {
                stop()
            }
            try await writer.finish(nil)
        }
        return Response(status: .ok, headers: [.contentType: "text/event-stream"], body: body)
    }
}
