import Foundation

/// The host of an authority such as `localhost:8080` or `[::1]:8080`.
package enum HostName {
    /// In lower case, without a port and an address's brackets; nil if it is none.
    package static func of(_ authority: String) -> String? {
        let host: Substring
        if authority.hasPrefix("[") {
            guard let end = authority.firstIndex(of: "]") else { return nil }
            host = authority[authority.index(after: authority.startIndex)..<end]
        } else {
            host = authority.prefix { $0 != ":" }
        }
        return host.isEmpty ? nil : host.lowercased()
    }

    /// Whether it is a numeric address, which no name server can point elsewhere.
    package static func isAddress(_ host: String) -> Bool {
        var (four, six) = (in_addr(), in6_addr())
        return inet_pton(AF_INET, host, &four) == 1 || inet_pton(AF_INET6, host, &six) == 1
    }
}
