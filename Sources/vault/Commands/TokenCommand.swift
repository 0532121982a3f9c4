internal import ArgumentParser
internal import Resources
internal import Sodium
internal import VaultFile

struct TokenCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token", abstract: "Print a token, and a newline.",
        discussion: "A terminal is shown a mask unless --reveal.")

    @OptionGroup var name: NameArgument

    @Flag(help: "Print it even on a terminal.")
    var reveal = false

    @Flag(help: "Print it even when it is expired.")
    var allowExpired = false

    @OptionGroup var options: AccessOptions

    func run() throws {
        let session = try Session(options.access)
        let record = try session.record(named: name.parsed())
        var trail = Trail("token", options.access)
        trail.asked = [record.resource.name.description]
        try trail.checking { try Expiry.check(record.resource, allowsExpired: allowExpired) }
        var output = SecretBuffer()
        if Output.isTerminal, !reveal {
            output.append(text: Output.mask)
        } else {
            record.withToken { output.append($0) }
            trail.append(.ok)
        }
        output.append("\n")
        try Output.flush(&output)
        if Output.isTerminal, !reveal { Output.noteMask(unless: options.access.quiet) }
        session.finish()
    }
}
