import Injection
import Resources
import Sodium
import TestSupport
import Testing

@Suite struct HeaderRendererTests {
    private func lines(_ headers: [String]?, token: String, username: String? = nil) throws -> String {
        let resource = try sampleResource(headers, username: username)
        return written { HeaderRenderer.appendLines(resource, token: Array(token.utf8).span, to: &$0) }
    }

    @Test func `The default is one line with a bearer token`() throws {
        #expect(try lines(nil, token: "token-zero") == "Authorization: Bearer token-zero\n")
    }

    @Test func `Without headers there are no lines`() throws {
        #expect(try lines([], token: "token-zero") == "")
    }

    @Test func `Every variable is replaced by what it stands for, as often as it stands there`() throws {
        let headers = ["A: {{token}}{{token}}", "B: {{name}} {{url}} {{username}}", "C:x", "D: {{basic}}."]
        #expect(
            try lines(headers, token: "token-zero", username: "alice")
                == "A: token-zerotoken-zero\nB: github https://api.github.com/v1 alice\nC: x\n"
                + "D: YWxpY2U6dG9rZW4temVybw==.\n")
    }

    @Test(arguments: awkwardTexts)
    func `A token is put in byte for byte, and not read as a template`(token: String) throws {
        #expect(
            try lines(["A: <{{token}}>", "B: {{token}}"], token: token) == "A: <\(token)>\nB: \(token)\n")
        #expect(try lines(["A: {{username}}"], token: "x", username: token) == "A: \(token)\n")
    }

    @Test(arguments: awkwardTexts + [String(repeating: "long", count: 4096)], ["alice", "", "ünï"])
    func `Basic is what base64 makes of user name and token`(token: String, username: String) throws {
        let output = try Command.run("base64", ["-w", "0"], input: Array("\(username):\(token)".utf8))
        #expect(try lines(["A: {{basic}}"], token: token, username: username) == "A: \(output.text)\n")
    }

    @Test func `A missing user name is an empty one`() throws {
        #expect(try lines(["A: {{username}}|{{basic}}"], token: "token-zero") == "A: |OnRva2VuLXplcm8=\n")
    }

    @Test func `The value of a header is rendered alone`() throws {
        let resource = try sampleResource(["A: Bearer {{token}}"])
        let value = written {
            HeaderRenderer.appendValue(of: resource.headers[0], resource, token: Array("token".utf8).span, to: &$0)
        }
        #expect(value == "Bearer token")
    }

    @Test func `Paths come from whoever knows them`() throws {
        let template = try Template("{{headers}},{{curl_config}},{{token}}", allowed: Template.Variable.allCases)
        let resource = try sampleResource(nil)
        let text = written { output in
            HeaderRenderer.append(template, of: resource, token: Array("token".utf8).span, to: &output) { variable in
                "/\(variable.rawValue)"
            }
        }
        #expect(text == "/headers,/curl_config,token")
    }

    @Test func `A path that cannot be had is an error, which comes through`() throws {
        struct Missing: Error {}
        let template = try Template("{{headers}}", allowed: Template.Variable.allCases)
        let resource = try sampleResource(nil)
        #expect(throws: Missing.self) {
            try written { output in
                try HeaderRenderer.append(
                    template, of: resource, token: Array("token".utf8).span, to: &output
                ) { (_) throws(Missing) in
                    throw Missing()
                }
            }
        }
    }

    @Test func `What renders nothing asks for no path`() throws {
        let template = try Template("", allowed: Template.Variable.allCases)
        let resource = try sampleResource(nil)
        let text = written { output in
            HeaderRenderer.append(template, of: resource, token: Array("token".utf8).span, to: &output) { _ in
                Issue.record("a path was asked for")
                return ""
            }
        }
        #expect(text.isEmpty)
    }
}
