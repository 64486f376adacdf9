import HTTPTypes

/// What a client is told instead of an answer.
package struct APIError: Error, CustomStringConvertible {
    package var status: HTTPResponse.Status
    package var message: String
    package var headers: HTTPFields = [:]
    /// Whether the rest of the request is not worth reading.
    package var endsConnection = false

    package init(_ status: HTTPResponse.Status, _ message: String, headers: HTTPFields = [:]) {
        (self.status, self.message, self.headers) = (status, message, headers)
    }

    package var description: String { message }

    /// A request that cannot be understood.
    package static func invalid(_ message: String) -> APIError { APIError(.badRequest, message) }

    /// More to do than there is room for: the client may try again.
    package static func busy(_ message: String) -> APIError {
        APIError(.serviceUnavailable, message, headers: [.retryAfter: "1"])
    }

    package static let tooSlow = busy("the request was not computed within its time")
    package static let noRoom = busy("other requests' bodies take all the memory")

    /// Answered and then closed, for what follows is the rest of a request that nobody reads.
    package static func closing(_ status: HTTPResponse.Status, _ message: String) -> APIError {
        APIError(status, message).closing
    }

    /// The same, and the connection ends.
    var closing: APIError {
        var error = self
        error.headers[.connection] = "close"
        error.endsConnection = true
        return error
    }
}
