import HummingbirdTLS
import NIOSSL
import VGGFiles

/// The files with which a server proves who it is, in PEM format.
public struct TLSFiles: Sendable {
    /// The server's certificate, and after it those that lead to one that clients know.
    public var certificate: String
    /// The key of the server's certificate.
    public var key: String

    public init(certificate: String, key: String) { (self.certificate, self.key) = (certificate, key) }

    /// TLS 1.2 and newer.
    /// - Throws: `FileError` if a file cannot be read or is none of these.
    package func configuration() throws(FileError) -> TLSConfiguration {
        let chain: [NIOSSLCertificate]
        do {
            chain = try NIOSSLCertificate.fromPEMFile(certificate)
        } catch {
            throw FileError(certificate, "cannot be read as a certificate in PEM format: \(error)")
        }
        let privateKey: NIOSSLPrivateKey
        do {
            privateKey = try NIOSSLPrivateKey(file: key, format: .pem)
        } catch {
            throw FileError(key, "cannot be read as a private key in PEM format: \(error)")
        }
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(privateKey))
        configuration.minimumTLSVersion = .tlsv12
        configuration.applicationProtocols = ["http/1.1"]
        do {
            _ = try NIOSSLContext(configuration: configuration)
        } catch {
            throw FileError(key, "does not belong to \(certificate): \(error)")
        }
        return configuration
    }
}
