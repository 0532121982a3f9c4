internal import ArgumentParser
internal import VaultFile

struct RemoveCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove", abstract: "Remove resources, with their tokens.",
        discussion: "All of them or none: when one is not there, nothing is removed.")

    @Argument(help: "The resources.", completion: .custom { _, _, _ in ResourceNames.complete() })
    var names: [String]

    @OptionGroup var sharing: SharingOptions
    @OptionGroup var options: AccessOptions

    func run() throws {
        let names = try names.map { try RecordName.parse($0, isOneOfMany: true) }
        let session = try Session(options.access)
        let sharing = try Sharing(session, self.sharing)
        try session.vault.update { reader, changes in
            for name in names {
                // By its name alone: a record that nothing can be made of must go too.
                guard try reader.hasRecord(named: name) else { throw ResourceNames.missing(name, in: reader) }
                changes.remove(name)
            }
        }
        for name in Set(names).sorted() { Messages.note("removed \(name)", unless: options.access.quiet) }
        Messages.note(
            "the version before is in \(DurableFile.target(of: session.vault.path)).bak", unless: options.access.quiet)
        session.finish()
        try sharing.push(quiet: options.access.quiet)
    }
}
