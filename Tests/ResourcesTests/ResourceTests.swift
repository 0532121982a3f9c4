import Resources
import Testing
import VaultFile

@Suite struct ResourceTests {
    /// A resource of which one thing is to be looked at.
    private func resource(
        _ name: String = "github", urls: [String] = ["https://api.github.com"], headers: [String]? = nil,
        environment: [String]? = nil, username: String? = nil, note: String? = nil, tags: [String] = []
    ) throws -> Resource {
        Resource(
            name: try #require(RecordName(name)), urls: try urls.map { text in try ResourceURL(text) },
            headers: try headers?.map { text in try HeaderTemplate(text) },
            environment: try environment?.map { text in try EnvironmentTemplate(text) }, username: username, note: note,
            tags: tags, now: Timestamp(seconds: 0))
    }

    @Test func `What is not given has its default`() throws {
        let resource = try resource("my-api.v2")
        try resource.check(allowsHTTP: false)
        #expect(resource.headers == [.default])
        #expect(
            try resource.environment().map(\.text) == [
                "MY_API_V2_TOKEN={{token}}", "MY_API_V2_HEADERS={{headers}}", "MY_API_V2_CURL_CONFIG={{curl_config}}",
            ])
    }

    @Test func `What is given takes the place of all defaults`() throws {
        let resource = try resource(headers: ["X: {{token}}"], environment: ["A={{token}}"])
        #expect(resource.headers.map(\.text) == ["X: {{token}}"])
        #expect(try resource.environment().map(\.text) == ["A={{token}}"])
        let none = try self.resource(headers: [], environment: [])
        #expect(none.headers.isEmpty)
        #expect(try none.environment().isEmpty)
    }

    @Test(arguments: ["git", "vault", "ld", "python", "ruby-gems", "perl5", "GIT.x", "vault/x"])
    func `A name whose default variables would be refused needs others`(name: String) throws {
        #expect(throws: ResourceError.self) { try resource(name).check(allowsHTTP: false) }
        try resource(name, environment: ["MY_TOKEN={{token}}"]).check(allowsHTTP: false)
        try resource(name, environment: []).check(allowsHTTP: false)
    }

    @Test func `Without a URL there is no resource`() {
        #expect(throws: ResourceError.invalid("a resource needs a URL", .url)) {
            try resource(urls: []).check(allowsHTTP: true)
        }
    }

    @Test(arguments: ["https://h?x=1", "https://h/#x", "https://h/a?"])
    func `The URL of a resource has no query`(url: String) {
        #expect(throws: ResourceError.self) { try resource(urls: ["https://h", url]).check(allowsHTTP: true) }
    }

    @Test(arguments: ["http://h", "http://h:443", "http://localhost.evil.example", "http://10.0.0.1", "http://[::2]"])
    func `Without encryption a URL needs to be allowed`(url: String) throws {
        let resource = try resource(urls: ["https://h", url])
        let error = #expect(throws: ResourceError.self) { try resource.check(allowsHTTP: false) }
        #expect(
            error == .invalid("an http URL would send the token unencrypted", .https))
        try resource.check(allowsHTTP: true)
    }

    @Test(arguments: ["http://localhost:8080", "http://127.0.0.1", "http://[::1]:80", "http://[0:0:0:0:0:0:0:1]"])
    func `Within the machine it needs not`(url: String) throws {
        try resource(urls: [url]).check(allowsHTTP: false)
    }

    @Test(
        arguments: [
            (["A={{token}}", "A={{name}}"], nil, "two variables have the same name"),
            (nil, ["X: {{token}}", "x: {{name}}"], "two headers have the same name"),
            (nil, ["Authorization: a", "AUTHORIZATION: a"], "two headers have the same name"),
        ] as [([String]?, [String]?, String)])
    func `Two of one name are refused`(environment: [String]?, headers: [String]?, message: String) throws {
        let resource = try resource(headers: headers, environment: environment)
        #expect(throws: ResourceError.invalid(message)) { try resource.check(allowsHTTP: false) }
    }

    @Test func `Variables that differ in case are two`() throws {
        try resource(environment: ["a={{token}}", "A={{token}}"]).check(allowsHTTP: false)
    }

    @Test(
        arguments: [
            (["Authorization: Basic {{basic}}"], nil), (["X: {{username}}"], nil), (nil, ["A={{basic}}"]),
            (nil, ["A={{username}}:{{token}}"]),
        ] as [([String]?, [String]?)])
    func `What needs a user name is refused without one`(headers: [String]?, environment: [String]?) throws {
        #expect(throws: ResourceError.invalid("{{basic}} and {{username}} need a user name", .username)) {
            try resource(headers: headers, environment: environment).check(allowsHTTP: false)
        }
        try resource(headers: headers, environment: environment, username: "alice").check(allowsHTTP: false)
    }

    @Test func `A user name for Basic has no colon`() throws {
        #expect(throws: ResourceError.invalid("the user name for {{basic}} has no colon in it (RFC 7617)")) {
            try resource(headers: ["X: {{basic}}"], username: "a:b").check(allowsHTTP: false)
        }
        try resource(headers: ["X: {{username}}"], username: "a:b").check(allowsHTTP: false)
    }

    @Test(arguments: ["\n", "\r", "\t", "\0", "\u{1b}[31m", "\u{7f}", "\u{85}", "\u{9b}31m", "a\r\nb"])
    func `Text has no control characters`(text: String) {
        #expect(throws: ResourceError.invalid("the user name has a control character in it")) {
            try resource(username: text).check(allowsHTTP: false)
        }
        #expect(throws: ResourceError.invalid("the note has a control character in it")) {
            try resource(note: text).check(allowsHTTP: false)
        }
        #expect(throws: ResourceError.invalid("a tag has a control character in it")) {
            try resource(tags: ["ci", text]).check(allowsHTTP: false)
        }
    }

    @Test func `Text is otherwise free`() throws {
        try resource(username: "", note: "für \"Ünï\" \\ 🙂", tags: ["", "a b", "ü"]).check(allowsHTTP: false)
    }

    @Test func `A URL inside any of the resource's is covered`() throws {
        let resource = try resource(urls: ["https://a/v1", "https://b"])
        #expect(try resource.covers(ResourceURL("https://a/v1/x")))
        #expect(try resource.covers(ResourceURL("https://b/y")))
        #expect(try !resource.covers(ResourceURL("https://a/v2")))
        #expect(try !resource.covers(ResourceURL("https://c")))
        #expect(try !self.resource(urls: []).covers(ResourceURL("https://a")))
    }

    @Test(arguments: [(nil, false), (99, true), (100, true), (101, false)] as [(Int?, Bool)])
    func `A token is expired from the moment on that it names`(expires: Int?, isExpired: Bool) {
        let dates = Resource.TokenDates(added: nil, expires: expires.map { Timestamp(seconds: $0) })
        #expect(dates.isExpired(at: Timestamp(seconds: 100)) == isExpired)
    }
}
