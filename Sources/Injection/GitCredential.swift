public import Resources
public import Sodium
internal import VaultFile

/// The protocol of git's credential helpers (gitcredentials(7), git-credential(1)): lines of `name=value` on standard
/// input, and on standard output.
public struct GitCredential: Equatable, Sendable {
    /// What `capability` says: that, since git 2.46, an answer may be another scheme than Basic.
    public static let capabilities = "version 0\ncapability authtype\n"

    /// The answer that keeps git from asking other helpers, or a person, about this URL.
    public static let quit = "quit=1\n"

    /// The user name where neither resource nor command line has one: what GitHub documents for its tokens, and most
    /// servers, which look at the token alone, take as well.
    public static let defaultUsername = "x-access-token"

    /// `https` or `http`, or another for which there is nothing to be had here.
    public let scheme: String
    /// The name or address, and perhaps a port behind a colon.
    public let host: String
    /// The path without its first slash; only there when git's `credential.useHttpPath` is set.
    public let path: String?
    /// The user name that is wanted.
    public let username: String?
    /// Whether git can send what has another scheme than Basic.
    public let acceptsSchemes: Bool
    /// What the server asked for: the values of its `WWW-Authenticate` headers.
    public let challenges: [String]

    /// The attributes that are looked at.
    private static let names: [StaticString] = ["capability[]", "wwwauth[]", "protocol", "host", "path", "username"]

    /// Reads a request. Attributes that are not known are passed over.
    ///
    /// - Throws: ``ClientRequestError``.
    public init(_ request: Span<UInt8>) throws(ClientRequestError) {
        try ClientRequest.checkSize(request)
        var single: [String: String] = [:]
        var capabilities: [String] = []
        var challenges: [String] = []
        var start = 0
        while start < request.count {
            let end = request.firstIndex(of: UInt8(ascii: "\n"), from: start, before: request.count) ?? request.count
            // A blank line ends a request.
            if end == start { break }
            let line = request.extracting(start..<end)
            start = end + 1
            guard line.firstIndex(of: 0, from: 0, before: line.count) == nil else {
                throw ClientRequestError("the request has a zero byte in it")
            }
            guard let sign = line.firstIndex(of: UInt8(ascii: "="), from: 0, before: line.count) else {
                throw ClientRequestError("the request has a line without \"=\"")
            }
            // What another helper may have answered, such as a password, does not become text.
            guard let name = Self.names.first(where: { line.extracting(first: sign).equals($0) }) else { continue }
            guard let value = String(validating: line.extracting(droppingFirst: sign + 1).publicCopy, as: UTF8.self)
            else { throw ClientRequestError("the request is not UTF-8") }
            switch name.description {
            case "capability[]": Self.add(value, to: &capabilities)
            case "wwwauth[]": Self.add(value, to: &challenges)
            default:
                guard single.updateValue(value, forKey: name.description) == nil else {
                    throw ClientRequestError("the request has \"\(name)\" twice")
                }
            }
        }
        guard let scheme = single["protocol"], let host = single["host"] else {
            throw ClientRequestError("the request has no \"protocol\", or no \"host\"")
        }
        self.scheme = scheme
        self.host = host
        path = single["path"]
        username = single["username"]
        acceptsSchemes = capabilities.contains("authtype")
        self.challenges = challenges
    }

    /// What is asked for; nil when it is neither https nor http.
    ///
    /// - Throws: ``ClientRequestError`` or ``ResourceError`` for what no URL can have.
    public func url() throws -> ResourceURL? {
        guard ["https", "http"].contains(scheme) else { return nil }
        guard !host.utf8.contains(where: { "/?#@\\".utf8.contains($0) }) else {
            throw ClientRequestError("the host is more than a name and a port")
        }
        // git has decoded them: they stand for themselves.
        guard !(path ?? "").utf8.contains(where: { "?#%".utf8.contains($0) }) else {
            throw ClientRequestError("the path has a \"?\", a \"#\" or a \"%\" in it")
        }
        return try ResourceURL("\(scheme)://\(host)/\(path ?? "")")
    }

    /// Whether an answer with that user name is one that git would take.
    public func accepts(username: String) -> Bool { self.username.map { $0 == username } ?? true }

    /// Appends the answer: user name and token, or where git knows of schemes, the resource's `Authorization` header.
    /// That is marked as ephemeral, so that no other helper stores it.
    ///
    /// - Parameters:
    ///   - resource: The resource that is asked for.
    ///   - username: The user name, for Basic authentication.
    ///   - token: The resource's token.
    ///   - output: Where the answer goes.
    public func append(
        _ resource: Resource, username: String, token: Span<UInt8>, to output: inout SecretBuffer
    ) {
        precondition(!username.utf8.contains { $0 < 0x20 || $0 == 0x7f }, "a control character in a user name")
        if acceptsSchemes {
            let header = header(of: resource) ?? Self.basic
            var named = resource
            named.username = username
            var value = SecretBuffer()
            HeaderRenderer.appendValue(of: header, named, token: token, to: &value)
            output.append("capability[]=authtype\n")
            value.withBytes { value in
                let space = value.firstSpace ?? value.count
                output.append("authtype=")
                output.append(value.extracting(first: space))
                output.append("\ncredential=")
                output.append(value.extracting(droppingFirst: min(space + 1, value.count)))
            }
            output.append("\nephemeral=1\n")
        } else {
            output.append(Array("username=\(username)\npassword=".utf8).span)
            precondition(!token.hasControlByte, "a control character in a token")
            output.append(token)
            output.append("\n")
        }
        if let expires = resource.token.expires {
            output.append(Array("password_expiry_utc=\(expires.seconds)\n".utf8).span)
        }
    }

    /// `Authorization: Basic …` (RFC 7617).
    private static let basic: HeaderTemplate = {
        do { return try HeaderTemplate("Authorization: Basic {{basic}}") } catch { fatalError("\(error)") }
    }()

    /// The resource's own `Authorization` header, if it has one with a scheme; but not where the server asks for Basic
    /// alone: the same token often is a bearer token for an API, and a password for git.
    private func header(of resource: Resource) -> HeaderTemplate? {
        guard let header = resource.headers.first(where: { $0.name.lowercased() == "authorization" }),
            case .text(let lead) = header.value.parts.first, let space = lead.firstIndex(of: " "),
            space > lead.startIndex
        else { return nil }
        let scheme = lead[..<space].lowercased()
        let asked = Set(challenges.flatMap(Self.schemes))
        return asked.contains("basic") && !asked.contains(scheme) ? nil : header
    }

    /// The schemes of a `WWW-Authenticate` value (RFC 9110, 11.6.1): the first word of each challenge.
    private static func schemes(of challenges: String) -> [String] {
        challenges.split(separator: ",").compactMap { part in
            part.split(separator: " ").first.map { $0.lowercased() }
        }
    }

    /// Adds to a list, which an empty value empties.
    private static func add(_ value: String, to list: inout [String]) {
        if value.isEmpty { list.removeAll() } else { list.append(value) }
    }
}

extension Span<UInt8> {
    /// The place of the first space.
    fileprivate var firstSpace: Int? { indices.first { self[$0] == UInt8(ascii: " ") } }
}
