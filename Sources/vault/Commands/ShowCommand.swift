internal import ArgumentParser
internal import Resources
internal import Sodium
internal import VaultFile

struct ShowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show a resource.",
        discussion: "The token itself only with --reveal.")

    @OptionGroup var name: NameArgument

    @Flag(help: "As JSON.")
    var json = false

    @Flag(help: "Show the token as well.")
    var reveal = false

    @OptionGroup var options: AccessOptions

    func run() throws {
        let session = try Session(options.access)
        let record = try session.record(named: name.parsed())
        let resource = record.resource
        var output = SecretBuffer()
        if json {
            try ResourceJSON.append(resource, token: reveal ? record.token() : nil, to: &output)
            output.append("\n")
        } else {
            func line(_ title: String, _ value: String?) {
                guard let value, !value.isEmpty else { return }
                let padding = String(repeating: " ", count: 10 - title.utf8.count)
                output.append(text: "\(title)\(padding)\(Messages.visible(value))\n")
            }
            line("name", resource.name.description)
            for url in resource.urls { line("url", url.description) }
            for header in resource.headers { line("header", header.text) }
            for variable in resource.listedEnvironment { line("env", variable.text) }
            line("username", resource.username)
            line("note", resource.note)
            line("tags", resource.tags.joined(separator: ", "))
            line("created", resource.created?.description)
            line("updated", resource.updated?.description)
            line("added", resource.token.added?.description)
            line(
                "expires", resource.token.expires.map { "\($0) (\(DateWords.expiry($0).text))" })
            line("history", resource.history.isEmpty ? nil : "\(resource.history.count) earlier")
            output.append("token     ")
            if reveal { record.withToken { output.append($0) } } else { output.append(text: Output.mask) }
            output.append("\n")
        }
        if reveal { Trail("show", options.access).append(.ok, of: [resource.name.description]) }
        try Output.flush(&output)
        session.finish()
    }
}
