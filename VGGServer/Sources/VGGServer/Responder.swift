import CoreMetrics
import HTTPTypes
import Hummingbird
import Logging
import NIOCore

/// Finds the endpoint of a request, makes answers of errors, counts and logs.
struct Responder: HTTPResponder {
    typealias Context = CallContext

    private let endpoints: [Endpoint]
    private let gate: Guard
    private let timeout: Duration
    private let metrics: any MetricsFactory

    init(_ endpoints: [Endpoint], settings: ServerSettings, metrics: any MetricsFactory) {
        (self.endpoints, self.metrics) = (endpoints, metrics)
        gate = Guard(settings)
        timeout = settings.timeout
    }

    func respond(to request: Request, context: CallContext) async throws -> Response {
        let start = ContinuousClock.now
        let path = request.uri.path
        var route = "other"
        var response: Response
        do {
            let (endpoint, parameters) = try admitted(request, path)
            route = endpoint.path
            let call = Call(
                request: request, channel: context.channel, start: start, deadline: start + timeout,
                parameters: parameters)
            response = try await endpoint.handle(call)
        } catch let error as BodyError {
            log(request, path, route, 499, 0, start, context)
            throw error.underlying
        } catch {
            response = answer(to: error, context)
        }
        response.headers[.cacheControl] = "no-store"
        response.headers["X-Content-Type-Options"] = "nosniff"
        // The same without its body, which would stand where the next answer begins (RFC 9110, section 9.3.2).
        if request.method == .head { response = response.createHeadResponse() }
        log(request, path, route, response.status.code, response.body.contentLength ?? 0, start, context)
        return response
    }

    /// The endpoint of a request that may ask it.
    /// - Throws: `APIError`, which ends the connection if there is a body, for nobody reads that.
    private func admitted(_ request: Request, _ path: String) throws(APIError) -> (Endpoint, [String: String])
    {
        do {
            let found = Result { () throws(APIError) in
                try find(request.method == .head ? .get : request.method, path)
            }
            // Whoever may not ask is not told what there is.
            try gate.check(request.head, for: (try? found.get())?.0.access ?? .usual)
            return try found.get()
        } catch {
            guard request.headers[.transferEncoding] != nil || request.headers[.contentLength] ?? "0" != "0"
            else {
                throw error
            }
            throw error.closing
        }
    }

    private func find(_ method: HTTPRequest.Method, _ path: String) throws(APIError) -> (
        Endpoint, [String: String]
    ) {
        var parts: [String] = []
        for part in path.split(separator: "/") {
            guard let text = part.removingPercentEncoding else { throw .invalid("the path is no UTF-8") }
            parts.append(text)
        }
        var others: [String] = []
        for endpoint in endpoints {
            guard let parameters = endpoint.parameters(of: parts) else { continue }
            if endpoint.method == method { return (endpoint, parameters) }
            others.append(endpoint.method.rawValue)
        }
        guard !others.isEmpty else { throw APIError(.notFound, "there is nothing at this address") }
        throw APIError(
            .methodNotAllowed, "this address answers \(others.joined(separator: ", ")) only",
            headers: [.allow: others.joined(separator: ", ")])
    }

    private func answer(to error: any Error, _ context: CallContext) -> Response {
        let error = Self.apiError(error, context.logger)
        var response = Response.json(["error": .string(error.message)], status: error.status)
        for field in error.headers { response.headers.append(field) }
        if error.status == .serviceUnavailable {
            Counter(label: "vgg_rejected_total", dimensions: [("reason", error.message)], factory: metrics)
                .increment()
        }
        if error.endsConnection {
            // A client that is still sending reads the answer only if the connection stays for a moment.
            let channel = context.channel
            channel.eventLoop.scheduleTask(in: .seconds(1)) { channel.close(promise: nil) }
        }
        return response
    }

    private static func apiError(_ error: any Error, _ logger: Logger) -> APIError {
        switch error {
        case let error as APIError: return error
        case is CancellationError:
            return APIError(HTTPResponse.Status(code: 499, reasonPhrase: "Client Closed Request"), "hung up")
        default:
            logger.error("\(error)")
            return APIError(.internalServerError, "the server has a fault, which its log names")
        }
    }

    /// One line a request, without its content.
    private func log(
        _ request: Request, _ path: String, _ route: String, _ status: Int, _ bytes: Int,
        _ start: ContinuousClock.Instant, _ context: CallContext
    ) {
        let time = ContinuousClock.now - start
        let dimensions = [("route", route), ("status", "\(status)")]
        Counter(label: "vgg_requests_total", dimensions: dimensions, factory: metrics).increment()
        Timer(label: "vgg_request_seconds", dimensions: [("route", route)], factory: metrics)
            .recordNanoseconds(Int64(time.nanoseconds))
        context.logger.info(
            "\(request.method.rawValue) \(path)",
            metadata: [
                "status": .stringConvertible(status), "bytes": .stringConvertible(bytes),
                "ms": .stringConvertible((time.seconds * 1e5).rounded() / 100),
                "client": .string(context.channel.remoteAddress?.ipAddress ?? "-"),
            ])
    }
}

/// A body that could not be received: the connection is at fault, and its handler knows what to do.
struct BodyError: Error {
    let underlying: any Error
}
