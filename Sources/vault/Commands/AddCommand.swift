internal import ArgumentParser
internal import Resources
internal import Sodium
internal import VaultFile

struct AddCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add", abstract: "Store a token for a resource.",
        discussion: """
            The token comes from --token-fd, else from standard input when that is a pipe or a file, else from a prompt. \
            It is never an argument. At least one --url says where it may go. The expiry of a token that is a \
            JWT is read from it.
            """)

    @OptionGroup var name: NameArgument
    @OptionGroup var resource: ResourceOptions
    @OptionGroup var input: TokenOptions
    @OptionGroup var sharing: SharingOptions
    @OptionGroup var options: AccessOptions

    func run() throws {
        let access = options.access
        let name = try name.parsed()
        var resource = try self.resource.resource(named: name)
        input.keepFromChildren()
        let session = try Session(access)
        let sharing = try Sharing(session, self.sharing)
        // Before somebody types a token for nothing.
        if input.isPrompt {
            var reader = try session.vault.open()
            try Self.refuse(name, in: &reader)
        }
        let token = try SecretInput.token(descriptor: input.tokenFD, name: name.description, access: access)
        try self.resource.take(token, for: &resource)
        let record = try Record(resource, token: token)
        try session.vault.update { reader, changes in
            try Self.refuse(name, in: &reader)
            try changes.put(record, name, quiet: access.quiet)
        }
        Messages.note("added \(name)\(TokenOptions.expiry(record.resource.token.expires))", unless: access.quiet)
        self.resource.noteUnused(record.resource, unless: access.quiet)
        session.finish()
        try sharing.push(quiet: access.quiet)
    }

    private static func refuse(_ name: RecordName, in reader: inout VaultReader) throws {
        if try reader.hasRecord(named: name) {
            throw Failure(
                .exists, "resource \(name) already exists",
                hint: "give it a new token with '\(Process.name) rotate \(name)', or change it with 'edit'")
        }
    }
}

extension RecordChanges {
    /// Puts a record in the place of the one with that name, with as much of its history as fits.
    mutating func put(_ record: borrowing Record, _ name: RecordName, quiet: Bool) throws {
        if let shorter = try record.fitted() {
            let count = shorter.resource.history.count
            Messages.note("only the last \(count) earlier tokens fit; older ones are dropped", unless: quiet)
            try put(name) { output in shorter.withBytes { output.append($0) } }
        } else {
            try put(name) { output in record.withBytes { output.append($0) } }
        }
    }
}
