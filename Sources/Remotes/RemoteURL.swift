public import Resources

/// Where a shared store is: `etcd://HOST[:PORT][,HOST…]/PREFIX`, or a file on a web server.
public struct RemoteURL: Sendable, Equatable {
    /// What kind of store it is, and where.
    public enum Kind: Sendable, Equatable {
        /// An etcd cluster, and what its keys begin with.
        case etcd([Endpoint], prefix: String)
        /// A vault file on a web server.
        case web(ResourceURL)
    }

    /// One member of a cluster.
    public struct Endpoint: Sendable, Equatable, CustomStringConvertible {
        /// In lower case; an IPv6 address in brackets.
        public let host: String
        /// The port of the clients.
        public let port: Int
        /// Whether the traffic does not leave the machine.
        public let isLoopback: Bool

        /// `HOST:PORT`.
        public var description: String { "\(host):\(port)" }
    }

    /// The port of etcd's clients, where the URL has none.
    public static let defaultPort = 2379
    /// How many members of a cluster may be named.
    public static let maximumEndpoints = 16
    /// The largest size of a prefix in bytes.
    public static let maximumPrefixSize = 512

    /// What kind of store it is, and where.
    public let kind: Kind
    /// Whether connections without encryption are allowed to other machines as well.
    public let allowsHTTP: Bool

    /// Whether versions can only be read there.
    public var isReadOnly: Bool {
        guard case .web = kind else { return false }
        return true
    }

    /// Reads a URL.
    ///
    /// - Parameters:
    ///   - text: The URL. It has neither user names nor passwords.
    ///   - allowsHTTP: Whether connections without encryption are allowed to other machines as well.
    /// - Throws: ``RemoteURLError``, which never repeats the URL: there may be a password in it.
    public init(_ text: String, allowsHTTP: Bool = false) throws(RemoteURLError) {
        self.allowsHTTP = allowsHTTP
        let scheme = "etcd://"
        if text.lowercased().utf8.starts(with: scheme.utf8) {
            // By bytes: a slash and a combining mark behind it are one Character.
            kind = try Self.etcd(text[text.utf8.index(text.startIndex, offsetBy: scheme.utf8.count)...])
            return
        }
        let usage = "a remote is etcd://HOST[,HOST…]/PREFIX or https://HOST/PATH"
        // Otherwise the reason would be that of a resource's URL, which is no cluster.
        guard text.lowercased().utf8.starts(with: "http".utf8) else {
            throw RemoteURLError(usage)
        }
        let url = try Self.resource(text, else: usage)
        guard url.scheme == "https" || allowsHTTP || url.isLoopback else {
            throw RemoteURLError("a remote over http can be read and changed by everybody on the way; use https")
        }
        // Signed links have their secret there, and a setting is no place for one.
        guard !url.hasQuery else { throw RemoteURLError("the URL of a remote must not have a query or a fragment") }
        guard url.path != "/" else { throw RemoteURLError("the URL of a remote ends in the path of a file") }
        kind = .web(url)
    }

    /// Whether a cluster is reached by TLS: always, but where all of it is this machine, or where the user says otherwise.
    ///
    /// - Parameter hasTLSOptions: Whether a certificate or an authority is given, which is never without effect.
    /// - Returns: Whether it is.
    func usesTLS(hasTLSOptions: Bool) -> Bool {
        guard case .etcd(let endpoints, _) = kind, !hasTLSOptions else { return true }
        return !allowsHTTP && !endpoints.allSatisfy(\.isLoopback)
    }

    private static func etcd(_ rest: Substring) throws(RemoteURLError) -> Kind {
        guard let slash = rest.firstIndex(of: "/") else {
            throw RemoteURLError("the URL has no /PREFIX behind its hosts")
        }
        let names = rest[..<slash]
        guard !names.contains("@") else {
            throw RemoteURLError("the URL has a user name or password in it; use --user")
        }
        var endpoints: [Endpoint] = []
        for name in names.split(separator: ",", omittingEmptySubsequences: false) {
            // Without a scheme of its own in it: what is checked is what a URL of this host would be.
            guard name.utf8.allSatisfy({ !"/?#".utf8.contains($0) }) else {
                throw RemoteURLError("the URL has a host that is none")
            }
            let hasPort = name.last != "]" && name.split(separator: "]").last?.contains(":") == true
            let url = try resource("https://\(name)\(hasPort ? "" : ":\(defaultPort)")", else: "")
            let endpoint = Endpoint(host: url.host, port: url.port, isLoopback: url.isLoopback)
            guard !endpoints.contains(endpoint) else { throw RemoteURLError("the URL has a host twice") }
            endpoints.append(endpoint)
        }
        guard endpoints.count <= maximumEndpoints else {
            throw RemoteURLError("the URL has more than \(maximumEndpoints) hosts")
        }
        let prefix = rest[rest.index(after: slash)...]
        guard !prefix.isEmpty else { throw RemoteURLError("the URL has no prefix behind its last slash") }
        guard prefix.utf8.count <= maximumPrefixSize else {
            throw RemoteURLError("the URL has a prefix of more than \(maximumPrefixSize) bytes")
        }
        for segment in prefix.split(separator: "/", omittingEmptySubsequences: false) {
            guard !segment.isEmpty else { throw RemoteURLError("the URL has a slash too many in its prefix") }
            guard segment != ".", segment != ".." else {
                throw RemoteURLError("the URL has \".\" or \"..\" in its prefix")
            }
            guard segment.utf8.allSatisfy(isPrefixByte) else {
                throw RemoteURLError(
                    "a prefix is made of letters, digits, and \"._~-\", with slashes between its parts")
            }
        }
        return .etcd(endpoints, prefix: String(prefix))
    }

    private static func isPrefixByte(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
            || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20) || "._~-".utf8.contains(byte)
    }

    private static func resource(_ text: String, else usage: String) throws(RemoteURLError) -> ResourceURL {
        do throws(ResourceError) { return try ResourceURL(text) } catch {
            guard case .invalid(let reason, _) = error else { throw RemoteURLError(usage) }
            throw RemoteURLError(reason)
        }
    }
}

extension RemoteURL: CustomStringConvertible {
    /// The URL in its one spelling.
    public var description: String {
        switch kind {
        case .web(let url): return url.description
        case .etcd(let endpoints, let prefix):
            let names = endpoints.map { $0.port == Self.defaultPort ? $0.host : $0.description }
            return "etcd://\(names.joined(separator: ","))/\(prefix)"
        }
    }
}

/// Why something is not the URL of a store.
public struct RemoteURLError: Error, Equatable {
    /// A sentence that can be shown: the URL is not in it.
    public let reason: String

    init(_ reason: String) { self.reason = reason }
}
