internal import Glibc
internal import Sodium

/// Finds the passphrase of an identity file: a flag, a variable, or the person at the terminal.
final class PassphraseSource {
    private let access: Access
    /// What was given for the first file opens the others as well: a descriptor can be read only once.
    private var cached: SecretBytes?
    /// What gave the passphrase, once there was one.
    private(set) var origin: String?

    init(_ access: Access) { self.access = access }

    /// Whether the person at the terminal is asked.
    var isPrompt: Bool {
        access.passphraseDescriptor == nil
            && !["VAULT_PASSPHRASE", "VAULT_PASSPHRASE_FILE", "VAULT_PASSPHRASE_CMD"].contains {
                Variables.isSet($0)
            }
    }

    /// Lends the passphrase that opens `path`.
    func withPassphrase(
        for path: String, _ body: (consuming SecretBytes) throws -> SecretBytes
    ) throws -> SecretBytes {
        if access.isCompletion { throw Failure(.notAllowed, "the identity \(path) needs a passphrase") }
        if let passphrase = try rememberedOrGiven() { return try body(passphrase) }
        guard let terminal = Terminal(access) else {
            throw PassphraseNeeded(path: path, absence: Terminal.absence(access), canBeUnlocked: access.usesAgent)
        }
        origin = "the terminal"
        return try terminal.readSecret("Passphrase for \(Messages.visible(path)): ", body)
    }

    /// A passphrase for a new identity: given, or typed twice; nil when there is nobody to ask.
    func newPassphrase(emptyHint: String) throws -> SecretBytes? {
        if let passphrase = try given() {
            noteIfWeak(passphrase)
            return passphrase
        }
        return try typedPassphrase(emptyHint: emptyHint)
    }

    /// A new passphrase from a descriptor of its own.
    func newPassphrase(from descriptor: Int32, emptyHint: String) throws -> SecretBytes {
        let passphrase = try SecretInput.read(descriptor, what: "the new passphrase from descriptor \(descriptor)")
        SecretInput.keepFromChildren(descriptor)
        guard passphrase.count > 0 else { throw Failure(.usage, "the new passphrase is empty", hint: emptyHint) }
        noteIfWeak(passphrase)
        return passphrase
    }

    /// A new passphrase that is typed twice; nil when there is nobody to ask.
    func typedPassphrase(emptyHint: String) throws -> SecretBytes? {
        guard let terminal = Terminal(access) else { return nil }
        let first = try terminal.readSecret("New passphrase: ")
        guard first.count > 0 else {
            throw Failure(.usage, "the passphrase is empty", hint: emptyHint)
        }
        let second = try terminal.readSecret("Repeat passphrase: ")
        guard first.isEqual(to: second) else { throw Failure(.usage, "the two passphrases differ") }
        noteIfWeak(first)
        return first
    }

    /// Advice, and no rule.
    private func noteIfWeak(_ passphrase: borrowing SecretBytes) {
        guard passphrase.withBytes({ PassphraseStrength.bits(of: $0) }) < PassphraseStrength.weakBelow else { return }
        Messages.notice(
            "this passphrase could be guessed by whoever gets the identity file; five random words are stronger",
            unless: access.quiet)
    }

    private func rememberedOrGiven() throws -> SecretBytes? {
        if cached == nil { cached = try given() }
        switch cached {
        case .some(let passphrase): return passphrase.withBytes { SecretBytes(copying: $0) }
        case .none: return nil
        }
    }

    private func given() throws -> SecretBytes? {
        if let descriptor = access.passphraseDescriptor {
            let passphrase = try SecretInput.read(descriptor, what: "the passphrase from descriptor \(descriptor)")
            SecretInput.keepFromChildren(descriptor)
            return try noted(passphrase, "--passphrase-fd")
        }
        if let passphrase = Variables.secret("VAULT_PASSPHRASE") { return try noted(passphrase, "VAULT_PASSPHRASE") }
        if let path = Variables.text("VAULT_PASSPHRASE_FILE") {
            var content = try SecretInput.readFile(path, what: "VAULT_PASSPHRASE_FILE", namesPath: false)
            content.dropNewline()
            return try noted(content.finish(), "VAULT_PASSPHRASE_FILE")
        }
        if let command = Variables.text("VAULT_PASSPHRASE_CMD") {
            var output = try SecretCommand.output(of: command, variable: "VAULT_PASSPHRASE_CMD")
            output.dropNewline()
            return try noted(output.finish(), "VAULT_PASSPHRASE_CMD")
        }
        return nil
    }

    private func noted(_ passphrase: consuming SecretBytes, _ source: String) throws -> SecretBytes {
        guard passphrase.count > 0 else { throw Failure(.setting, "\(source) gives an empty passphrase") }
        origin = source
        return passphrase
    }
}

/// A passphrase is needed, and there is nobody to ask for it.
struct PassphraseNeeded: Error {
    /// The identity file.
    let path: String

    /// Why nobody is asked.
    let absence: String
    /// Whether an agent would do as well.
    let canBeUnlocked: Bool

    var failure: Failure {
        if Variables.isWithheld {
            return Failure(
                .notAllowed, "the identity \(path) needs a passphrase: \(Variables.withholding)",
                hint: "start the surrounding one with --keep VAULT_PASSPHRASE or --keep VAULT_IDENTITY")
        }
        return Failure(
            .notAllowed, "the identity \(path) needs a passphrase, and \(absence)",
            hint: "set VAULT_PASSPHRASE_FILE or VAULT_PASSPHRASE_CMD, "
                + (canBeUnlocked
                    ? "give --passphrase-fd N, or unlock before with '\(Process.name) unlock'"
                    : "or give --passphrase-fd N"))
    }
}
