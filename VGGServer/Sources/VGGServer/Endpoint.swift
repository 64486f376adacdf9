import HTTPTypes
import Hummingbird
import NIOCore

/// One row of the table of what the server answers. Routing, the answer 405, the metrics' labels and `/openapi.json` all
/// follow from the table.
struct Endpoint: Sendable {
    let method: HTTPRequest.Method
    /// With `{name}` for a part that may be anything.
    let path: String
    /// The same as parts.
    let parts: [Substring]
    /// What OpenAPI says of it, but for the parameters of the path; null of what is not for other programs.
    let operation: JSON
    let access: Access
    let handle: @Sendable (Call) async throws -> Response

    /// Who may use it.
    enum Access: Sendable {
        /// Everybody: it is the same for all, and says nothing of what is here.
        case open
        /// Who shows the token, if there is one.
        case usual
        /// Who shows the token, always: it changes something.
        case change
    }

    init(
        _ method: HTTPRequest.Method, _ path: String, _ operation: JSON, access: Access = .usual,
        handle: @escaping @Sendable (Call) async throws -> Response
    ) {
        (self.method, self.path, self.operation) = (method, path, operation)
        (self.access, self.handle) = (access, handle)
        parts = path.split(separator: "/")
    }

    /// What stands for the path's `{…}`; nil if the path is another.
    func parameters(of path: [String]) -> [String: String]? {
        guard path.count == parts.count else { return nil }
        var found: [String: String] = [:]
        for (part, given) in zip(parts, path) {
            if part.hasPrefix("{") {
                found[String(part.dropFirst().dropLast())] = given
            } else if part != given {
                return nil
            }
        }
        return found
    }
}

/// A request on its way to an endpoint.
struct Call: Sendable {
    let request: Request
    let channel: any Channel
    let start: ContinuousClock.Instant
    /// When it is too late to compute an answer.
    let deadline: ContinuousClock.Instant
    let parameters: [String: String]

    /// A parameter of the address's query; nil if it is not there.
    func query(_ name: String) -> String? { request.uri.queryParameters[name[...]].map(String.init) }
}

/// What Hummingbird knows of a request.
struct CallContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    let channel: any Channel

    init(source: ApplicationRequestContextSource) {
        coreContext = .init(source: source)
        channel = source.channel
    }
}

extension Response {
    static func json(_ value: JSON, status: HTTPResponse.Status = .ok) -> Response {
        text(value.line, type: "application/json", status: status)
    }

    static func text(_ text: String, type: String, status: HTTPResponse.Status = .ok) -> Response {
        Response(
            status: status, headers: [.contentType: type], body: .init(byteBuffer: ByteBuffer(string: text)))
    }
}
