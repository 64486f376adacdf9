import VGGEngine
import VGGPerception

/// What a server is told when it starts.
public struct ServerSettings: Sendable {
    /// Where it listens.
    public var host = "127.0.0.1"
    public var port = 8080
    /// What every request must show; nil for none.
    public var token: String?
    /// What requests must show that change something, where no token is set.
    public var changeToken = Self.randomToken()
    /// The folder whose runs the studio shows.
    public var runs = "runs"
    /// The program `vgg`, which trains; nil if the studio shall not.
    public var trainer: String?
    /// LPIPS's linear weights, for distances by models whose channels they are of; nil for none.
    public var linear: LPIPSWeights?
    /// Names under which clients may address the server, beside `localhost`, `host` and numeric addresses.
    public var allowedHosts: [String] = []
    /// Images that are computed together at most.
    public var maxBatchSize = 16
    /// How long an image waits for others while nothing is computed; after a batch of several, 1/32 of the time that batch
    /// took if this is longer. Zero waits for nobody.
    public var maxQueueDelay = Duration.microseconds(2000)
    /// Images of a model that wait at most, and requests of all models that are read and prepared at most.
    public var maxQueue = 256
    /// How old a request may be when it is computed.
    public var timeout = Duration.seconds(30)
    /// Bytes of a body at most, as sent and unpacked.
    public var maxBody = 64 << 20
    /// Bytes of all bodies that are in memory at once.
    public var maxBodies = 512 << 20
    /// What makes it speak HTTPS; nil for HTTP.
    public var tls: TLSFiles?
    public var precision: Precision?
    public var device: Device

    public init(device: Device) { self.device = device }

    /// 128 bits that nobody can guess, in hexadecimal.
    private static func randomToken() -> String {
        var random = SystemRandomNumberGenerator()
        return (0..<2).map { _ in
            let digits = String(random.next(), radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }.joined()
    }

    /// Whether only programs of this machine can reach it.
    public var isLoopback: Bool {
        host == "localhost" || host == "::1" || (host.hasPrefix("127.") && HostName.isAddress(host))
    }
}
