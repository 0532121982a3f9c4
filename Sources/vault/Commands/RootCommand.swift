internal import ArgumentParser
internal import VaultFile

/// The command without a verb.
struct RootCommand: ParsableCommand {
    static let version = "0.1.0"

    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: Process.name,
            abstract: "Keep bearer tokens in one encrypted file, and hand them to the programs that need them.",
            discussion: """
                The daily job: \(Process.name) exec NAME -- curl -H @{{headers}} URL

                What unlocks the vault, in this order: --identity; VAULT_IDENTITY (the key itself), \
                VAULT_IDENTITY_FILE, VAULT_IDENTITY_CMD; $CREDENTIALS_DIRECTORY/vault-identity; \
                the file vault/identity in the configuration folder. Its passphrase: --passphrase-fd; \
                VAULT_PASSPHRASE, VAULT_PASSPHRASE_FILE, VAULT_PASSPHRASE_CMD; a prompt on the terminal.

                Exit codes: 0 done; 1 the answer is no; 64 usage; 65 damaged, forged or older than one seen; \
                66 no such vault, resource or file; 70 a bug; 73 exists already or cannot be created; 74 reading or \
                writing failed; 75 somebody else holds the lock; 77 not allowed; 78 a setting makes no sense. \
                exec: 125 for every failure of its own, 126 and 127 as env has them, else those of the command.
                """,
            version: version,
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
                    name: "Using tokens", subcommands: [ExecCommand.self, HeadersCommand.self, TokenCommand.self]),
                CommandGroup(name: "Unlocking", subcommands: [IdentityCommand.self]),
            ])
    }
}

/// The argument that names one resource.
struct NameArgument: ParsableArguments {
    @Argument(help: "The resource.", completion: .custom { _, _, _ in ResourceNames.complete() })
    private var name: String

    func parsed() throws -> RecordName { try RecordName.parse(name) }
}
