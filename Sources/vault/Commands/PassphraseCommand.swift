internal import Age
internal import ArgumentParser
internal import Sodium

struct PassphraseCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "passphrase", abstract: "Change, set or remove the passphrase of an identity.",
        discussion: """
            The vault is not touched. A copy of the file that was made before still opens with the old passphrase.

            The old passphrase comes from where every command takes it. The new one comes from --new-passphrase-fd or \
            the terminal, and from no variable.
            """)

    @Flag(help: "Leave the identity without a passphrase: for machines.")
    var remove = false

    @Option(
        name: .customLong("new-passphrase-fd"),
        help: ArgumentHelp("Read the new passphrase from this descriptor.", valueName: "n"))
    var newPassphraseDescriptor: Int32?

    @OptionGroup var options: AccessOptions

    func run() throws {
        var access = options.access
        // Which has the keys, and not the file.
        access.usesAgent = false
        if remove, newPassphraseDescriptor != nil {
            throw Failure(.usage, "--remove needs no new passphrase", hint: "leave out --new-passphrase-fd")
        }
        if let descriptor = newPassphraseDescriptor, descriptor == access.passphraseDescriptor {
            throw Failure(.usage, "--passphrase-fd and --new-passphrase-fd are the same descriptor")
        }
        let source = IdentitySource(access)
        let passphrases = PassphraseSource(access)
        // First of all, so that no command that gives the old passphrase can read it.
        let given = try newPassphraseDescriptor.map {
            try passphrases.newPassphrase(from: $0, emptyHint: Self.emptyHint)
        }
        let stored = try source.loadFile()
        let hadPassphrase = stored.isEncrypted
        if remove {
            guard hadPassphrase else {
                Messages.note("\(stored.path) has no passphrase", unless: access.quiet)
                return
            }
            try stored.replace(with: source.text(of: stored))
            Messages.note("removed the passphrase of \(stored.path)", unless: access.quiet)
            return
        }
        // Before a second is spent on the old passphrase.
        if newPassphraseDescriptor == nil, Terminal(access) == nil { throw Self.nobodyToAsk }
        let text = try source.text(of: stored)
        guard let passphrase = try given ?? passphrases.typedPassphrase(emptyHint: Self.emptyHint) else {
            throw Self.nobodyToAsk
        }
        let recipient = ScryptRecipient(passphrase: passphrase)
        let file = try text.withBytes { try AgeFile.encrypt($0, to: recipient) }
        guard file.count <= IdentityFile.maximumSize else {
            throw Failure(.usage, "\(stored.path) has no room for a passphrase: it has \(text.count) bytes")
        }
        try stored.replace(with: SecretBytes(copying: file.span))
        Messages.note(
            "\(hadPassphrase ? "changed" : "set") the passphrase of \(stored.path)", unless: access.quiet)
    }

    private static let emptyHint = "use --remove if there is to be none"
    private static var nobodyToAsk: Failure {
        Failure(.notAllowed, "there is nobody to ask for the new passphrase", hint: "give --new-passphrase-fd N")
    }
}
