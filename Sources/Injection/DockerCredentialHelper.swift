public import Resources
public import Sodium
public import VaultFile

/// The protocol of docker's credential helpers (docker-credential-helpers): the server's address on standard input, and
/// a JSON object or the text of an error on standard output.
public enum DockerCredentialHelper {
    /// The registry that a request is about.
    public struct Server: Equatable, Sendable {
        /// As docker wrote it, and expects it back.
        public let text: String
        /// Where that is. An address without a scheme means https.
        public let url: ResourceURL
    }

    /// What docker takes for a miss, letter by letter. Anything else is a failure.
    public static let notFound = "credentials not found in native keychain"

    /// The user name that tells docker to take the secret for an OAuth 2 refresh token, which it sends to whatever
    /// server the registry names.
    public static let identityTokenUsername = "<token>"

    /// Reads a request: one address, and white space around it.
    ///
    /// - Throws: ``ClientRequestError``, or ``ResourceError`` for an address that no URL can have.
    public static func server(of request: Span<UInt8>) throws -> Server {
        try ClientRequest.checkSize(request)
        var range = request.indices
        while let first = range.first, isSpace(request[first]) { range.removeFirst() }
        while let last = range.last, isSpace(request[last]) { range.removeLast() }
        guard !range.isEmpty else { throw ClientRequestError("the request has no server in it") }
        var text = ""
        for index in range {
            guard (0x21...0x7e).contains(request[index]) else {
                throw ClientRequestError("a server's address has only visible ASCII characters")
            }
            text.unicodeScalars.append(Unicode.Scalar(request[index]))
        }
        return Server(text: text, url: try ResourceURL(text.contains("://") ? text : "https://\(text)"))
    }

    /// Appends the answer to `get`.
    public static func append(
        _ server: Server, username: String, token: Span<UInt8>, to output: inout SecretBuffer
    ) {
        output.append("{\"ServerURL\":")
        output.append(JSONText.quoted(server.text).span)
        output.append(",\"Username\":")
        output.append(JSONText.quoted(username).span)
        output.append(",\"Secret\":")
        output.appendQuoted(token)
        output.append("}\n")
    }

    /// The answer to `list`: the https addresses of resources for which there is an answer to `get`, which is what docker
    /// asks for next, each with its user name.
    ///
    /// - Parameters:
    ///   - resources: All resources.
    ///   - now: The moment at which a token must not have expired.
    ///   - username: The user name of a resource.
    /// - Returns: A JSON object.
    public static func list(of resources: [Resource], at now: Timestamp, username: (Resource) -> String) -> String {
        // The resources with exactly this URL, so that those of a URL are found by the beginnings of its path.
        var numbers: [String: Set<Int>] = [:]
        for (number, resource) in resources.enumerated() {
            for url in resource.urls { numbers[Self.key(url, Self.path(url)[...]), default: []].insert(number) }
        }
        var servers: [(url: ResourceURL, username: String)] = []
        for resource in resources where !resource.token.isExpired(at: now) {
            let username = username(resource)
            if username == identityTokenUsername { continue }
            for url in resource.urls where url.scheme == "https" {
                var covering: Set<Int> = []
                var path = Self.path(url)[...]
                while true {
                    covering.formUnion(numbers[Self.key(url, path)] ?? [])
                    guard covering.count < 2, let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { break }
                    path = path[..<slash]
                }
                if covering.count == 1 { servers.append((url, username)) }
            }
        }
        servers.sort { $0.url.description < $1.url.description }
        let members = servers.map { server in
            JSONText.quoted(server.url.description) + [UInt8(ascii: ":")] + JSONText.quoted(server.username)
        }
        return "{\(members.map { String(decoding: $0, as: UTF8.self) }.joined(separator: ","))}\n"
    }

    /// A path without the slash at its end, as ``ResourceURL/contains(_:)`` compares them.
    private static func path(_ url: ResourceURL) -> String {
        url.path.utf8.last == UInt8(ascii: "/") ? String(url.path.dropLast()) : url.path
    }

    private static func key(_ url: ResourceURL, _ path: Substring) -> String {
        "\(url.scheme)://\(url.host):\(url.port)\(path)"
    }

    private static func isSpace(_ byte: UInt8) -> Bool { [0x20, 0x09, 0x0a, 0x0d].contains(byte) }
}
