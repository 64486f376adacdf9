import ArgumentParser
import CoreMetrics
import Foundation
import Logging
import VGGDevices
import VGGEngine
import VGGInference
import VGGPerception
import VGGServer

@main
struct VGGServerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "vgg-server",
        abstract: "Answer over HTTP what VGG networks see in pictures, and show it in a page, the studio.",
        discussion: """
            The studio is the page at the server's own address: runs and their curves, networks, what they see in pictures and \
            where they err, and trainings, which need the token that the log says (or --token-file).
            Speaks the Open Inference Protocol v2 (as tritonclient does) and, for people, POST \
            /v1/models/NAME/classify with a picture as the body. NAME is the file's or folder's name.
            Examples:
              vgg-server
              vgg-server runs/quick vgg16-397923af.pth
              curl --data-binary @cat.jpg http://localhost:8080/v1/models/quick/classify
            """)

    @Argument(
        help: ArgumentHelp(
            "Run folders, weight files, or what ships: \(ShippedModel.names).", valueName: "model"))
    var models = [ShippedModel.fashionMNIST.rawValue]

    @Option(help: "The folder of the runs that the studio shows, and where it starts new ones.")
    var runs = "runs"

    @Option(
        help:
            "The program that trains for the studio (default: vgg in the folder of this program, if it is there)."
    )
    var vgg: String?

    @Option(
        help:
            "LPIPS's linear weights, such as the lpips package's weights/v0.1/vgg.pth, for a VGG-16 to compare pictures by."
    )
    var linear: String?

    @Option(help: "The address to listen at. Any but this machine's own needs --token-file.")
    var host = "127.0.0.1"

    @Option(help: "The port to listen at; 0 for one that is free.")
    var port = 8080

    @Option(help: "The server's certificate and those it leads to, a PEM file; it then speaks HTTPS.")
    var tlsCertificate: String?

    @Option(help: "The certificate's key, a PEM file.")
    var tlsKey: String?

    @Option(
        help: "A file that holds the token which every request must show, as Authorization: Bearer TOKEN.")
    var tokenFile: String?

    @Option(
        parsing: .singleValue,
        help:
            "A name under which clients address the server, beside localhost and --host; repeat it for more.")
    var allowHost: [String] = []

    @Option(help: "Images that are computed together at most.")
    var maxBatchSize = 16

    @Option(
        help: "How long an image waits for others while nothing is computed, in microseconds; 0 for nobody.")
    var maxQueueDelayUs = 2000

    @Option(help: "Images that wait at most; more are told to come back (503).")
    var maxQueue = 256

    @Option(help: "Seconds after which a request is not computed any more.")
    var timeout = 30

    @Option(help: "The largest body: bytes, or a number with KiB, MiB or GiB.")
    var maxBody = ByteCount(64 << 20)

    @Option(help: "All bodies in memory at once; more are told to come back (503).")
    var maxBodies = ByteCount(512 << 20)

    @Option(help: "Threads that compute (default: one for each processor that the program may use).")
    var threads: Int?

    @Option(
        help: """
            The number format of the arithmetic: fp32, bf16, or auto, which is the processor's fastest (default: what \
            the weights were trained in, else fp32).
            """)
    var precision: PrecisionChoice?

    @Option(help: "How log lines are written to standard error: text or json.")
    var logFormat = LineLog.Format.text

    enum PrecisionChoice: String, ExpressibleByArgument, CaseIterable {
        case auto, fp32, bf16

        var resolved: Precision {
            switch self {
            case .auto: .automatic
            case .fp32: .fp32
            case .bf16: .bf16
            }
        }
    }

    func validate() throws {
        for (name, value, range) in [
            ("--port", port, 0...65535), ("--max-batch-size", maxBatchSize, 1...1024),
            ("--max-queue-delay-us", maxQueueDelayUs, 0...60_000_000),
            ("--max-queue", maxQueue, 1...1_000_000),
            ("--timeout", timeout, 1...86400), ("--max-body", maxBody.bytes, 1...1 << 32),
            ("--max-bodies", maxBodies.bytes, min(maxBody.bytes, 1 << 32)...1 << 40),
            ("--threads", threads ?? 1, 1...1024),
        ] where !range.contains(value) {
            throw ValidationError("\(name) must be from \(range.lowerBound) to \(range.upperBound)")
        }
        if let vgg, !FileManager.default.isExecutableFile(atPath: vgg) {
            throw ValidationError("--vgg \(vgg) is no program")
        }
        guard (tlsCertificate == nil) == (tlsKey == nil) else {
            throw ValidationError("--tls-certificate and --tls-key belong together")
        }
        guard maxQueue >= maxBatchSize else {
            throw ValidationError(
                "--max-queue must not be below --max-batch-size: a batch would never be full")
        }
    }

    func run() async throws {
        var settings = ServerSettings(device: Device.named("cpu", threads: threads) ?? .best)
        settings.host = host
        settings.port = port
        settings.allowedHosts = allowHost
        settings.runs = runs
        settings.trainer = vgg ?? Self.neighbour
        settings.maxBatchSize = maxBatchSize
        settings.maxQueueDelay = .microseconds(maxQueueDelayUs)
        settings.maxQueue = maxQueue
        settings.timeout = .seconds(timeout)
        settings.maxBody = maxBody.bytes
        settings.maxBodies = maxBodies.bytes
        if let tlsCertificate, let tlsKey {
            settings.tls = TLSFiles(certificate: tlsCertificate, key: tlsKey)
        }
        settings.precision = precision?.resolved
        settings.linear = try linear.map { try LPIPSWeights(contentsOf: $0) }
        settings.token = try tokenFile.map(Self.token)
        guard settings.isLoopback || settings.token != nil else {
            throw ValidationError("--host \(host) can be reached from other machines; give --token-file, too")
        }
        let format = logFormat
        LoggingSystem.bootstrap { _ in LineLog(format) }
        let metrics = PrometheusMetrics()
        MetricsSystem.bootstrap(metrics)
        let logger = Logger(label: "vgg-server")
        let server = try InferenceServer(models, settings: settings, metrics: metrics)
        // A fragment is not sent to any server.
        let token = settings.token == nil ? "#token=\(settings.changeToken)" : ""
        let scheme = settings.tls == nil ? "http" : "https"
        try await server.run(logger: logger) { [host] port in
            let authority = host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
            logger.info("listening at \(scheme)://\(authority)")
            logger.info("the studio is at \(scheme)://\(authority)/\(token)")
        }
    }

    /// The program `vgg` in the folder of this one; nil if it is not there.
    private static var neighbour: String? {
        guard let own = Bundle.main.executableURL else { return nil }
        let path = own.deletingLastPathComponent().appending(path: "vgg").path
        return FileManager.default.isExecutableFile(atPath: path) ? path : nil
    }

    /// - Throws: `ValidationError` if the file cannot be read, or holds no token that is hard to guess.
    private static func token(_ path: String) throws -> String {
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
            throw ValidationError("--token-file \(path) cannot be read")
        }
        let token = text.trimmingCharacters(in: .whitespacesAndNewlines)
        guard token.utf8.count >= 16, token.allSatisfy({ $0.isASCII && !$0.isWhitespace }) else {
            throw ValidationError(
                "--token-file \(path) must hold one word of at least 16 characters, such as openssl rand -hex 32 makes"
            )
        }
        return token
    }
}

/// A number of bytes as the command line has it.
struct ByteCount: ExpressibleByArgument, CustomStringConvertible {
    let bytes: Int

    init(_ bytes: Int) { self.bytes = bytes }

    init?(argument: String) {
        let unit = [("KiB", 10), ("MiB", 20), ("GiB", 30)].first { argument.hasSuffix($0.0) }
        guard let number = Int(argument.dropLast(unit?.0.count ?? 0)), number >= 0, number < 1 << 30 else {
            return nil
        }
        bytes = number << (unit?.1 ?? 0)
    }

    var description: String { bytes % (1 << 20) == 0 ? "\(bytes >> 20)MiB" : "\(bytes)" }
    var defaultValueDescription: String { description }
}

extension LineLog.Format: ExpressibleByArgument {}
