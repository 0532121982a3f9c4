internal import Age
internal import ArgumentParser

/// How a command gets at the vault, as its options say: one for both parsers.
struct Access {
    var vault: String?
    var identities: [String] = []
    var passphraseDescriptor: Int32?
    var vaultID: String?
    var acceptOlder = false
    var noInput = false
    var quiet = false
    var maximumWorkFactor = ScryptIdentity.defaultMaximumWorkFactor
    /// For the completion of a shell, or for git, which wants to show a vault that perhaps does not open: nobody is asked,
    /// no command is run, and no passphrase is read or worked at.
    var isCompletion = false
    /// For a program that asks in the place of a person: nobody is asked.
    var isHelper = false
    /// Whether the agent may be asked, where it is its turn.
    var usesAgent = true
    /// Whether the default identity file is taken although others can read it, which is then said elsewhere.
    var takesLooseIdentity = false
}

/// The options that every verb has.
struct AccessOptions: ParsableArguments {
    @Option(
        name: .customLong("vault"),
        help: ArgumentHelp("The vault (VAULT_FILE). Default: ~/.local/share/vault/vault.age.", valueName: "path"),
        completion: .file())
    private var vault: String?

    @Option(
        name: .customLong("identity"),
        help: ArgumentHelp(
            "An identity file; may be repeated (VAULT_IDENTITY_FILE). Default: ~/.config/vault/identity.",
            valueName: "path"),
        completion: .file())
    private var identities: [String] = []

    @Option(
        name: .customLong("passphrase-fd"),
        help: ArgumentHelp("Read the identity's passphrase from this descriptor (VAULT_PASSPHRASE).", valueName: "n"))
    private var passphraseDescriptor: Int32?

    @Option(
        name: .customLong("vault-id"),
        help: ArgumentHelp("The expected vault, vault1... or vault1...:N (VAULT_ID).", valueName: "id"))
    private var vaultID: String?

    @Flag(name: .customLong("accept-older"), help: "Accept an older version than one seen before, this once.")
    private var acceptOlder = false

    @Flag(name: .customLong("no-input"), help: "Never ask; fail instead (CI).")
    private var noInput = false

    @Flag(name: .customLong("quiet"), help: "Say nothing but errors.")
    private var quiet = false

    @Option(
        name: .customLong("max-work-factor"),
        help: ArgumentHelp("The highest scrypt work factor to take from an identity file.", valueName: "n"))
    private var maximumWorkFactor = ScryptIdentity.defaultMaximumWorkFactor

    /// What stands above them in the help.
    static let title = "Common options"

    var access: Access {
        Access(
            vault: vault, identities: identities, passphraseDescriptor: passphraseDescriptor, vaultID: vaultID,
            acceptOlder: acceptOlder, noInput: noInput, quiet: quiet, maximumWorkFactor: maximumWorkFactor)
    }
}

extension OptionGroup where Value == AccessOptions {
    /// The options that every verb has, under a heading of their own.
    init() { self.init(title: Value.title) }
}
