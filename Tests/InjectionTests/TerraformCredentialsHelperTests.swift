import Injection
import Resources
import TestSupport
import Testing

@Suite struct TerraformCredentialsHelperTests {
    @Test(arguments: [
        ("app.terraform.io", "https://app.terraform.io"), ("tofu.example:8443", "https://tofu.example:8443"),
        ("App.Terraform.IO:443", "https://app.terraform.io"), ("127.0.0.1:8443", "https://127.0.0.1:8443"),
        ("xn--caf-dma.example", "https://xn--caf-dma.example"),
    ])
    func `A host means https, and all of the host`(host: String, url: String) throws {
        #expect(try TerraformCredentialsHelper.url(ofHost: host) == ResourceURL(url))
    }

    @Test(arguments: [
        "", " ", "café.example", "app.terraform.io.", "app.terraform.io/", "app.terraform.io/v1", "a?b", "a#b", "a@b",
        "a\\b", "https://a", "2130706433", "0x7f.1", "a:", "a:x", "a:65536", "a%2e", "a\nb", "[::1", "-a",
    ])
    func `What is no host is refused`(host: String) {
        #expect(throws: (any Error).self) { try TerraformCredentialsHelper.url(ofHost: host) }
    }

    @Test(arguments: awkwardTexts)
    func `jq reads back what was meant, byte for byte`(token: String) throws {
        let bytes = Array(token.utf8)
        let text = written { TerraformCredentialsHelper.append(token: bytes.span, to: &$0) }
        let output = try Command.run(
            "jq", ["-j", "if keys == [\"token\"] then .token else halt_error end"], input: Array(text.utf8))
        #expect(output.stdout == bytes)
    }

    @Test func `Without a token the answer is an empty object`() {
        #expect(TerraformCredentialsHelper.emptyAnswer == "{}\n")
    }
}
