internal import ArgumentParser
internal import Resources
internal import Sodium
internal import VaultFile

struct RotateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rotate", abstract: "Store a new token; the old one goes into the history.",
        discussion: "The token comes from where 'add' takes it.")

    @OptionGroup var name: NameArgument

    @Option(help: ArgumentHelp("When the new token ends: a date, a time, 90d, 12h, or never.", valueName: "when"))
    var expires: String?

    @OptionGroup var input: TokenOptions
    @OptionGroup var sharing: SharingOptions
    @OptionGroup var options: AccessOptions

    func run() throws {
        let access = options.access
        let name = try name.parsed()
        let given = try expires.map { try Expiry.parse($0) }
        input.keepFromChildren()
        let session = try Session(access)
        let sharing = try Sharing(session, self.sharing)
        // Before somebody types a token for nothing.
        if input.isPrompt { _ = try session.record(named: name) }
        let token = try SecretInput.token(descriptor: input.tokenFD, name: name.description, access: access)
        let expires = given ?? token.withBytes { JSONWebToken.expiry(of: $0) }
        var dropped: Timestamp?
        try session.vault.update { reader, changes in
            let record = try Session.record(named: name, in: &reader)
            try token.withBytes { try TokenRules.check($0, for: record.resource.headers) }
            guard !record.token().isEqual(to: token) else {
                throw Failure(.usage, "this is the token that \(name) has already")
            }
            if given == nil, expires == nil { dropped = record.resource.token.expires }
            try changes.put(
                record.rotated(to: token, now: .now, expires: expires), name, quiet: access.quiet)
        }
        Messages.note("rotated \(name)\(TokenOptions.expiry(expires))", unless: access.quiet)
        if let dropped {
            Messages.note(
                "the token before had an end, on \(dropped), and this one has none; "
                    + "say when with '\(Process.name) edit \(name) --expires WHEN'",
                unless: access.quiet)
        }
        session.finish()
        try sharing.push(quiet: access.quiet)
    }
}
