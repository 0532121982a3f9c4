internal import ArgumentParser
internal import CBuild
internal import VaultFile

/// The command without a verb.
struct RootCommand: ParsableCommand {
    /// A semantic version, which the changelog begins with.
    static let version = "0.1.0"

    /// What --version prints: with the commit, if the build knew it.
    private static var versionLine: String {
        let commit = unsafe String(cString: cbuild_commit())
        return "\(Process.name) \(version)" + (commit.isEmpty ? "" : " (\(commit))")
    }

    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: Process.name,
            abstract: "Keep bearer tokens in one encrypted file, and hand them to the programs that need them.",
            discussion: """
                The daily job: \(Process.name) exec NAME -- curl URL

                ENVIRONMENT
                  VAULT_FILE             the vault, instead of --vault
                  VAULT_ID               the vault's id, instead of --vault-id
                  VAULT_IDENTITY         the key itself; perhaps :vault1... after it
                  VAULT_IDENTITY_FILE    identity files, with colons between
                  VAULT_IDENTITY_CMD     a command that prints the key
                  VAULT_PASSPHRASE       the passphrase of an identity file
                  VAULT_PASSPHRASE_FILE  a file with it
                  VAULT_PASSPHRASE_CMD   a command that prints it
                  VAULT_REMOTE_PASSWORD  of the shared store's user; or, with
                                         _FILE behind it, a file with it
                  CREDENTIALS_DIRECTORY  systemd's, with a file vault-identity
                  CI                     never ask, as with --no-input
                  XDG_RUNTIME_DIR        where the agent is
                  NO_COLOR               no colours

                The vault is unlocked by the first of these that there is:
                --identity, VAULT_IDENTITY, VAULT_IDENTITY_FILE,
                VAULT_IDENTITY_CMD, systemd's credential, the agent (see
                unlock), the default file.

                FILES
                  $XDG_DATA_HOME/vault/vault.age     the vault; .bak before it
                  $XDG_CONFIG_HOME/vault/identity    the default identity
                  $XDG_CONFIG_HOME/vault/known_vaults  trusted vaults
                  $XDG_CONFIG_HOME/vault/remotes     shared stores of vaults
                  $XDG_STATE_HOME/vault/             the newest versions seen
                  $XDG_STATE_HOME/vault/remotes/     what stores have in common
                  $XDG_STATE_HOME/vault/log.jsonl    the use of tokens

                EXIT CODES
                  0   done
                  1   the answer is no (check, scan, doctor, git), or a conflict
                  64  usage, or input that is not acceptable
                  65  damaged, forged, or older than a version already seen
                  66  no such vault, resource or file
                  69  the agent or the shared store does not answer
                  70  a bug
                  73  it exists already, or cannot be created
                  74  reading or writing failed
                  75  somebody else holds the lock
                  77  not allowed
                  78  a setting makes no sense
                  exec: 125 for every failure of its own, 126 if the command
                  cannot be run, 127 if it is not found; else the command's
                """,
            version: versionLine,
            groupedSubcommands: [
                CommandGroup(name: "Vault", subcommands: [InitCommand.self, ImportCommand.self, ExportCommand.self]),
                CommandGroup(
                    name: "Resources",
                    subcommands: [
                        AddCommand.self, RotateCommand.self, EditCommand.self, RenameCommand.self, RemoveCommand.self,
                        ListCommand.self, ShowCommand.self, HistoryCommand.self, RollbackCommand.self,
                        CheckCommand.self,
                    ]),
                CommandGroup(
                    name: "Using tokens",
                    subcommands: [
                        ExecCommand.self, HeadersCommand.self, TokenCommand.self, InjectCommand.self,
                        HelperCommand.self,
                    ]),
                CommandGroup(name: "Leaks", subcommands: [RedactCommand.self, ScanCommand.self]),
                CommandGroup(
                    name: "Unlocking",
                    subcommands: [
                        UnlockCommand.self, LockCommand.self, StatusCommand.self, IdentityCommand.self,
                        PassphraseCommand.self, AgentCommand.self,
                    ]),
                CommandGroup(name: "Members", subcommands: [MemberCommand.self, RekeyCommand.self]),
                CommandGroup(
                    name: "Sharing",
                    subcommands: [
                        GitCommand.self, RemoteCommand.self, PullCommand.self, PushCommand.self, WatchCommand.self,
                    ]),
                CommandGroup(name: "Audit", subcommands: [LogCommand.self, DoctorCommand.self]),
            ])
    }
}

/// The argument that names one resource.
struct NameArgument: ParsableArguments {
    @Argument(help: "The resource.", completion: .custom { _, _, _ in ResourceNames.complete() })
    private var name: String

    func parsed() throws -> RecordName { try RecordName.parse(name) }
}
