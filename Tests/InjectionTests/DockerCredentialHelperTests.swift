import Injection
import Resources
import TestSupport
import Testing
import VaultFile

@Suite struct DockerCredentialHelperTests {
    private func server(_ request: String) throws -> DockerCredentialHelper.Server {
        let bytes = Array(request.utf8)
        return try DockerCredentialHelper.server(of: bytes.span)
    }

    @Test(arguments: [
        ("registry.example.com", "https://registry.example.com"), ("ghcr.io\n", "https://ghcr.io"),
        ("registry.example.com:5000", "https://registry.example.com:5000"),
        ("localhost:5000", "https://localhost:5000"),
        ("https://index.docker.io/v1/", "https://index.docker.io/v1/"),
        (" \t\r\nREGISTRY.io \r\n", "https://registry.io"),
        ("http://localhost:5000", "http://localhost:5000"), ("[::1]:5000", "https://[::1]:5000"),
        ("registry.example.com/path", "https://registry.example.com/path"),
    ])
    func `An address without a scheme means https`(request: String, url: String) throws {
        #expect(try server(request).url.description == url)
    }

    @Test func `The address comes back as docker wrote it`() throws {
        #expect(try server("REGISTRY.io\n").text == "REGISTRY.io")
        let bytes = Array("token-zero".utf8)
        let server = try server("https://index.docker.io/v1/\n")
        let answer = written {
            DockerCredentialHelper.append(server, username: "a\"l\\ice", token: bytes.span, to: &$0)
        }
        #expect(
            answer
                == #"{"ServerURL":"https://index.docker.io/v1/","Username":"a\"l\\ice","Secret":"token-zero"}"# + "\n")
    }

    @Test(arguments: [
        "", " \n", "a\nb", "a b", "a\0", "ünï.example", "a\u{7f}", "registry.example.", "user@registry.example",
        "https://user:secret-token@registry.example", "registry.example\\@evil", "2130706433", "0x7f.1", "ftp://a",
        "//a", "https:/a", "https:///a", "a%2eb", "a:port", "a:0", "a/../b", "https://https://a", "a?b@c://d",
    ])
    func `What is no address is refused, and not repeated`(request: String) {
        #expect { try server(request) } throws: { error in
            !"\(error)".contains("secret-token") && (error is ClientRequestError || error is ResourceError)
        }
    }

    @Test func `A request that is too large is refused before it is read`() {
        let bytes = oversized("", " ", "a.example")
        #expect(throws: ClientRequestError("the request has more than 65536 bytes")) {
            try DockerCredentialHelper.server(of: bytes.span)
        }
    }

    @Test func `A list names addresses and users, and nothing else`() throws {
        #expect(try list([]) == "{}\n")
        #expect(
            try list([("a", ["https://A.example:443"], "al\"ice"), ("b", ["https://b.example:5000/v1/"], nil)])
                == #"{"https://a.example":"al\"ice","https://b.example:5000/v1/":"somebody"}"# + "\n")
    }

    @Test func `A list names what there is an answer for`() throws {
        let resources: [(String, [String], String?)] = [
            ("whole", ["https://a.example", "https://both.example/v1"], nil),
            ("inner", ["https://a.example/v1/x"], nil),
            ("like", ["https://both.example/v10", "http://plain.example"], nil),
            ("same", ["https://both.example/v1/"], nil),
            ("refresh", ["https://c.example"], "<token>"),
            ("twice", ["https://d.example", "https://d.example/x"], nil),
        ]
        #expect(
            try list(resources)
                == #"{"https://a.example":"somebody","https://both.example/v10":"somebody","https://d.example":"somebody","https://d.example/x":"somebody"}"#
                + "\n")
        #expect(try list(resources, at: 100) == "{}\n")
    }

    /// A list of resources whose tokens end at second 100.
    private func list(_ resources: [(name: String, urls: [String], username: String?)], at seconds: Int = 99) throws
        -> String
    {
        let resources = try resources.map { name, urls, username in
            try Resource(
                name: #require(RecordName(name)), urls: urls.map { try ResourceURL($0) }, username: username,
                now: Timestamp(seconds: 0), expires: Timestamp(seconds: 100))
        }
        return DockerCredentialHelper.list(of: resources, at: Timestamp(seconds: seconds)) { $0.username ?? "somebody" }
    }

    @Test func `A miss is said in the words that docker knows`() {
        #expect(DockerCredentialHelper.notFound == "credentials not found in native keychain")
    }

    @Test(arguments: awkwardTexts)
    func `jq reads back what was meant, byte for byte`(token: String) throws {
        let bytes = Array(token.utf8)
        let server = try server("a")
        let text = written { DockerCredentialHelper.append(server, username: token, token: bytes.span, to: &$0) }
        let output = try Command.run("jq", ["-j", ".Username, .Secret"], input: Array(text.utf8))
        #expect(output.stdout == bytes + bytes)
    }
}
