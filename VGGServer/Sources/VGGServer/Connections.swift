import HTTPTypes
import NIOCore
import NIOHTTPTypes
import Synchronization

/// Which clients have hung up, so that nothing more is done for them.
final class Connections: Sendable {
    private enum State {
        case working(cancel: @Sendable () -> Void)
        case gone
    }

    private let states = Mutex<[ObjectIdentifier: State]>([:])

    /// Does a request's work, and cancels it when its client hangs up.
    func whileOpen<Result: Sendable>(
        _ channel: any Channel, _ work: @escaping @Sendable () async throws -> Result
    ) async throws -> Result {
        let id = ObjectIdentifier(channel)
        let task = Task { try await work() }
        let isGone = states.withLock { states in
            if case .gone = states[id] { return true }
            states[id] = .working { task.cancel() }
            return false
        }
        if isGone { task.cancel() }
        defer {
            states.withLock { states in
                if case .working = states[id] { states[id] = nil }
            }
        }
        return try await withTaskCancellationHandler {
            try await task.value
        } onCancel: {
            task.cancel()
        }
    }

    fileprivate func hungUp(_ id: ObjectIdentifier) {
        let cancel: (@Sendable () -> Void)? = states.withLock { states in
            defer { states[id] = .gone }
            return if case .working(let cancel) = states[id] { cancel } else { nil }
        }
        cancel?()
    }

    fileprivate func closed(_ id: ObjectIdentifier) {
        hungUp(id)
        states.withLock { $0[id] = nil }
    }

    /// A connection's part, which sees when it ends, and tells a client that asks first that it may send its body.
    final class Watch: ChannelInboundHandler, RemovableChannelHandler {
        typealias InboundIn = HTTPRequestPart
        typealias InboundOut = HTTPRequestPart
        typealias OutboundOut = HTTPResponsePart

        private let connections: Connections
        private let maxBody: Int

        init(_ connections: Connections, maxBody: Int) {
            (self.connections, self.maxBody) = (connections, maxBody)
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            if case .head(let head) = unwrapInboundIn(data),
                head.headerFields[.expect]?.lowercased() == "100-continue",
                head.headerFields[.contentLength].flatMap({ Int($0) }) ?? 0 <= maxBody
            {
                context.writeAndFlush(wrapOutboundOut(.head(HTTPResponse(status: .continue))), promise: nil)
            }
            context.fireChannelRead(data)
        }

        func channelInactive(context: ChannelHandlerContext) {
            connections.closed(ObjectIdentifier(context.channel))
            context.fireChannelInactive()
        }

        /// A client that sends no more has hung up: HTTP knows no half of a connection.
        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
            if case ChannelEvent.inputClosed = event {
                connections.hungUp(ObjectIdentifier(context.channel))
            }
            context.fireUserInboundEventTriggered(event)
        }
    }
}
