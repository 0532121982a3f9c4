import Injection
import Resources
import TestSupport
import Testing

@Suite struct GitCredentialTests {
    private func request(_ lines: String...) throws -> GitCredential {
        let bytes = Array(lines.map { $0 + "\n" }.joined().utf8)
        return try GitCredential(bytes.span)
    }

    private func answer(
        _ request: GitCredential, _ resource: Resource, username: String = "alice", token: String = "token-zero"
    ) -> String {
        let bytes = Array(token.utf8)
        return written { request.append(resource, username: username, token: bytes.span, to: &$0) }
    }

    // MARK: - The request

    @Test func `Attributes are read, and those that are not known are passed over`() throws {
        let request = try request(
            "protocol=https", "host=a.example:8443", "path=group/repo.git", "username=al=ice",
            "wwwauth[]=Basic realm=\"x\"",
            "wwwauth[]=Bearer", "capability[]=authtype", "capability[]=state", "state[]=x", "new=thing", "=",
            "password=")
        #expect(request.scheme == "https")
        #expect(request.host == "a.example:8443")
        #expect(request.path == "group/repo.git")
        #expect(request.username == "al=ice")
        #expect(request.acceptsSchemes)
        #expect(request.challenges == ["Basic realm=\"x\"", "Bearer"])
        #expect(try request.url()?.description == "https://a.example:8443/group/repo.git")
    }

    @Test func `A blank line ends the request, and so does its end`() throws {
        let request = try request("protocol=https", "host=a", "", "host=b", "nonsense")
        #expect(request.host == "a")
        let bytes = Array("protocol=https\nhost=a".utf8)
        #expect(try GitCredential(bytes.span).host == "a")
    }

    @Test func `An empty value empties a list`() throws {
        let request = try request(
            "protocol=https", "host=a", "capability[]=authtype", "capability[]=", "wwwauth[]=Basic", "wwwauth[]=",
            "wwwauth[]=Bearer")
        #expect(!request.acceptsSchemes)
        #expect(request.challenges == ["Bearer"])
    }

    @Test(arguments: [
        "", "\n", "protocol=https\n", "host=a\n", "protocol=https\nhost\n", "protocol=https\nhost=a\nhost=b\n",
        "protocol=https\nprotocol=http\nhost=a\n", "protocol=https\nhost=a\npath=x\npath=y\n",
        "protocol=https\nhost=a\0b\n", "\nprotocol=https\nhost=a\n",
    ])
    func `What is no request is refused`(text: String) {
        let bytes = Array(text.utf8)
        #expect(throws: ClientRequestError.self) { try GitCredential(bytes.span) }
    }

    @Test func `Bytes that are no text, and too many of them, are refused`() {
        let bytes = Array("protocol=https\nhost=a".utf8) + [0xff, 10]
        #expect(throws: ClientRequestError("the request is not UTF-8")) { try GitCredential(bytes.span) }
        let many = oversized("protocol=https\nhost=a\nx=", "x", "\n")
        #expect(throws: ClientRequestError("the request has more than 65536 bytes")) { try GitCredential(many.span) }
    }

    @Test(arguments: ["ssh", "cert", "", "HTTPS", "https:", "file"])
    func `What is neither https nor http is no URL`(scheme: String) throws {
        #expect(try request("protocol=\(scheme)", "host=a.example").url() == nil)
    }

    @Test(
        arguments: [
            ("a.example/x", nil), ("a.example?x", nil), ("a.example#x", nil), ("alice@a.example", nil), ("a\\b", nil),
            ("a.example.", nil), ("café.example", nil), ("", nil), ("2130706433", nil), ("a%2eb", nil), ("a:b", nil),
            ("a", "x/../y"), ("a", "%2e%2e/y"), ("a", "x%2fy"), ("a", "x?y"), ("a", "x#y"), ("a", "x y"),
            ("a", "\u{1}"),
            ("a\r", nil), ("a", "x\r"),
        ] as [(String, String?)])
    func `A host or a path that two programs could read differently is refused`(host: String, path: String?) throws {
        let request =
            try path.map { try self.request("protocol=https", "host=\(host)", "path=\($0)") }
            ?? self.request("protocol=https", "host=\(host)")
        #expect(throws: (any Error).self) { try request.url() }
    }

    @Test(
        arguments: [
            ("protocol=https", nil, "https://a.example"), ("protocol=http", nil, "http://a.example"),
            ("protocol=https", "", "https://a.example"), ("protocol=https", "x/y", "https://a.example/x/y"),
            ("protocol=https", "/x", "https://a.example//x"),
        ] as [(String, String?, String)])
    func `Scheme, host and path make the URL`(scheme: String, path: String?, url: String) throws {
        let request =
            try path.map { try self.request(scheme, "host=A.example", "path=\($0)") }
            ?? self.request(scheme, "host=A.example")
        #expect(try request.url()?.description == url)
    }

    @Test func `Another user name is not taken`() throws {
        #expect(try request("protocol=https", "host=a").accepts(username: "alice"))
        #expect(try request("protocol=https", "host=a", "username=alice").accepts(username: "alice"))
        #expect(try !request("protocol=https", "host=a", "username=bob").accepts(username: "alice"))
        #expect(try !request("protocol=https", "host=a", "username=").accepts(username: "alice"))
    }

    // MARK: - The answer

    @Test(arguments: [nil, ["X-Key: {{token}}"], ["Authorization: Basic {{basic}}"]] as [[String]?])
    func `A git that knows no schemes gets user name and token`(headers: [String]?) throws {
        let request = try request("protocol=https", "host=a", "wwwauth[]=Bearer", "capability[]=state")
        let resource = try sampleResource(headers, username: "stored")
        #expect(answer(request, resource) == "username=alice\npassword=token-zero\n")
        #expect(
            answer(request, expiring(resource))
                == "username=alice\npassword=token-zero\npassword_expiry_utc=1800000000\n")
    }

    /// Base64 of `alice:token-zero`.
    private static let basic = "Basic\ncredential=YWxpY2U6dG9rZW4temVybw=="

    @Test(
        arguments: [
            (nil, [], "Bearer\ncredential=token-zero"),
            (nil, ["Bearer realm=\"x\""], "Bearer\ncredential=token-zero"),
            (nil, ["Basic realm=\"x\""], basic),
            (nil, ["basic"], basic),
            (nil, ["Basic realm=\"x\"", "bearer"], "Bearer\ncredential=token-zero"),
            (nil, ["Negotiate, Basic realm=\"x\", Bearer error=\"y\""], "Bearer\ncredential=token-zero"),
            (nil, ["Negotiate"], "Bearer\ncredential=token-zero"),
            (["authorization: token  {{token}}"], [], "token\ncredential= token-zero"),
            (["Authorization: Basic {{basic}}"], ["Bearer"], basic),
            (["Authorization: {{token}}"], ["Bearer"], basic),
            (["X-Key: {{token}}"], ["Bearer"], basic),
            ([], [], basic),
        ] as [([String]?, [String], String)])
    func `A git that knows schemes gets the header, or Basic where the server wants that`(
        headers: [String]?, challenges: [String], expected: String
    ) throws {
        let lines = ["protocol=https", "host=a", "capability[]=authtype"] + challenges.map { "wwwauth[]=\($0)" }
        let bytes = Array(lines.map { $0 + "\n" }.joined().utf8)
        let request = try GitCredential(bytes.span)
        let resource = try sampleResource(headers, username: "alice")
        let answer = "capability[]=authtype\nauthtype=\(expected)\nephemeral=1\n"
        #expect(self.answer(request, resource) == answer)
        #expect(self.answer(request, expiring(resource)) == answer + "password_expiry_utc=1800000000\n")
    }

    @Test(arguments: ["a\nb", "a\0b", "a\rb"])
    func `No control character gets into an answer`(text: String) async {
        for knowsSchemes in [true, false] {
            for isToken in [true, false] {
                await #expect(processExitsWith: .failure) {
                    [
                        text = text as String, knowsSchemes = knowsSchemes as Bool, isToken = isToken as Bool
                    ] in
                    let lines = "protocol=https\nhost=a\n" + (knowsSchemes ? "capability[]=authtype\n" : "")
                    let bytes = Array(lines.utf8)
                    let request = try GitCredential(bytes.span)
                    let token = Array((isToken ? text : "token-zero").utf8)
                    let resource = try sampleResource(nil)
                    _ = written {
                        request.append(resource, username: isToken ? "alice" : text, token: token.span, to: &$0)
                    }
                }
            }
        }
    }

    @Test(arguments: awkwardTexts)
    func `git reads back what was meant, byte for byte`(token: String) throws {
        let request = try request("protocol=https", "host=a.example")
        let folder = try TemporaryFolder()
        let text = answer(request, try sampleResource(nil), username: token, token: token)
        let write = try Command.run("tee", [folder.file("answer")], input: Array(text.utf8))
        try #require(write.status == 0)
        let output = try Command.run(
            "git",
            [
                "-c", "credential.helper=", "-c", "credential.helper=!cat '\(folder.file("answer"))' #", "credential",
                "fill",
            ],
            input: Array("protocol=https\nhost=a.example\n\n".utf8),
            environment: ["PATH": "/usr/bin:/bin", "GIT_TERMINAL_PROMPT": "0"])
        #expect(output.text.hasSuffix("\nusername=\(token)\npassword=\(token)\n"), "\(output.errorText)")
    }
}
