import Injection
import Resources
import TestSupport
import Testing

@Suite struct BazelCredentialHelperTests {
    private func uri(_ request: String) throws -> String {
        let bytes = Array(request.utf8)
        return try BazelCredentialHelper.uri(of: bytes.span)
    }

    private func answer(_ resource: Resource, token: String) -> String {
        let bytes = Array(token.utf8)
        return written { BazelCredentialHelper.append(resource, token: bytes.span, to: &$0) }
    }

    @Test(arguments: [
        #"{"uri":"https://a/b"}"#, #" { "uri" : "https://a/b" } \#n"#, #"{"uri":"https:\/\/a\u002fb"}"#,
        #"{"version":{"a":[1,null,"uri"]},"uri":"https://a/b","URI":"https://c"}"#,
    ])
    func `The URI is read, and other members are passed over`(request: String) throws {
        #expect(try uri(request) == "https://a/b")
    }

    @Test(
        arguments: malformedObjects + [
            "{}", #"{"URI":"https://a"}"#, #"{"uri":null}"#, #"{"uri":["https://a"]}"#, #"{"uri":1}"#,
            #"{"spec":{"uri":"https://a"}}"#,
        ])
    func `What is no request is refused, and not repeated`(request: String) {
        #expect { try uri(request) } throws: { error in
            guard let error = error as? ClientRequestError else { return false }
            return error.reason.hasPrefix("the request ") && !error.reason.contains("https")
        }
    }

    @Test func `A request that is too large is refused before it is read`() {
        let bytes = oversized("{\"a\":\"", "x", "\",\"uri\":\"https://a\"}")
        #expect(throws: ClientRequestError("the request has more than 65536 bytes")) {
            try BazelCredentialHelper.uri(of: bytes.span)
        }
    }

    @Test func `The answer has all headers, each with a list of one`() throws {
        #expect(
            try answer(sampleResource(nil), token: "token-zero")
                == "{\"headers\":{\"Authorization\":[\"Bearer token-zero\"]}}\n")
        #expect(
            try answer(sampleResource(["A: {{token}}", "B: x"]), token: "t\"\\")
                == #"{"headers":{"A":["t\"\\"],"B":["x"]}}"# + "\n")
        #expect(try answer(sampleResource([]), token: "t") == BazelCredentialHelper.emptyAnswer)
    }

    @Test func `The answer says until when it is good`() throws {
        #expect(
            try answer(expiring(sampleResource(nil)), token: "token-zero")
                == #"{"headers":{"Authorization":["Bearer token-zero"]},"expires":"2027-01-15T08:00:00Z"}"# + "\n")
    }

    @Test(arguments: awkwardTexts)
    func `jq reads back what was meant, byte for byte`(token: String) throws {
        let text = try answer(sampleResource(["X: {{token}}"]), token: token)
        let output = try Command.run("jq", ["-j", ".headers.X[0]"], input: Array(text.utf8))
        #expect(output.stdout == Array(token.utf8))
    }
}
