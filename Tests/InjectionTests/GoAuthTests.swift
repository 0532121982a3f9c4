import Injection
import Resources
import TestSupport
import Testing

@Suite struct GoAuthTests {
    private func answer(_ resource: Resource, for url: String) throws -> String {
        let bytes = Array("token-zero".utf8)
        let url = try ResourceURL(url)
        return written { GoAuth.append(resource, for: url, token: bytes.span, to: &$0) }
    }

    @Test func `Headers stand between blank lines, below the URL that they are for`() throws {
        #expect(
            try answer(sampleResource(nil), for: "https://api.github.com/v1/x?go-get=1")
                == "https://api.github.com/v1\n\nAuthorization: Bearer token-zero\n\n")
        #expect(
            try answer(sampleResource(["Authorization: x {{token}}", "A: b"]), for: "https://OTHER:443/any")
                == "https://other\n\nAuthorization: x token-zero\nA: b\n\n")
    }

    @Test func `The narrowest URL is the one that is named, and no other`() throws {
        var resource = try sampleResource(nil)
        resource.urls = try ["https://a", "https://a/b/c", "https://a/b", "https://b", "https://a/b/cc"]
            .map { try ResourceURL($0) }
        #expect(try answer(resource, for: "https://a/b/c/d").hasPrefix("https://a/b/c\n\n"))
        #expect(try answer(resource, for: "https://a/b/ccc").hasPrefix("https://a/b\n\n"))
    }

    @Test func `A URL outside ends the program`() async {
        await #expect(processExitsWith: .failure) {
            let bytes = Array("token-zero".utf8)
            let url = try ResourceURL("https://api.github.com/v10")
            let resource = try sampleResource(nil)
            _ = written { GoAuth.append(resource, for: url, token: bytes.span, to: &$0) }
        }
    }

    @Test func `Secrets in headers that follow a redirect are seen`() throws {
        #expect(try GoAuth.forwardedHeader(of: sampleResource(nil)) == nil)
        #expect(try GoAuth.forwardedHeader(of: sampleResource(["AUTHORIZATION: {{basic}}", "X: y"])) == nil)
        #expect(
            try GoAuth.forwardedHeader(of: sampleResource(["Authorization: {{token}}", "X-Key: {{token}}"])) == "X-Key")
    }
}
