import CoreMetrics
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdCore
import HummingbirdTLS
import Logging
import NIOCore
import ServiceLifecycle
import Synchronization
import VGGFiles
import VGGModel

/// The networks that answer, and what they answer to.
public final class InferenceServer: Sendable {
    public let settings: ServerSettings
    let models: [String: ServedModel]
    /// By the models' names.
    let studioModels: [String: StudioModel]
    let runs: RunsService
    let training: TrainingService
    let stylist: Stylist
    let metrics: PrometheusMetrics
    let decoder: PictureDecoder
    let connections = Connections()
    /// Of the bodies of all requests.
    let bodies: BodyMemory
    /// Requests that are prepared or wait for their batch.
    let admitted = Atomic(0)
    private let beforeWarmUp: @Sendable () async -> Void

    /// Reads the weights.
    /// - Parameters:
    ///   - paths: run folders, weight files and names of models that ship.
    ///   - beforeWarmUp: is waited for before the models are warmed up.
    /// - Throws: what `ServedModel` throws; `FileError` if two models have the same name.
    package init(
        _ paths: [String], settings: ServerSettings, metrics: PrometheusMetrics,
        beforeWarmUp: @escaping @Sendable () async -> Void
    ) throws {
        self.beforeWarmUp = beforeWarmUp
        bodies = BodyMemory(limit: settings.maxBodies)
        self.settings = settings
        self.metrics = metrics
        decoder = PictureDecoder(atOnce: settings.device.threads)
        var models: [String: ServedModel] = [:]
        for path in paths {
            let model = try ServedModel(path, settings: settings, metrics: metrics)
            guard models.updateValue(model, forKey: model.name) == nil else {
                throw FileError(path, "another model has the name \(model.name), too; rename one of them")
            }
        }
        self.models = models
        studioModels = models.mapValues { StudioModel($0, settings) }
        runs = RunsService(folder: settings.runs)
        training = TrainingService(settings, runs)
        stylist = Stylist(settings)
    }

    /// Reads the weights.
    /// - Parameter paths: run folders, weight files and names of models that ship.
    /// - Throws: what `ServedModel` throws; `FileError` if two models have the same name.
    public convenience init(_ paths: [String], settings: ServerSettings, metrics: PrometheusMetrics) throws {
        try self.init(paths, settings: settings, metrics: metrics, beforeWarmUp: {})
    }

    /// Whether every model has been warmed up.
    package var isReady: Bool { models.values.allSatisfy(\.isReady) }

    /// Bytes that the bodies of all requests take.
    package var bodyBytes: Int { bodies.bytes }

    /// What gathers a model's requests; nil if there is no such model.
    package func batcher(of name: String) -> Batcher? { models[name]?.batcher }

    /// The server as an application, which listens when it is run.
    /// - Parameter onListening: gets the port.
    /// - Throws: `FileError` if the files for TLS are none.
    public func application(
        logger: Logger, onListening: @escaping @Sendable (Int) -> Void = { _ in }
    ) throws -> some ApplicationProtocol {
        let (connections, settings) = (connections, settings)
        let http = HTTPServerBuilder.http1(
            configuration: .init(
                additionalChannelHandlers: [Connections.Watch(connections, settings)],
                idleTimeout: .seconds(60)))
        return Application(
            responder: Responder(endpoints, settings: settings, metrics: metrics),
            server: try settings.tls.map {
                try HTTPServerBuilder.tls(http, tlsConfiguration: $0.configuration())
            } ?? http,
            configuration: .init(
                address: .hostname(settings.host, port: settings.port),
                availableConnectionsDelegate: MaximumAvailableConnections(1024, logger: logger)),
            services: [WarmUp(server: self)],
            onServerRunning: { channel in onListening(channel.localAddress?.port ?? settings.port) },
            logger: logger)
    }

    /// Runs the server until SIGTERM or SIGINT; what was asked until then is answered.
    public func run(logger: Logger, onListening: @escaping @Sendable (Int) -> Void = { _ in }) async throws {
        var configuration = ServiceGroupConfiguration(
            services: [try application(logger: logger, onListening: onListening)],
            gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
        configuration.maximumGracefulShutdownDuration = settings.timeout + .seconds(5)
        try await ServiceGroup(configuration: configuration).run()
    }

    /// Makes the server ready while it already says that it is alive.
    private struct WarmUp: Service {
        let server: InferenceServer

        func run() async throws {
            await server.beforeWarmUp()
            for model in server.models.values { try await model.warmUp() }
            try await gracefulShutdown()
        }
    }
}

// MARK: What endpoints share

extension InferenceServer {
    /// - Throws: `APIError` if there is no such model, or no such version of it.
    func model(_ call: Call) throws(APIError) -> ServedModel {
        let name = call.parameters["name"] ?? ""
        let version = call.parameters["version"] ?? ServedModel.version
        guard let model = models[name] else {
            throw APIError(.notFound, "Request for unknown model: '\(name)' is not found")
        }
        guard version == ServedModel.version else {
            throw APIError(.notFound, "Request for unknown model: '\(name)' version \(version) is not found")
        }
        return model
    }

    /// The same for a model that is to compute.
    func readyModel(_ call: Call) throws(APIError) -> ServedModel {
        let model = try model(call)
        guard model.isReady else { throw .busy("the model is warming up") }
        return model
    }

    /// Does what a request asks for, by its body and its share of the memory for bodies, if there is room for one more, and
    /// not if its client hangs up before.
    func admitting<Result: Sendable>(
        _ call: Call, _ work: @escaping @Sendable ([UInt8], BodyMemory.Share) async throws -> Result
    ) async throws -> Result {
        // Asked before the body is read, for nothing shall be read in vain; counted after it, so that a client which
        // sends slowly takes nobody's place.
        let room = settings.maxQueue + settings.maxBatchSize
        let full = APIError.busy("the queue is full")
        guard admitted.load(ordering: .relaxed) < room else { throw full }
        let share = BodyMemory.Share(of: bodies)
        defer { share.end() }
        let body = try await body(of: call, share)
        let before = admitted.wrappingAdd(1, ordering: .relaxed).oldValue
        defer { admitted.wrappingSubtract(1, ordering: .relaxed) }
        guard before < room else { throw full }
        return try await connections.whileOpen(call.channel) { try await work(body, share) }
    }

    /// The whole body, unpacked.
    private func body(of call: Call, _ share: BodyMemory.Share) async throws -> [UInt8] {
        let headers = call.request.headers
        var packing: Compression?
        if let encoding = headers[.contentEncoding]?.lowercased(), encoding != "identity" {
            packing = Compression(rawValue: encoding)
            guard packing != nil else {
                throw APIError.closing(.unsupportedMediaType, "Content-Encoding must be gzip or deflate")
            }
        }
        let limit = settings.maxBody
        let tooLarge = APIError.closing(.contentTooLarge, "the body is larger than \(limit) bytes")
        if let length = headers[.contentLength].flatMap({ Int($0) }) {
            guard length <= limit else { throw tooLarge }
            guard bodies.hasRoom(for: length) else { throw APIError.noRoom }
        }
        let stream = call.request.body
        let bytes = try await withThrowingTaskGroup(of: [UInt8]?.self) { group in
            group.addTask {
                var bytes: [UInt8] = []
                do {
                    for try await piece in stream {
                        guard bytes.count + piece.readableBytes <= limit else { throw tooLarge }
                        guard share.takes(piece.readableBytes) else { throw APIError.noRoom }
                        bytes += piece.readableBytesView
                    }
                } catch let error as APIError {
                    throw error
                } catch {
                    throw BodyError(underlying: error)
                }
                return bytes
            }
            group.addTask {
                try await Task.sleep(until: call.deadline, clock: .continuous)
                return nil
            }
            defer { group.cancelAll() }
            return try await group.next() ?? nil
        }
        guard let bytes else { throw APIError.closing(.requestTimeout, "the body took too long") }
        guard let packing else { return bytes }
        let unpacked = try packing.unpacked(bytes, limit: limit, share: share)
        share.giveBack(bytes.count)
        return unpacked
    }

    /// An answer, packed if the client likes that.
    func packed(_ response: Response, _ bytes: [UInt8], for call: Call) -> Response {
        var response = response
        var bytes = bytes
        response.headers[.vary] = "Accept-Encoding"
        if let packing = Compression.accepted(call.request.headers[.acceptEncoding]),
            let packed = packing.packed(bytes)
        {
            bytes = packed
            response.headers[.contentEncoding] = packing.rawValue
        }
        response.body = .init(byteBuffer: ByteBuffer(bytes: bytes))
        return response
    }
}
