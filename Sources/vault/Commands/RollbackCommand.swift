internal import ArgumentParser
internal import Resources
internal import VaultFile

struct RollbackCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rollback", abstract: "Put the previous token back; the current one goes into the history.")

    @OptionGroup var name: NameArgument
    @OptionGroup var sharing: SharingOptions
    @OptionGroup var options: AccessOptions

    func run() throws {
        let name = try name.parsed()
        let session = try Session(options.access)
        let sharing = try Sharing(session, self.sharing)
        var expiry = ""
        try session.vault.update { reader, changes in
            let record = try Session.record(named: name, in: &reader).rolledBack(now: .now)
            expiry = TokenOptions.expiry(record.resource.token.expires)
            // Its headers may be others than when the token was stored.
            try record.withToken { try TokenRules.check($0, for: record.resource.headers) }
            try changes.put(record, name, quiet: options.access.quiet)
        }
        Messages.note("put the previous token of \(name) back\(expiry)", unless: options.access.quiet)
        session.finish()
        try sharing.push(quiet: options.access.quiet)
    }
}
