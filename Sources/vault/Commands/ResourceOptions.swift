internal import ArgumentParser
internal import Resources
internal import Sodium
internal import VaultFile

/// What can be said of a resource: the flags of `add` and `edit`.
struct ResourceOptions: ParsableArguments {
    @Option(
        name: .customLong("url"), help: ArgumentHelp("A URL that the API lives at; may be repeated.", valueName: "url"))
    private var urls: [String] = []

    @Flag(help: "Let a URL be http although the traffic leaves the machine.")
    private(set) var allowHttp = false

    @Option(
        name: .customLong("header"),
        help: ArgumentHelp(
            "A header, such as 'X-Api-Key: {{token}}'; may be repeated. Default: 'Authorization: Bearer {{token}}'.",
            valueName: "header"))
    private var headers: [String] = []

    @Option(
        name: .customLong("env"),
        help: ArgumentHelp(
            "A variable for the child, such as 'GH_TOKEN={{token}}'; may be repeated. Default: NAME_TOKEN, NAME_HEADERS "
                + "and NAME_CURL_CONFIG.",
            valueName: "variable"))
    private var environment: [String] = []

    @Option(help: ArgumentHelp("The user name, for {{username}} and {{basic}}.", valueName: "name"))
    private var username: String?

    @Option(help: ArgumentHelp("When the token ends: a date, a time, 90d, 12h, or never.", valueName: "when"))
    private var expires: String?

    @Option(help: ArgumentHelp("A note.", valueName: "text"))
    private var note: String?

    @Option(name: .customLong("tag"), help: ArgumentHelp("A tag; may be repeated.", valueName: "tag"))
    private var tags: [String] = []

    /// Whether nothing was said at all.
    var isEmpty: Bool {
        urls.isEmpty && headers.isEmpty && environment.isEmpty && username == nil && expires == nil && note == nil
            && tags.isEmpty
    }

    /// A new resource as the flags say.
    func resource(named name: RecordName) throws -> Resource {
        var resource = Resource(name: name, urls: [], now: .now)
        try apply(to: &resource)
        try resource.check(allowsHTTP: allowHttp)
        return resource
    }

    /// Checks a token for a new resource, and takes the expiry from it where the flags give none.
    func take(_ token: borrowing SecretBytes, for resource: inout Resource) throws {
        try token.withBytes { token in
            try TokenRules.check(token, for: resource.headers)
            if expires == nil { resource.token.expires = JSONWebToken.expiry(of: token) }
        }
    }

    /// Changes what the flags name; a list replaces the whole list.
    func apply(to resource: inout Resource) throws {
        if !urls.isEmpty { resource.urls = try urls.map { try ResourceURL($0) } }
        if !headers.isEmpty {
            resource.givenHeaders = try headers == [""] ? nil : headers.map { try HeaderTemplate($0) }
        }
        if !environment.isEmpty {
            resource.givenEnvironment = try environment == [""] ? nil : environment.map { try EnvironmentTemplate($0) }
        }
        if let username { resource.username = username.isEmpty ? nil : username }
        if let note { resource.note = note.isEmpty ? nil : note }
        if !tags.isEmpty { resource.tags = tags.filter { !$0.isEmpty } }
        if let expires { resource.token.expires = try Expiry.parse(expires) }
        resource.updated = .now
    }

    /// Says of flags that were given for headers or variables that the token will be in no header.
    func noteUnused(_ resource: Resource, unless quiet: Bool) {
        guard !headers.isEmpty || !environment.isEmpty, !resource.headers.contains(where: \.value.isSecret) else {
            return
        }
        Messages.note("no header of \(resource.name) uses the token", unless: quiet)
    }

    /// A resource that the flags were applied to, checked. URLs that were http before may stay so.
    func check(_ resource: Resource) throws {
        try resource.check(allowsHTTP: allowHttp || urls.isEmpty)
    }
}
