import HTTPTypes

/// Who may ask.
struct Guard: Sendable {
    private let token: [UInt8]?
    /// What changes need, with or without a token for everything.
    private let changeToken: [UInt8]
    private let names: Set<String>

    init(_ settings: ServerSettings) {
        token = settings.token.map { Array($0.utf8) }
        changeToken = Array((settings.token ?? settings.changeToken).utf8)
        names = Set((["localhost", settings.host] + settings.allowedHosts).map { $0.lowercased() })
    }

    /// - Throws: `APIError` if the request says no host or several (RFC 9112, section 3.2), was addressed to another one (a name
    ///   that was made to point here, RFC 9110, section 7.4), comes from another site's page, or lacks the token.
    func check(_ request: HTTPRequest, for access: Endpoint.Access) throws(APIError) {
        // The first one is the authority, and no field any more.
        guard let authority = request.authority, request.headerFields["Host"] == nil else {
            throw .invalid("the request must have one Host field")
        }
        guard let host = HostName.of(authority), names.contains(host) || HostName.isAddress(host) else {
            throw APIError(.misdirectedRequest, "the server does not go by this name")
        }
        if let origin = request.headerFields[.origin],
            !["http://\(authority)", "https://\(authority)"].contains(origin.lowercased())
        {
            throw APIError(.forbidden, "pages of other sites may not ask")
        }
        if let site = request.headerFields["Sec-Fetch-Site"], !["same-origin", "none"].contains(site),
            access != .open || !Self.followsLink(request)
        {
            throw APIError(.forbidden, "pages of other sites may not ask")
        }
        let needed: [UInt8]? =
            switch access {
            case .open: nil
            case .usual: token
            case .change: changeToken
            }
        guard let needed else { return }
        let words = request.headerFields[.authorization]?.split(separator: " ", maxSplits: 1) ?? []
        guard words.count == 2, words[0].lowercased() == "bearer", Self.areEqual(Array(words[1].utf8), needed)
        else {
            throw APIError(
                .unauthorized, "the token is missing or wrong", headers: [.wwwAuthenticate: "Bearer"])
        }
    }

    /// Whether somebody goes to the page by a link, or a bookmark's page: what that says of itself shows no other site anything.
    private static func followsLink(_ request: HTTPRequest) -> Bool {
        request.method == .get && request.headerFields["Sec-Fetch-Mode"] == "navigate"
            && request.headerFields["Sec-Fetch-Dest"] == "document"
    }

    /// Compares in a time that does not depend on where they differ.
    private static func areEqual(_ given: [UInt8], _ token: [UInt8]) -> Bool {
        var difference = given.count ^ token.count
        for place in token.indices {
            difference |= Int(token[place] ^ (place < given.count ? given[place] : 0))
        }
        return difference == 0
    }
}

extension HTTPFields {
    /// A field that the library has no name for.
    subscript(name: String) -> String? {
        get { HTTPField.Name(name).flatMap { self[$0] } }
        set { if let name = HTTPField.Name(name) { self[name] = newValue } }
    }
}
