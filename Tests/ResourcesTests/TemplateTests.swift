import Resources
import Testing

@Suite struct TemplateTests {
    @Test(
        arguments: [
            ("", []), ("plain", [.text("plain")]), ("{{token}}", [.variable(.token)]),
            ("Bearer {{token}}", [.text("Bearer "), .variable(.token)]),
            ("{{name}}-{{url}}", [.variable(.name), .text("-"), .variable(.url)]),
            ("{{username}}{{basic}}", [.variable(.username), .variable(.basic)]),
            ("{{headers}} {{curl_config}}!", [.variable(.headers), .text(" "), .variable(.curlConfig), .text("!")]),
            ("{{token}}{{token}}", [.variable(.token), .variable(.token)]),
            // Braces that open no variable are text.
            ("{token}", [.text("{token}")]), ("}}", [.text("}}")]), ("{", [.text("{")]), ("{ {", [.text("{ {")]),
            ("{{token}}}", [.variable(.token), .text("}")]),
            ("}{{token}}{", [.text("}"), .variable(.token), .text("{")]),
            ("$token ${token} %s", [.text("$token ${token} %s")]),
            ("é{{token}}ß", [.text("é"), .variable(.token), .text("ß")]),
        ] as [(String, [Template.Part])])
    func `A template is taken apart`(text: String, parts: [Template.Part]) throws {
        let template = try Template(text, allowed: Template.Variable.allCases)
        #expect(template.parts == parts)
        #expect(template.text == text)
    }

    @Test(arguments: ["{{", "{{token", "{{token}", "a {{token}} b {{", "{{token}}{{name} }", "{{ token \n"])
    func `Braces that stay open are refused`(text: String) {
        let error = #expect(throws: ResourceError.self) { try Template(text, allowed: Template.Variable.allCases) }
        #expect(error == .invalid("a template has {{ without }}"))
    }

    @Test(arguments: [
        "{{}}", "{{tokens}}", "{{ token }}", "{{Token}}", "{{TOKEN}}", "{{{token}}}", "{{{{token}}}}", "{{curlConfig}}",
        "{{github.token}}", "{{token}} {{x}}", "{{tokén}}", "{{a\nb}}",
    ])
    func `A variable that is not known is refused`(text: String) {
        let error = #expect(throws: ResourceError.self) { try Template(text, allowed: [.token, .url]) }
        #expect(
            error == .invalid("a template has a variable that cannot stand in it; there are {{token}}, {{url}}"))
    }

    @Test func `A variable that is known but not allowed is refused`() {
        let error = #expect(throws: ResourceError.self) { try Template("{{headers}}", allowed: [.token]) }
        #expect(error == .invalid("a template has a variable that cannot stand in it; there are {{token}}"))
    }

    // What looks like one character with a combining mark is still a brace to every program.
    @Test func `A combining mark hides no brace`() throws {
        let template = try Template("{{token}}\u{301}", allowed: [.token])
        #expect(template.variables == [.token])
        #expect(throws: ResourceError.self) { try Template("{{\u{301}token}}", allowed: [.token]) }
    }

    @Test(arguments: Template.Variable.allCases)
    func `Only the token and what holds it are secret`(variable: Template.Variable) throws {
        let template = try Template("a {{\(variable.rawValue)}} b", allowed: Template.Variable.allCases)
        #expect(template.variables == [variable])
        #expect(template.isSecret == [.token, .basic].contains(variable))
        #expect(try !Template("token", allowed: [.token]).isSecret)
    }
}
