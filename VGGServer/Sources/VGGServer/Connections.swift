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
        let task = Task { try await work() }
        let cancel: @Sendable () -> Void = { task.cancel() }
        return try await watching(channel, onHangUp: cancel) {
            try await withTaskCancellationHandler {
                try await task.value
            } onCancel: {
                cancel()
            }
        }
    }

    /// Does something for a client.
    /// - Parameter onHangUp: is called when the client hangs up meanwhile, or has before.
    func watching<Result>(
        _ channel: any Channel, onHangUp: @escaping @Sendable () -> Void, _ work: () async throws -> Result
    ) async throws -> Result {
        let id = ObjectIdentifier(channel)
        let isGone = states.withLock { states in
            if case .gone = states[id] { return true }
            states[id] = .working(cancel: onHangUp)
            return false
        }
        // Who was gone altogether before there was an entry is not noticed by it.
        if isGone || !channel.isActive { onHangUp() }
        defer {
            states.withLock { states in
                if case .working = states[id] { states[id] = nil }
            }
        }
        return try await work()
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

    /// A connection's part, which sees when it ends, tells a client that asks first that it may send its body, and ends the
    /// connection of one that does not read its answer.
    final class Watch: ChannelDuplexHandler, RemovableChannelHandler {
        typealias InboundIn = HTTPRequestPart
        typealias InboundOut = HTTPRequestPart
        typealias OutboundIn = HTTPResponsePart
        typealias OutboundOut = HTTPResponsePart

        private let connections: Connections
        private let maxBody: Int
        private let timeout: TimeAmount

        init(_ connections: Connections, _ settings: ServerSettings) {
            self.connections = connections
            maxBody = settings.maxBody
            timeout = .nanoseconds(Int64(settings.timeout.nanoseconds))
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

        func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
            guard case .end = unwrapOutboundIn(data) else { return context.write(data, promise: promise) }
            // Until the system has taken its last byte an answer is in memory.
            let channel = context.channel
            let slow = context.eventLoop.scheduleTask(in: timeout) { channel.close(promise: nil) }
            let written = promise ?? context.eventLoop.makePromise()
            written.futureResult.whenComplete { _ in slow.cancel() }
            context.write(data, promise: written)
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
