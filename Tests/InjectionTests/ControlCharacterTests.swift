import Injection
import Resources
import Sodium
import TestSupport
import Testing

/// Values are checked when their records are read. Should one slip through all the same, the program ends rather than
/// writing a header, or an option of curl's, that nobody asked for.
@Suite struct ControlCharacterTests {
    @Test func `No control character gets into a config for curl`() async {
        await #expect(processExitsWith: .failure) {
            var output = SecretBuffer()
            CurlConfig.append("X", value: Array("a\"\nurl = \"https://evil".utf8).span, to: &output)
        }
    }

    @Test func `No control character gets into a line of headers`() async {
        await #expect(processExitsWith: .failure) {
            var output = SecretBuffer()
            HeaderRenderer.appendLines(
                try sampleResource(nil), token: Array("a\r\nX: b".utf8).span, to: &output)
        }
        await #expect(processExitsWith: .failure) {
            var output = SecretBuffer()
            HeaderRenderer.appendLines(
                try sampleResource(["X: {{username}}"], username: "a\u{7f}"), token: Array("a".utf8).span, to: &output)
        }
    }

    @Test func `No control character gets into a JSON string that is a secret`() async {
        await #expect(processExitsWith: .failure) {
            var output = SecretBuffer()
            output.appendQuoted(Array("a\0".utf8).span)
        }
    }
}
