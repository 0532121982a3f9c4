internal import ArgumentParser
internal import Glibc
internal import Remotes
internal import Resources
internal import Sodium
internal import SystemPackage
internal import VaultFile

struct RemoteCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remote", abstract: "Say which store a vault shares with other machines.",
        discussion: """
            The vault on this machine stays what all commands read and write; the store is where machines exchange it. \
            It is not trusted with anything but being there.
            """,
        subcommands: [Set.self, Status.self, Remove.self])

    struct Set: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Give the vault a store.",
            discussion: """
                etcd://HOST[:PORT][,HOST...]/PREFIX is an etcd cluster, by TLS unless all of it is on this machine. \
                https://HOST/FILE is a vault file on a web server, to read from. The vault need not be there: \
                'pull' then fetches it. Nothing is asked of the store yet.
                """)

        @Argument(help: "Where the store is.")
        var url: String

        @Option(
            help: ArgumentHelp("The authorities of the store's certificate. Default: the system's.", valueName: "file"),
            completion: .file())
        var ca: String?

        @Option(help: ArgumentHelp("This machine's certificate.", valueName: "file"), completion: .file())
        var cert: String?

        @Option(help: ArgumentHelp("The key of the certificate.", valueName: "file"), completion: .file())
        var key: String?

        @Option(help: ArgumentHelp("The user, with a password from VAULT_REMOTE_PASSWORD.", valueName: "name"))
        var user: String?

        @Option(
            help: ArgumentHelp("A file with the user's password (VAULT_REMOTE_PASSWORD_FILE).", valueName: "file"),
            completion: .file())
        var passwordFile: String?

        @Flag(help: "Talk to other machines without TLS.")
        var allowHttp = false

        @OptionGroup var options: AccessOptions

        func run() throws {
            let access = options.access
            let path = try Session.path(access)
            let url: RemoteURL
            do throws(RemoteURLError) { url = try RemoteURL(self.url, allowsHTTP: allowHttp) } catch {
                throw Failure(.usage, error.reason)
            }
            guard passwordFile == nil || user != nil else {
                throw Failure(.usage, "--password-file is of no use without --user")
            }
            let settings = RemoteSettings(
                url: "\(url)", allowsHTTP: allowHttp, authority: try Self.file(ca, "--ca"),
                certificate: try Self.file(cert, "--cert"), key: try Self.file(key, "--key"), user: user,
                passwordFile: try Self.file(passwordFile, "--password-file"))
            // What makes no sense together is said now, and not by the first command that needs it. Nobody is asked for
            // the password yet.
            var standIn = SecretBuffer()
            standIn.append("password")
            let store: any Store
            do throws(StoreError) {
                store = try Stores.open(
                    url,
                    StoreCredentials(
                        authority: settings.authority, certificate: settings.certificate, key: settings.key, user: user,
                        password: user == nil ? nil : standIn.finish()))
            } catch {
                if case .setting(let reason) = error { throw Failure(.usage, reason) }
                throw error
            }
            try Remote.list.set(settings, for: path)
            if access.quiet { return }
            let place = KnownVaults.place(of: path)
            if store.isReadOnly {
                Messages.print(
                    "\(place) is read from \(url)", hint: "fetch what is there with '\(Process.name) pull'")
            } else {
                Messages.print(
                    "\(place) is shared by \(url)",
                    hint: "fetch what is there with '\(Process.name) pull', or bring the vault there with "
                        + "'\(Process.name) push'")
            }
        }

        /// The absolute path of a file that was given.
        private static func file(_ path: String?, _ option: String) throws -> String? {
            guard let path else { return nil }
            guard !path.isEmpty else { throw Failure(.usage, "the path of \(option) is empty") }
            guard unsafe access(path, R_OK) == 0 else {
                throw Failure(errno == ENOENT ? .missing : .io, "\(option) \(path): \(Failure.text(errno))")
            }
            return FilePath(path).absolute.string
        }
    }

    struct Status: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Ask the store how it stands to the vault here.",
            discussion: "Exit 69 when it does not answer; what is known of it is printed all the same.")

        @Flag(help: "As JSON.")
        var json = false

        @OptionGroup var options: AccessOptions

        func run() throws {
            let access = options.access
            let path = try Session.path(access)
            let remote = try Remote.required(of: path)
            let before = remote.state.load()?.checked
            var relation: Synchronizer.Relation?
            var failure: (any Error)?
            do {
                relation = try remote.synchronizer(for: Session(access, mayBeMissingAt: path)).synchronizer.relation()
            } catch {
                failure = error
            }
            let checked = failure == nil ? Timestamp.now : before
            if json {
                try Output.write(
                    "{\"url\":\(ResourceJSON.quoted("\(remote.url)"))"
                        + ",\"checked\":\(checked.map { "\"\($0)\"" } ?? "null")"
                        + ",\"state\":\(relation.map { "\"\($0.rawValue)\"" } ?? "null")}\n")
            } else {
                try Output.write(
                    "url      \(remote.url)\nchecked  \(checked.map { "\($0)" } ?? "never")\n"
                        + "state    \(relation?.rawValue ?? "not known")\n")
            }
            if let failure { throw failure }
        }
    }

    struct Remove: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Have the vault no store any more.",
            discussion: "What is in the store, and the vault, stay there.")

        @OptionGroup var options: AccessOptions

        func run() throws {
            let path = try Session.path(options.access)
            _ = try Remote.required(of: path)
            try Remote.list.set(nil, for: path)
            Messages.note("\(KnownVaults.place(of: path)) has no shared store any more", unless: options.access.quiet)
        }
    }
}
