internal import Glibc
internal import Remotes
internal import Resources
internal import Sodium
internal import SystemPackage
internal import VaultFile

/// The shared store of a vault, as its settings have it.
struct Remote {
    let settings: RemoteSettings
    let url: RemoteURL
    /// What is known of it on this machine.
    let state: RemoteState

    /// The stores that this user has given to vaults.
    static var list: RemoteList { RemoteList(file: Places.remotes().map { FilePath($0) }) }

    /// The store of the vault at `path`; nil when it has none.
    init?(of path: FilePath) throws {
        guard let settings = try Self.list.settings(for: path) else { return nil }
        self.settings = settings
        do throws(RemoteURLError) {
            url = try RemoteURL(settings.url, allowsHTTP: settings.allowsHTTP)
        } catch {
            throw Failure(.setting, "the store of \(path) makes no sense: \(error.reason)", hint: Self.settingHint)
        }
        state = RemoteState(in: Places.remoteStates().map { FilePath($0) }, vault: path, url: "\(url)")
    }

    /// The store that the vault at `path` must have.
    static func required(of path: FilePath) throws -> Remote {
        guard let remote = try Remote(of: path) else {
            throw Failure(.usage, "the vault \(KnownVaults.place(of: path)) has no shared store", hint: settingHint)
        }
        return remote
    }

    static var settingHint: String {
        "give it one with '\(Process.name) remote set etcd://HOST/PREFIX', or https://HOST/FILE to read from"
    }

    /// How long the store may take for all that `pull` and `push` ask, and for each look of `watch`, in seconds.
    static let longPatience = 600
    /// The same for what is only done on the way, in seconds: an access to the vault, or a write. For each
    /// ``patienceSize`` that the vault has, there is one more.
    private static let shortPatience = 20
    private static let patienceSize = 512 << 10

    /// What keeps an unlocked vault and the store in step; nothing is asked of the store yet.
    ///
    /// - Parameters:
    ///   - session: The vault.
    ///   - preference: Who is right where both sides changed the same.
    ///   - acceptsOlder: Whether `--accept-older` is about what the store has, too, and not about the vault alone.
    ///   - patience: How long the store may take for all that is asked, in seconds; nil for what is done on the way.
    /// - Returns: The store, and what keeps the vault in step with it.
    /// - Throws: ``Failure``, or `StoreError`.
    func synchronizer(
        for session: Session, preferring preference: RecordMerge.Preference? = nil, acceptsOlder: Bool = false,
        patience: Int? = nil
    ) throws -> (store: any Store, synchronizer: Synchronizer) {
        let store = try open(session.access)
        let size = DurableFile.status(of: session.vault.path).map { Int($0.st_size) } ?? 0
        store.limit(seconds: patience ?? Self.shortPatience + size / Self.patienceSize)
        let synchronizer = Synchronizer(
            acceptsOlder ? session.vault : session.vault.refusingOlder, store, name: "the version in \(url)",
            state: state, preferring: preference)
        return (store, synchronizer)
    }

    /// Opens the store, for which a password may have to be asked.
    func open(_ access: Access) throws -> any Store {
        let password = try settings.user.map { user in
            try RemotePassword(settings.passwordFile, user: user, url: "\(url)").read(access)
        }
        return try Stores.open(
            url,
            StoreCredentials(
                authority: settings.authority, certificate: settings.certificate, key: settings.key,
                user: settings.user, password: password))
    }

    /// How long ago the store last answered, in seconds; nil when it never did, or when a clock was set back since.
    var age: Int? { Self.age(of: state.load()?.checked) }

    /// How long ago it could not be reached, in seconds; nil when it has answered since.
    var failureAge: Int? { Self.age(of: state.load()?.failed) }

    private static func age(of moment: Timestamp?) -> Int? {
        guard let moment else { return nil }
        let age = Timestamp.now.seconds - moment.seconds
        return age < 0 ? nil : age
    }

    /// The same in words.
    var ageInWords: String { age.map { "asked \(TimeSpan.words($0)) ago" } ?? "never asked" }
}

/// The password of a store's user, which is kept in no setting.
struct RemotePassword {
    static let variable = "VAULT_REMOTE_PASSWORD"
    static let fileVariable = "VAULT_REMOTE_PASSWORD_FILE"

    private let file: String?
    private let user: String
    private let url: String

    init(_ file: String?, user: String, url: String) {
        self.file = file
        self.user = user
        self.url = url
    }

    /// The first that there is: a variable, the file that one names or that was given with the store, or what a person
    /// types.
    func read(_ access: Access) throws -> SecretBytes {
        if let password = Variables.secret(Self.variable) { return password }
        if let path = Variables.text(Self.fileVariable) {
            // Named by whoever runs the command, as CI systems mount it.
            return try Self.content(of: path, what: Self.fileVariable, isStrict: false)
        }
        if let file { return try Self.content(of: file, what: "the password file", isStrict: true) }
        guard let terminal = Terminal(access) else {
            throw Failure(
                .notAllowed, "the store needs the password of \(user), and \(Terminal.absence(access))",
                hint: "set \(Self.fileVariable), or give --password-file with '\(Process.name) remote set'")
        }
        return try terminal.readSecret("Password of \(Messages.visible(user)) for \(url): ")
    }

    private static func content(of path: String, what: String, isStrict: Bool) throws -> SecretBytes {
        var content = try SecretInput.readFile(path, what: what) { status in
            guard isStrict, status.st_mode & S_IFMT == S_IFREG, status.st_mode & 0o077 != 0 else { return }
            throw Failure(
                .notAllowed, "\(what) \(path) can be read by others", hint: "chmod 600 \(path)")
        }
        content.dropNewline()
        guard content.count > 0 else { throw Failure(.setting, "\(what) \(path) is empty") }
        return content.finish()
    }
}
