internal import ArgumentParser
internal import Resources
internal import VaultFile

struct RenameCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "rename", abstract: "Give a resource another name.")

    @Argument(help: "The name it has.", completion: .custom { _, _, _ in ResourceNames.complete() })
    var old: String

    @Argument(help: "The name it gets.")
    var new: String

    @OptionGroup var sharing: SharingOptions
    @OptionGroup var options: AccessOptions

    func run() throws {
        let (old, new) = (try RecordName.parse(old), try RecordName.parse(new))
        guard old != new else { throw Failure(.usage, "\(old) has this name already") }
        let session = try Session(options.access)
        let sharing = try Sharing(session, self.sharing)
        var hasDefaultVariables = false
        try session.vault.update { reader, changes in
            let record = try Session.record(named: old, in: &reader)
            if try reader.hasRecord(named: new) {
                throw Failure(.exists, "there is a resource \(new) already")
            }
            var renamed = record.resource
            renamed.name = new
            renamed.updated = .now
            try renamed.check(allowsHTTP: true)
            hasDefaultVariables = renamed.givenEnvironment == nil
            changes.remove(old)
            try changes.put(record.edited(renamed), new, quiet: options.access.quiet)
        }
        Messages.note("renamed \(old) to \(new)", unless: options.access.quiet)
        let prefix = EnvironmentName.prefix(for: new.description)
        if hasDefaultVariables, prefix != EnvironmentName.prefix(for: old.description) {
            Messages.note("its variable is \(prefix)_TOKEN from now on", unless: options.access.quiet)
        }
        session.finish()
        try sharing.push(quiet: options.access.quiet)
    }
}
