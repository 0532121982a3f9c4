import Injection
import Resources
import Sodium
import TestSupport
import Testing
import VaultFile

@Suite struct DocumentTemplateTests {
    /// The resources that there are.
    private static let resources: Set = ["github", "a", "a.b", "a/b.c-d_e", "1.2.token"]

    private func read(_ bytes: [UInt8]) -> DocumentTemplate {
        DocumentTemplate(bytes.span) { Self.resources.contains($0.description) }
    }

    private func read(_ text: String) -> DocumentTemplate { read(Array(text.utf8)) }

    /// The document with `<name variable>` in place of each variable.
    private func rendered(_ bytes: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        read(bytes).render(bytes.span) { reference, output in
            output.append(Array("<\(reference.name) \(reference.variable.rawValue)>".utf8).span)
        } write: { piece in
            for index in piece.indices { result.append(piece[index]) }
        }
        return result
    }

    private func rendered(_ text: String) -> String {
        String(decoding: rendered(Array(text.utf8)), as: UTF8.self)
    }

    private func mistakes(_ text: String) -> [String] {
        read(text).mistakes.map { mistake in
            let kind =
                switch mistake.kind {
                case .noResource(let name): "no resource \(name)"
                case .noVariable(let name): "no variable of \(name)"
                case .almost(let name, let variable): "almost \(name) \(variable.rawValue)"
                case .noEnd(let name): "no end of \(name)"
                case .noUsername(let name): "no user name of \(name)"
                case .colonInUsername(let name): "colon of \(name)"
                }
            return "\(mistake.offset): \(kind)"
        }
    }

    @Test(arguments: Template.Variable.allCases)
    func `Every variable is found, alone and among others`(variable: Template.Variable) {
        let word = variable.rawValue
        let text = "{{github.\(word)}}"
        #expect(rendered(text) == "<github \(word)>")
        #expect(rendered("x\(text)\(text)\n\(text) ") == "x<github \(word)><github \(word)>\n<github \(word)> ")
        #expect(read("ab\(text)").references.map(\.range) == [2..<2 + text.utf8.count])
        #expect(read(text).mistakes.isEmpty)
    }

    @Test(arguments: ["{{ github.token }}", "{{\tgithub.token}}", "{{github.token  \t}}"])
    func `Spaces and tabs within the braces are none of the name`(text: String) {
        #expect(rendered("<\(text)>") == "<<github token>>")
    }

    @Test(arguments: ["a", "a.b", "a/b.c-d_e", "1.2.token"])
    func `The name ends at the last dot`(name: String) {
        #expect(rendered("{{\(name).url}}") == "<\(name) url>")
        #expect(rendered("{{\(name).token}}") == "<\(name) token>")
    }

    @Test func `A name of the greatest length is read`() {
        let name = "n" + String(repeating: "a", count: RecordName.maximumSize - 1)
        let document = Array("{{ \(name).curl_config }}".utf8)
        let template = DocumentTemplate(document.span) { _ in true }
        #expect(template.references.map(\.name.description) == [name])
        #expect(read("{{n\(name).token}}").mistakes.isEmpty)
    }

    @Test func `Braces around the braces stay`() {
        #expect(rendered("{{{github.token}}}") == "{<github token>}")
        #expect(rendered("{{{{github.token}}}}") == "{{<github token>}}")
        #expect(rendered("{{github.token}}}}") == "<github token>}}")
    }

    @Test(arguments: [
        "", "{", "{{", "{{}}", "}}", "{{{{", "{{ }}", "{{.}}", "{{..}}", "{{ .Values.token }}", "{{ $x.token }}",
        "{{ item }}", "{{token}}", "{{ headers }}", "{{headers:item}}", "{{ item.name | quote }}", "{{ item['name'] }}",
        "{{#each items}}{{/each}}", "{{- github.token -}}", "{{> github.token}}", "{{!github.token}}",
        "{{ item.Token }}",
        "{{ item.stars }}", "{{item.token", "{{item.token}", "{{ item.\ntoken }}", "{{\ngithub.token}}", "{{% x %}}",
        "{ {github.token}}", "{github.token}", "{{ a.b.c.d }}", "{{ op://a/b/token }}", "{{https://x.example.token}}",
        "{{ github }}", "{{ github | x }}", "{{ github[0].token }}", "{{ -a.token }}", "{{ünï.token}}",
        "{{gïthub.token}}",
        "{{with secret \"a.token\"}}", "{{ include \"github.token\" . }}",
    ])
    func `What is meant for other programs stays as it is`(text: String) {
        #expect(rendered(text) == text)
        #expect(read(text).references.isEmpty)
        #expect(mistakes(text) == [])
    }

    @Test func `The expression of a workflow stays as it is`() {
        let text = "${{ github.token }} ${{github.token}} ${{ github.repository }}"
        #expect(rendered(text) == text)
        #expect(mistakes(text) == [])
        #expect(rendered("$ {{github.token}}") == "$ <github token>")
    }

    @Test(arguments: [
        ("{{item.token}}", "0: no resource item"), ("x {{ item.curl_config }}", "2: no resource item"),
        ("{{a.b.c.name}}", "0: no resource a.b.c"), ("{{github.tokn}}", "0: no variable of github"),
        ("{{github.}}", "0: no variable of github"), ("{{a.b.x/y}}", "0: no variable of a.b"),
        ("{{github.Token}}", "0: almost github token"), ("{{ github.TOKENS }}", "0: almost github token"),
        ("{{github.header}}", "0: almost github headers"), ("{{github.curl-config}}", "0: almost github curl_config"),
        ("{{github.curlConfig}}", "0: almost github curl_config"),
        ("{{github.user_name}}", "0: almost github username"),
        ("{{headers:github}}", "0: almost github headers"), ("{{ Token:a.b }}", "0: almost a.b token"),
        ("{{github.token", "0: no end of github"), ("{{github.token}", "0: no end of github"),
        ("{{github.token\n}}", "0: no end of github"), ("{{ github.token } }", "0: no end of github"),
        ("{{github.token | quote}}", "0: no end of github"), ("{{github.x y}}", "0: no end of github"),
        ("{{{github.token", "1: no end of github"), ("{{github.token {{github.token}}", "0: no end of github"),
    ])
    func `What comes near is a mistake`(text: String, expected: String) {
        #expect(mistakes(text) == [expected])
    }

    @Test func `All mistakes are told, and what is right between them is found`() {
        let text = "{{x.token}}{{github.token}}{{github.x}}{{github.token{{y.url}}"
        #expect(
            mistakes(text) == [
                "0: no resource x", "27: no variable of github", "39: no end of github", "53: no resource y",
            ])
        #expect(read(text).names.map(\.description) == ["github"])
    }

    @Test func `The names come once, in their order`() {
        #expect(read("{{github.token}}{{a.url}}{{github.url}}").names.map(\.description) == ["github", "a"])
    }

    @Test func `Whether there is a resource is asked once for each name`() {
        var asked: [String] = []
        let document = Array("{{a.token}}{{b.token}}{{a.url}}{{b.token}}{{c}}".utf8)
        _ = DocumentTemplate(document.span) { name in
            asked.append("\(name)")
            return true
        }
        #expect(asked == ["a", "b"])
    }

    @Test func `What cannot be asked is an error, which comes through`() {
        struct Unreadable: Error {}
        #expect(throws: Unreadable.self) {
            try DocumentTemplate(Array("{{a.token}}".utf8).span) { (_) throws(Unreadable) in throw Unreadable() }
        }
    }

    @Test func `Bytes that are no text, and ends of lines, come through`() {
        let bytes: [UInt8] = Array(0...255) + Array("\r\n{{a.url}}\r\n\0".utf8) + [0xff, 0xfe, 0xc3]
        let expected: [UInt8] = Array(0...255) + Array("\r\n<a url>\r\n\0".utf8) + [0xff, 0xfe, 0xc3]
        #expect(rendered(bytes) == expected)
    }

    @Test func `A long document comes in pieces`() {
        let filler = [UInt8](repeating: UInt8(ascii: "x"), count: 200_001)
        let bytes = filler + Array("{{a.url}}".utf8) + filler + Array("{{a.url}}{{a.url}}".utf8)
        let value = [UInt8](repeating: UInt8(ascii: "v"), count: 16 << 10)
        var sizes: [Int] = []
        read(bytes).render(bytes.span) { _, output in
            output.append(value.span)
        } write: { piece in
            sizes.append(piece.count)
        }
        #expect(sizes.reduce(0, +) == 2 * filler.count + 3 * value.count)
        #expect(sizes.allSatisfy { 0 < $0 && $0 <= 80 << 10 })
        #expect(rendered(bytes) == filler + Array("<a url>".utf8) + filler + Array("<a url><a url>".utf8))
    }

    @Test func `Nothing makes nothing`() {
        read("").render([UInt8]().span) { _, _ in
            Issue.record("a variable")
        } write: { _ in
            Issue.record("a piece")
        }
    }

    /// However many braces there are, each takes a short look.
    @Test(arguments: ["{{", "{{ ", "{", "{{a.", "{{a", "{{github.token ", "${{a.token}}"])
    func `A document of nothing but braces is read at once`(piece: String) {
        let bytes = Array(String(repeating: piece, count: 100_000).utf8)
        #expect(read(bytes).references.isEmpty)
    }

    @Test(arguments: [
        (0, 1, 1), (2, 1, 3), (3, 2, 1), (5, 3, 1), (6, 3, 2), (8, 3, 3), (11, 3, 4), (15, 3, 5),
    ])
    func `A place is told by line and character`(offset: Int, line: Int, column: Int) {
        let document = Array("ab\n\r\n\tü€🙂x".utf8)
        let position = DocumentTemplate.position(of: offset, in: document.span)
        #expect(position == DocumentTemplate.Position(line: line, column: column))
    }

    @Test func `Without a user name there is no Basic`() throws {
        let document = read("{{github.basic}}{{github.username}}{{github.token}}{{a.basic}}")
        func kinds(_ username: String?) throws -> [DocumentTemplate.Mistake] {
            document.mistakes(of: [try sampleResource(nil, username: username)]).filter { $0.kind.name == "github" }
        }
        #expect(try kinds("alice") == [])
        #expect(try kinds(nil).map(\.offset) == [0, 16])
        #expect(try kinds("a:b").map(\.offset) == [0])
    }
}

extension DocumentTemplate.Mistake.Kind {
    fileprivate var name: String {
        switch self {
        case .noResource(let name), .noVariable(let name), .almost(let name, _), .noEnd(let name),
            .noUsername(let name), .colonInUsername(let name):
            name.description
        }
    }
}
