internal import Glibc
internal import Sodium
public import SystemPackage
public import VaultFile

/// Which store a vault has, and how this machine gets at it. There is no secret in it.
public struct RemoteSettings: Sendable, Equatable {
    /// Where the store is, in the one spelling of ``RemoteURL``.
    public var url: String
    /// Whether connections without encryption are allowed to other machines as well.
    public var allowsHTTP: Bool
    /// The file with the authorities of the store's certificate.
    public var authority: String?
    /// The file with this machine's certificate.
    public var certificate: String?
    /// The file with the certificate's key.
    public var key: String?
    /// The name of a user.
    public var user: String?
    /// The file with the user's password.
    public var passwordFile: String?

    /// Settings, whose paths begin with a slash.
    public init(
        url: String, allowsHTTP: Bool = false, authority: String? = nil, certificate: String? = nil, key: String? = nil,
        user: String? = nil, passwordFile: String? = nil
    ) {
        self.url = url
        self.allowsHTTP = allowsHTTP
        self.authority = authority
        self.certificate = certificate
        self.key = key
        self.user = user
        self.passwordFile = passwordFile
    }

    /// The members of a line that have a text.
    fileprivate static let texts: [(name: String, path: any WritableKeyPath<RemoteSettings, String?> & Sendable)] = [
        ("ca", \.authority), ("cert", \.certificate), ("key", \.key), ("user", \.user),
        ("password_file", \.passwordFile),
    ]
}

/// The stores that a user has given to vaults, by the vaults' places: the file `remotes`, a JSON object on each line.
public struct RemoteList: Sendable {
    private let file: FilePath?

    /// The stores of `file`, which need not exist; none where there is no place for such a file.
    public init(file: FilePath?) { self.file = file }

    /// The store of the vault at `path`; nil when it has none.
    ///
    /// - Throws: ``VaultError/setting(file:line:_:)`` for a line that makes no sense, or has a member that is not known
    ///   here: it might be one without which the store is not to be talked to.
    public func settings(for path: FilePath) throws(VaultError) -> RemoteSettings? {
        // What may not be read, as another user's in a container, says nothing.
        guard let file, let text = try SmallFile.read(file, unreadableIsNone: true) else { return nil }
        let place = KnownVaults.place(of: path).bytes
        var settings: RemoteSettings?
        for (number, line) in text.lines.enumerated() where !line.isEmpty {
            guard let vault = Self.vault(line) else {
                throw .setting(file: file.string, line: number + 1, "a line is a JSON object with a \"vault\"")
            }
            guard vault == place else { continue }
            guard settings == nil else {
                throw .setting(file: file.string, line: number + 1, "the vault has a store on a line before")
            }
            var unknown: String?
            settings = Self.settings(line, &unknown)
            guard settings != nil else {
                throw .setting(
                    file: file.string, line: number + 1,
                    unknown.map { "there is no setting \($0)" } ?? "a store has a \"url\", and texts as its settings")
            }
        }
        return settings
    }

    /// Gives a vault a store in the place of the one that it has, or takes it away.
    ///
    /// - Parameters:
    ///   - settings: The store; nil for none.
    ///   - path: The vault, which need not exist.
    /// - Returns: Whether there was one before.
    /// - Throws: ``VaultError``.
    @discardableResult
    public func set(_ settings: RemoteSettings?, for path: FilePath) throws -> Bool {
        guard let list = file else { throw VaultError.notAllowed("there is no home folder to write it down in") }
        let place = KnownVaults.place(of: path).bytes
        guard place.first == UInt8(ascii: "/"), let vault = String(validating: place, as: UTF8.self) else {
            throw VaultError.notAllowed("a vault whose path is not text cannot have a store")
        }
        try DurableFile.createFolder(list.removingLastComponent())
        let file = try DurableFile.target(of: list, for: .writing)
        return try VaultLock.hold(file) {
            DurableFile.removeRemains(of: file)
            // Line by line, so that those of other vaults stay as they are.
            var lines = (try SmallFile.read(file) ?? []).lines.map(Array.init)
            if lines.last?.isEmpty ?? false { lines.removeLast() }
            let count = lines.count
            lines.removeAll { Self.vault($0[...]) == place }
            let hadOne = lines.count < count
            if let settings { lines.append(Self.line(vault, settings)) }
            let text = lines.flatMap { $0 + [UInt8(ascii: "\n")] }
            try DurableFile.write(file, adopting: true) { (descriptor) throws(VaultError) in
                try DurableFile.write(text.span, to: descriptor, at: file)
            }
            return hadOne
        }
    }

    private static func line(_ vault: String, _ settings: RemoteSettings) -> [UInt8] {
        var members = [("vault", JSONText.quoted(vault)), ("url", JSONText.quoted(settings.url))]
        for (name, path) in RemoteSettings.texts {
            if let text = settings[keyPath: path] { members.append((name, JSONText.quoted(text))) }
        }
        if settings.allowsHTTP { members.append(("allow_http", Array("true".utf8))) }
        let texts = members.map { JSONText.quoted($0.0) + [UInt8(ascii: ":")] + $0.1 }
        return [UInt8(ascii: "{")] + texts.joined(separator: [UInt8(ascii: ",")]) + [UInt8(ascii: "}")]
    }

    /// The place of the vault that a line is about; nil when there is none.
    private static func vault(_ line: ArraySlice<UInt8>) -> [UInt8]? {
        var vault: String?
        let bytes = line.span
        let isRead = read(bytes) { (name, cursor) throws(JSONError) in
            if name.equals("vault", in: bytes) {
                vault = try cursor.readString(bytes).text(in: bytes)
            } else {
                try cursor.readValue(bytes)
            }
        }
        return isRead ? vault.map { Array($0.utf8) } : nil
    }

    /// The settings of a line; nil when they make no sense, with the name of one that is not known, where it is one.
    private static func settings(_ line: ArraySlice<UInt8>, _ unknown: inout String?) -> RemoteSettings? {
        var settings = RemoteSettings(url: "")
        let bytes = line.span
        let isRead = read(bytes) { (name, cursor) throws(JSONError) in
            let member = name.text(in: bytes)
            switch member {
            case "vault": try cursor.readValue(bytes)
            case "url": settings.url = try cursor.readString(bytes).text(in: bytes)
            case "allow_http":
                settings.allowsHTTP = cursor.take("true", bytes)
                if !settings.allowsHTTP, !cursor.take("false", bytes) {
                    throw JSONError("no truth", at: cursor.position)
                }
            default:
                guard let path = RemoteSettings.texts.first(where: { $0.name == member })?.path else {
                    unknown = String(decoding: JSONText.quoted(member), as: UTF8.self)
                    throw JSONError("an unknown member", at: cursor.position)
                }
                settings[keyPath: path] = try cursor.readString(bytes).text(in: bytes)
            }
        }
        return isRead && !settings.url.isEmpty ? settings : nil
    }

    private static func read(
        _ line: Span<UInt8>, _ member: (JSONString, inout JSONCursor) throws(JSONError) -> Void
    ) -> Bool {
        do throws(JSONError) {
            var cursor = JSONCursor()
            try cursor.readObject(line, member)
            try cursor.readEnd(line)
            return true
        } catch {
            return false
        }
    }
}

extension [UInt8] {
    /// The lines, of which the last one is empty where the text ends in a newline.
    fileprivate var lines: [ArraySlice<UInt8>] {
        split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    }
}
