import Resources
import Testing

@Suite struct HeaderTemplateTests {
    @Test func `The default is a bearer token`() {
        #expect(HeaderTemplate.default.text == "Authorization: Bearer {{token}}")
        #expect(HeaderTemplate.default.name == "Authorization")
        #expect(HeaderTemplate.default.value.parts == [.text("Bearer "), .variable(.token)])
    }

    @Test(arguments: [
        ("X-Api-Key: {{token}}", "X-Api-Key", "{{token}}"), ("X-Api-Key:{{token}}", "X-Api-Key", "{{token}}"),
        ("X: \t  {{token}}", "X", "{{token}}"), ("X: a:b", "X", "a:b"), ("X: {{basic}} ", "X", "{{basic}} "),
        ("X: a  b", "X", "a  b"), ("X: \"q\" \\ # % '", "X", "\"q\" \\ # % '"), ("X: ü", "X", "ü"), ("X: ;", "X", ";"),
        ("!#$%&'*+-.^_`|~0aZ: v", "!#$%&'*+-.^_`|~0aZ", "v"),
        ("X: {{name}} {{url}} {{username}}", "X", "{{name}} {{url}} {{username}}"),
        // A space and a combining mark are one Character.
        ("X: \u{301}{{token}}", "X", "\u{301}{{token}}"), ("X:\u{301}{{token}}", "X", "\u{301}{{token}}"),
    ])
    func `A header is a name and a value`(text: String, name: String, value: String) throws {
        let header = try HeaderTemplate(text)
        #expect(header.name == name)
        #expect(header.value.text == value)
        #expect(header.text == "\(name): \(value)")
        #expect(try HeaderTemplate(header.text) == header)
    }

    @Test(arguments: [
        "", "X", "X {{token}}", "{{token}}", ": v", ":", " X: v", "X : v", "X\t: v", "X y: v", "X\n: v", "Ü: v",
        "X(: v",
        "X/y: v", "X@: v", "\"X\": v", "X;: v", "X=: v", "{{name}}: v", "X\0: v", "X\r\nY: v", "X[]: v", "X\u{301}: v",
    ])
    func `A name that is no token of HTTP is refused`(text: String) {
        #expect(throws: ResourceError.self) { try HeaderTemplate(text) }
    }

    @Test(arguments: [
        "X:", "X: ", "X:  \t ", "X: a\rb", "X: a\nb", "X: a\r\nb", "X: {{token}}\r\nY: z", "X: a\0b", "X: a\tb",
        "X: \u{7f}",
        "X: \u{1b}[0m", "X: \n", "X:\r\n v", "X: a\u{b}", "X: \u{85}", "X: a\u{9b}31m",
    ])
    func `A value that is empty, or could end the header, is refused`(text: String) {
        let error = #expect(throws: ResourceError.self) { try HeaderTemplate(text) }
        #expect(error == .invalid("a header needs a value, without control characters"))
    }

    @Test(arguments: ["X: {{headers}}", "X: {{curl_config}}", "X: {{other}}", "X: {{token", "X: {{ token }}"])
    func `A variable that makes no sense in a header is refused`(text: String) {
        #expect(throws: ResourceError.self) { try HeaderTemplate(text) }
    }
}
