import Injection
import Resources
import Sodium
import TestSupport
import Testing

@Suite struct CurlConfigTests {
    private func config(_ resource: Resource, token: String) -> String {
        written { CurlConfig.append(resource, token: Array(token.utf8).span, to: &$0) }
    }

    @Test func `Each header is one line in quotation marks`() throws {
        #expect(try config(sampleResource(nil), token: "abc") == "header = \"Authorization: Bearer abc\"\n")
        #expect(
            try config(sampleResource(["A: {{token}}", "B: {{name}}"]), token: "abc")
                == "header = \"A: abc\"\nheader = \"B: github\"\n")
        #expect(try config(sampleResource([]), token: "abc") == "")
    }

    @Test(arguments: [
        ("a\"b", "a\\\"b"), ("a\\b", "a\\\\b"), ("\\\"", "\\\\\\\""), ("a b", "a b"), ("#'%$", "#'%$"), ("ü🙂", "ü🙂"),
        ("", ""),
    ])
    func `Quotation marks and backslashes are escaped, and nothing else`(value: String, escaped: String) throws {
        let line = written { CurlConfig.append("X-Y", value: Array(value.utf8).span, to: &$0) }
        #expect(line == "header = \"X-Y: \(escaped)\"\n")
    }

    @Test func `A header's own text is escaped like the token`() throws {
        #expect(
            try config(sampleResource(["A: \"{{token}}\\"]), token: "t\"")
                == "header = \"A: \\\"t\\\"\\\\\"\n")
    }

    // MARK: - What curl makes of it

    /// The header lines of a request that curl made with these arguments.
    private func sent(_ arguments: [String], input: String = "") throws -> [String] {
        let server = try EchoServer()
        let output = try Command.run(
            "curl", ["-q", "-sS", "--noproxy", "*"] + arguments + ["http://127.0.0.1:\(server.port)/"],
            input: Array(input.utf8))
        try #require(output.status == 0, "\(output.errorText)")
        #expect(output.errorText == "")
        // By bytes: a line break is one character together with a combining mark.
        return output.stdout.split(separator: 10).map { String(decoding: $0.dropLast(), as: UTF8.self) }
    }

    /// Headers in which each of the texts stands alone, between others, at the start, and at the end.
    private static let resource = Result {
        let fixed = awkwardTexts.enumerated().filter { $0.element != "{{token}}" }.map {
            "X-Fixed-\($0.offset): <\($0.element)>"
        }
        return try sampleResource(
            fixed + [
                "X-Alone: {{token}}", "X-Between: <{{token}}>", "X-Basic: {{basic}}", "X-User: {{username}}{{token}}",
            ],
            username: "a\"l\\ice")
    }

    @Test(arguments: awkwardTexts)
    func `curl sends from a config the headers that were meant, byte for byte`(token: String) throws {
        let resource = try Self.resource.get()
        let folder = try TemporaryFolder()
        let text = config(resource, token: token)
        try write(text, to: folder.file("config"))
        let expected = written { HeaderRenderer.appendLines(resource, token: Array(token.utf8).span, to: &$0) }
        let headers = try sent(["--config", folder.file("config")]).filter { $0.hasPrefix("X-") }
        #expect(headers.map { $0 + "\n" }.joined() == expected)
        // Nothing of it was taken for another option or URL.
        #expect(try sent(["--config", "-"], input: text).count { !$0.hasPrefix("X-") } == 5)
    }

    @Test(arguments: awkwardTexts)
    func `curl sends from lines the headers that were meant, byte for byte`(token: String) throws {
        let resource = try Self.resource.get()
        let folder = try TemporaryFolder()
        let text = written { HeaderRenderer.appendLines(resource, token: Array(token.utf8).span, to: &$0) }
        try write(text, to: folder.file("headers"))
        #expect(
            try sent(["-H", "@\(folder.file("headers"))"]).filter { $0.hasPrefix("X-") }.map { $0 + "\n" }.joined()
                == text)
        #expect(try sent(["-H", "@-"], input: text).filter { $0.hasPrefix("X-") }.map { $0 + "\n" }.joined() == text)
    }

    @Test func `curl sends the longest token there is`() throws {
        let token = String(repeating: "\"", count: 8192)
        let resource = try sampleResource(["X-Key: {{token}}", "X-Basic: {{basic}}"], username: "alice")
        let headers = try sent(["--config", "-"], input: config(resource, token: token))
        #expect(headers.contains("X-Key: \(token)"))
    }

    private func write(_ text: String, to path: String) throws {
        let output = try Command.run("tee", [path], input: Array(text.utf8))
        try #require(output.status == 0)
    }
}
