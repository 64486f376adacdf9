import Foundation
import Logging
import ServiceLifecycle
import VGGDevices
import VGGEngine
import VGGFormats
import VGGInference
import VGGModel
import VGGServer

/// A small network of PyTorch's with random weights, 3×16×16 or so in, whose four classes have names.
enum TestModel {
    static let names = ["cat", "dog", "fox", "owl"]

    private static let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(
        path: "../../..")

    /// A golden file of the other tests.
    static func golden(_ path: String) -> String {
        repository.appending(path: "Tests/\(path)").standardized.path
    }

    static func photo(_ name: String) throws -> [UInt8] {
        try Array(Data(contentsOf: URL(fileURLWithPath: golden("VGGImagesTests/Goldens/photos/\(name)"))))
    }

    /// Its weight file, `tiny.safetensors` in a folder of its own.
    static let path: String = {
        do {
            let folder = FileManager.default.temporaryDirectory.appending(
                path: "vgg-server-\(UUID().uuidString)")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            let file = folder.appending(path: "tiny.safetensors").path
            let model = try TrainedModel(runOrWeights: golden("VGGTrainingTests/Goldens/tiny.pth"))
            var stored = model.stored!
            stored.labels = (0..<stored.model.classes).map { names[$0 % names.count] + "\($0)" }
            try model.writeSafetensors(
                stored.model.network(size: stored.size), stored, naming: .torchvision, to: file)
            return file
        } catch {
            fatalError("\(error)")
        }
    }()

    static let predictor = try! Predictor(runOrWeights: path, device: .cpu(threads: 1))

    /// Prepared images, the same for the same seed.
    static func images(_ count: Int, seed: Int = 0) throws -> ImageBatch {
        let shape = predictor.network.input
        var state = UInt64(seed + 1)
        let values = (0..<count * shape.count).map { _ -> Float in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Float(state >> 40) / Float(1 << 24)
        }
        return try ImageBatch(values, count: count, shape: shape)
    }
}

/// The tests' settings with something changed.
func settings(_ change: (inout ServerSettings) -> Void) -> ServerSettings {
    var settings = ServerSettings(device: .cpu(threads: 1))
    settings.port = 0
    change(&settings)
    return settings
}

/// Starts a server at a free port of this machine.
/// - Parameters:
///   - beforeWarmUp: holds the warm-up back; nil to begin the test when the server is ready.
///   - log: gets what is logged.
func withServer<Value: Sendable>(
    _ settings: ServerSettings = settings { _ in }, model: String = TestModel.path,
    beforeWarmUp: (@Sendable () async -> Void)? = nil, log: any LogHandler = SwiftLogNoOpLogHandler(),
    _ test: @escaping @Sendable (Client) async throws -> Value
) async throws -> Value {
    let server = try InferenceServer(
        [model], settings: settings, metrics: PrometheusMetrics(), beforeWarmUp: beforeWarmUp ?? {})
    let logger = Logger(label: "test") { _ in log }
    let (ports, port) = AsyncStream<Int>.makeStream()
    let group = ServiceGroup(
        configuration: .init(
            services: [try server.application(logger: logger) { port.yield($0) }], logger: logger))
    return try await withThrowingTaskGroup(of: Void.self) { tasks in
        tasks.addTask { try await group.run() }
        var iterator = ports.makeAsyncIterator()
        guard let port = await iterator.next() else { throw ConnectionEnded() }
        while beforeWarmUp == nil, !server.isReady { try await Task.sleep(for: .milliseconds(5)) }
        let result: Result<Value, any Error>
        do {
            result = .success(try await test(Client(port: port, server: server)))
        } catch {
            result = .failure(error)
        }
        await group.triggerGracefulShutdown()
        try await tasks.waitForAll()
        return try result.get()
    }
}

/// The protocol's request for images as JSON.
func request(_ images: ImageBatch, _ more: [String: JSON] = [:]) -> JSON {
    var members = more
    members["inputs"] = [
        [
            "name": "input", "datatype": "FP32", "shape": .integers([images.count] + images.shape.dimensions),
            "data": .floats(images.values),
        ]
    ]
    return .object(members)
}

func bytes(_ values: some Sequence<Float>) -> [UInt8] {
    values.flatMap { value in withUnsafeBytes(of: value.bitPattern.littleEndian) { Array($0) } }
}

func floats(_ bytes: some Collection<UInt8>) -> [Float] {
    let bytes = Array(bytes)
    return stride(from: 0, to: bytes.count, by: 4).map { place in
        Float(bitPattern: (0..<4).reduce(UInt32(0)) { $0 | UInt32(bytes[place + $1]) << (8 * UInt32($1)) })
    }
}

/// The numbers of an output that is in the JSON.
func floats(_ name: String, in answer: JSON) -> [Float]? {
    let output = answer["outputs"]?.elements?.first { $0["name"]?.string == name }
    guard case .numbers(let numbers) = output?["data"] else { return nil }
    return numbers.map { Float($0) }
}
