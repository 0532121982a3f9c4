import Resources
import Testing

@Suite struct EnvironmentTemplateTests {
    @Test(arguments: [
        ("A={{token}}", "A", "{{token}}"), ("A=", "A", ""), ("A= ", "A", " "), ("A==", "A", "="), ("A=b=c", "A", "b=c"),
        ("A=x y", "A", "x y"), ("A=https://x/{{name}}", "A", "https://x/{{name}}"), ("a=ü", "a", "ü"),
        ("A={{headers}}:{{curl_config}}", "A", "{{headers}}:{{curl_config}}"), ("A=$(id)", "A", "$(id)"),
        ("A={{basic}} {{username}} {{url}}", "A", "{{basic}} {{username}} {{url}}"), ("A=\u{301}", "A", "\u{301}"),
    ])
    func `A variable is a name and a value`(text: String, name: String, value: String) throws {
        let variable = try EnvironmentTemplate(text)
        #expect(variable.name == name)
        #expect(variable.value.text == value)
        #expect(variable.text == text)
    }

    @Test(arguments: ["", "A", "{{token}}", "A {{token}}"])
    func `Without an equals sign there is no variable`(text: String) {
        let error = #expect(throws: ResourceError.self) { try EnvironmentTemplate(text) }
        #expect(error == .invalid("a variable has no \"=\"; write 'NAME={{token}}'"))
    }

    @Test(arguments: [
        "=v", "1A=v", "A B=v", " A=v", "PATH=v", "LD_PRELOAD={{token}}", "GIT_ASKPASS=v", "VAULT_TOKEN={{token}}",
        "BASH_ENV={{headers}}", "A=\0", "A=b\0c", "A=b\n", "A=\u{1b}[31m", "A=\u{9b}31m", "A={{other}}", "A={{token",
        "{{name}}=v",
    ])
    func `A name, a value or a variable that cannot be is refused`(text: String) {
        #expect(throws: ResourceError.self) { try EnvironmentTemplate(text) }
    }
}
