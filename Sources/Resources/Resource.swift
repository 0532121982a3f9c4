public import VaultFile

/// What is kept about an API: everything but the tokens themselves.
public struct Resource: Sendable, Equatable {
    /// A token's dates.
    public struct TokenDates: Sendable, Equatable {
        /// When it was stored.
        public var added: Timestamp?
        /// When it ends to be valid.
        public var expires: Timestamp?
        /// When another one took its place; only of those in the history.
        public var retired: Timestamp?

        /// The dates of a token.
        public init(added: Timestamp?, expires: Timestamp?, retired: Timestamp? = nil) {
            self.added = added
            self.expires = expires
            self.retired = retired
        }

        /// Whether the token is no longer valid at `moment`.
        public func isExpired(at moment: Timestamp) -> Bool { expires.map { $0 <= moment } ?? false }
    }

    /// How many earlier tokens are kept.
    public static let historyLimit = 5

    /// The name, unique in the vault.
    public var name: RecordName
    /// Where the API lives; at least one.
    public var urls: [ResourceURL]
    /// The headers that were given; nil for the default one.
    public var givenHeaders: [HeaderTemplate]?
    /// The variables that were given; nil for the default ones.
    public var givenEnvironment: [EnvironmentTemplate]?
    /// The user name, for Basic authentication.
    public var username: String?
    /// A note.
    public var note: String?
    /// Tags.
    public var tags: [String]
    /// When it was stored first.
    public var created: Timestamp?
    /// When it was last changed.
    public var updated: Timestamp?
    /// The dates of the token.
    public var token: TokenDates
    /// The dates of the tokens before, the latest first.
    public var history: [TokenDates]

    /// A new resource.
    public init(
        name: RecordName, urls: [ResourceURL], headers: [HeaderTemplate]? = nil,
        environment: [EnvironmentTemplate]? = nil, username: String? = nil, note: String? = nil, tags: [String] = [],
        now: Timestamp, expires: Timestamp? = nil
    ) {
        self.name = name
        self.urls = urls
        givenHeaders = headers
        givenEnvironment = environment
        self.username = username
        self.note = note
        self.tags = tags
        created = now
        updated = now
        token = TokenDates(added: now, expires: expires)
        history = []
    }

    /// The headers.
    public var headers: [HeaderTemplate] { givenHeaders ?? [.default] }

    /// The variables that a child gets.
    ///
    /// - Throws: ``ResourceError/invalid(_:_:)`` when a name is one of those that are refused.
    public func environment() throws(ResourceError) -> [EnvironmentTemplate] {
        let variables = listedEnvironment
        for variable in variables { try EnvironmentName.check(variable.name) }
        return variables
    }

    /// The variables as they are shown, with those that no child gets because their names are refused.
    public var listedEnvironment: [EnvironmentTemplate] {
        givenEnvironment ?? EnvironmentTemplate.defaults(for: name.description)
    }

    /// Whether `url` lies inside one of the resource's URLs.
    public func covers(_ url: ResourceURL) -> Bool { urls.contains { $0.contains(url) } }

    /// Checks what a single field cannot tell.
    ///
    /// - Parameter allowsHTTP: Whether URLs may be http where the traffic leaves the machine.
    /// - Throws: ``ResourceError/invalid(_:_:)``.
    public func check(allowsHTTP: Bool) throws(ResourceError) {
        guard !urls.isEmpty else { throw .invalid("a resource needs a URL", .url) }
        for url in urls {
            if url.hasQuery { throw .invalid("the URL of a resource must not have a query or a fragment") }
            guard url.scheme == "https" || url.isLoopback || allowsHTTP else {
                throw .invalid("an http URL would send the token unencrypted", .https)
            }
        }
        try check(try environment())
    }

    /// Checks a resource that is stored already: as when it is stored, but for what only its writer could know (whether
    /// http was meant) and for the names of variables that are refused when they are used.
    func checkStored() throws(ResourceError) {
        guard !urls.isEmpty else { throw .invalid("it has no URL") }
        for url in urls where url.hasQuery { throw .invalid("a URL has a query or a fragment: \(url)") }
        // The default variables need no check, and to make them would take longer than all the rest.
        try check(givenEnvironment ?? [])
    }

    private func check(_ variables: [EnvironmentTemplate]) throws(ResourceError) {
        guard variables.map(\.name).areUnique else { throw .invalid("two variables have the same name") }
        guard headers.map({ $0.name.lowercased() }).areUnique else {
            throw .invalid("two headers have the same name")
        }
        let used = (headers.map(\.value) + variables.map(\.value)).flatMap(\.variables)
        if username == nil, used.contains(.basic) || used.contains(.username) {
            throw .invalid("{{basic}} and {{username}} need a user name", .username)
        }
        try Self.checkText(username, "the user name")
        try Self.checkText(note, "the note")
        for tag in tags { try Self.checkText(tag, "a tag") }
        if let username, username.contains(":"), used.contains(.basic) {
            throw .invalid("the user name for {{basic}} has no colon in it (RFC 7617)")
        }
    }

    /// Text that ends up on terminals and in headers has no control characters.
    private static func checkText(_ text: String?, _ field: String) throws(ResourceError) {
        if let text, text.unicodeScalars.contains(where: \.isControl) {
            throw .invalid("\(field) has a control character in it")
        }
    }
}

extension Unicode.Scalar {
    /// Whether this is a control character, of one byte or (U+0080 to U+009F) of two.
    var isControl: Bool { value < 0x20 || (0x7f..<0xa0).contains(value) }
}
