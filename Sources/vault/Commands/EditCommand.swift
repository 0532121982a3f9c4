internal import ArgumentParser
internal import Resources
internal import Sodium
internal import VaultFile

struct EditCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "edit", abstract: "Change a resource's configuration, not its token.",
        discussion:
            "A flag that can be repeated replaces the whole list. An empty text removes what was there, or brings the default back."
    )

    @OptionGroup var name: NameArgument
    @OptionGroup var resource: ResourceOptions
    @OptionGroup var sharing: SharingOptions
    @OptionGroup var options: AccessOptions

    func run() throws {
        let name = try name.parsed()
        guard !resource.isEmpty else {
            throw Failure(.usage, "there is nothing to change", hint: "say what with --url, --header, --env, …")
        }
        let session = try Session(options.access)
        let sharing = try Sharing(session, self.sharing)
        var result: Resource?
        try session.vault.update { reader, changes in
            let record = try Session.record(named: name, in: &reader)
            var edited = record.resource
            try resource.apply(to: &edited)
            try resource.check(edited)
            try record.withToken { try TokenRules.check($0, for: edited.headers) }
            try changes.put(record.edited(edited), name, quiet: options.access.quiet)
            result = edited
        }
        Messages.note("changed \(name)", unless: options.access.quiet)
        if let result { resource.noteUnused(result, unless: options.access.quiet) }
        session.finish()
        try sharing.push(quiet: options.access.quiet)
    }
}
