internal import Age
internal import ArgumentParser
internal import Glibc
internal import Sodium
internal import SystemPackage
internal import VaultFile

struct IdentityCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "identity", abstract: "Make an identity, or show what others need to know of one.",
        subcommands: [New.self, Show.self])

    /// A passphrase for a new identity file; to have none must be said, by `--no-passphrase` where `mayDecline`.
    static func newPassphrase(_ access: Access, mayDecline: Bool) throws -> SecretBytes {
        let emptyHint = mayDecline ? "use --no-passphrase if there is to be none" : "leave out --passphrase for none"
        guard let passphrase = try PassphraseSource(access).newPassphrase(emptyHint: emptyHint) else {
            throw Failure(
                .notAllowed, "a new identity needs a passphrase, and there is nobody to ask",
                hint: "set VAULT_PASSPHRASE, or give --passphrase-fd N"
                    + (mayDecline ? "; --no-passphrase makes one without" : ""))
        }
        return passphrase
    }

    struct New: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a new identity.",
            discussion: """
                Written to the file of -o, or to the default place. With --oneline it is printed instead (or written \
                to the file of -o) as one line for the secret store of a CI system, with the id of the vault that \
                --vault or --vault-id names behind the key.
                """)

        @Option(
            name: [.customShort("o"), .customLong("output")], help: ArgumentHelp("Where it goes.", valueName: "file"),
            completion: .file())
        var output: String?

        @Flag(help: "Protect it with a passphrase.")
        var passphrase = false

        @Flag(help: "As one line for VAULT_IDENTITY.")
        var oneline = false

        @Flag(help: "Print a key even on a terminal.")
        var reveal = false

        @OptionGroup var options: AccessOptions

        func validate() throws {
            if oneline, passphrase { throw ValidationError("--oneline has no passphrase") }
        }

        func run() throws {
            let access = options.access
            if let output, output.isEmpty { throw Failure(.usage, "the path of -o is empty") }
            if output == "-" {
                throw Failure(
                    .usage, "-o is the path of a file", hint: "--oneline prints the key; ./- is a file of that name")
            }
            if !access.identities.isEmpty {
                throw Failure(
                    .usage, "--identity names an identity that there is", hint: "say with -o where the new one goes")
            }
            if let output { try IdentitySource.refuseKeys(in: [output], Failure(.usage, "-o is a key, not a path")) }
            if oneline, output == nil, Output.isTerminal, !reveal {
                throw Failure(
                    .usage, "this would show the key on the terminal",
                    hint: "send the output to a file or a pipe, or use --reveal")
            }
            let identity = X25519Identity()
            let pin = try Self.knownPin(access)
            let new = NewIdentity(identity, comments: pin.map { ["vault-id: \($0.id)"] } ?? [])
            if oneline {
                let line = new.oneline(pin)
                if pin == nil {
                    Messages.note(
                        "the line names no vault, so whoever uses it is asked for one: --vault or --vault-id puts it behind the key",
                        unless: access.quiet)
                }
                if let output {
                    try NewIdentity.write(line, to: output)
                } else {
                    try line.withBytes { try Output.write($0) }
                    // The key goes into a pipe, and this is what its vault's owner needs.
                    let handed = Show.text(of: identity).dropLast()
                    return Messages.note("made the identity \(handed)", unless: access.quiet)
                }
            } else {
                let path = try output ?? Places.identity()
                guard unsafe Glibc.access(path, F_OK) != 0 else {
                    throw Failure(.exists, "\(path) exists already", hint: "say with -o where the new one goes")
                }
                let passphrase = try self.passphrase ? IdentityCommand.newPassphrase(access, mayDecline: false) : nil
                try new.write(to: path, passphrase: passphrase)
                Messages.note("made the identity \(path)", unless: access.quiet)
                if !self.passphrase {
                    Messages.notice(
                        "whoever gets the file has the key: '\(Process.name) passphrase --identity \(path)' puts it "
                            + "behind a passphrase",
                        unless: access.quiet)
                }
            }
            try Output.write(outcome: Show.text(of: identity))
        }

        /// The vault that the identity will be for, where somebody names one that is known.
        private static func knownPin(_ access: Access) throws -> Pin? {
            if let pin = try Session.givenPin(access) { return pin }
            // Not the default vault: a new identity does not open it. And what is known of a path says nothing where no
            // vault is.
            guard let path = try Session.pathIfGiven(access) else { return nil }
            guard unsafe path.withPlatformString({ unsafe Glibc.access($0, F_OK) }) == 0 else { return nil }
            return try Session.knownVaults().entry(for: path)?.pin
        }
    }

    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show what to hand to a vault's owner.",
            discussion: "Prints the recipient and, behind it, the verifier, one identity a line.")

        @Flag(help: "As JSON.")
        var json = false

        @OptionGroup var options: AccessOptions

        func run() throws {
            let loaded = try IdentitySource(options.access).load()
            if json {
                let objects = loaded.identities.map { identity in
                    "{\"recipient\":\"\(identity.recipient)\",\"verifier\":\"\(identity.verificationKey)\"}"
                }
                try Output.write("[\(objects.joined(separator: ","))]\n")
            } else {
                for identity in loaded.identities { try Output.write(Self.text(of: identity)) }
            }
        }

        static func text(of identity: any MemberIdentity) -> String {
            "\(identity.recipient) \(identity.verificationKey)\n"
        }
    }
}

/// An identity on its way to a file.
struct NewIdentity {
    private let identity: X25519Identity
    private let comments: [String]

    init(_ identity: X25519Identity, comments: [String]) {
        self.identity = identity
        self.comments = comments
    }

    /// Writes an identity file, mode 0600; a file that is there already is refused.
    func write(to path: String, passphrase: consuming SecretBytes?) throws {
        var text = SecretBuffer(capacity: 1024)
        text.append(text: "# created: \(Timestamp.now)\n# recipient: \(identity.recipient)\n")
        for comment in comments { text.append(text: "# \(comment)\n") }
        identity.encoded().withBytes { text.append($0) }
        text.append("\n")
        guard let passphrase else { return try Self.write(text.finish(), to: path) }
        // Before a second is spent on the passphrase.
        if unsafe access(path, F_OK) == 0 { throw VaultError.exists(path) }
        let recipient = ScryptRecipient(passphrase: passphrase)
        let file = try text.withBytes { try AgeFile.encrypt($0, to: recipient) }
        try Self.write(SecretBytes(copying: file.span), to: path)
    }

    /// The key, and the pin behind it.
    func oneline(_ pin: Pin?) -> SecretBytes {
        var line = SecretBuffer(capacity: 256)
        identity.encoded().withBytes { line.append($0) }
        line.append(text: (pin.map { ":\($0)" } ?? "") + "\n")
        return line.finish()
    }

    static func write(_ content: borrowing SecretBytes, to path: String) throws {
        let file = FilePath(path)
        try DurableFile.createFolder(file.removingLastComponent())
        try content.withBytes { content in
            try DurableFile.write(file, replacing: false, making: .unnamed) { (descriptor) throws(VaultError) in
                try DurableFile.write(content, to: descriptor, at: file)
            }
        }
    }
}
