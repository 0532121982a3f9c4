internal import Age
internal import Glibc
internal import Resources
internal import Sodium
internal import Synchronization
internal import SystemPackage
internal import VaultFile

/// An unlocked vault, as the options and the environment of one command have it.
struct Session {
    let access: Access
    let vault: Vault
    /// What opens it.
    let loaded: LoadedIdentities
    /// The vault that it has to be; nil when that was not known.
    private let pin: Pin?

    /// The path of the vault.
    static func path(_ access: Access) throws -> FilePath {
        if let path = try pathIfGiven(access) { return path }
        return FilePath(try Places.vault())
    }

    /// The path of the vault, of which it is certain that something is there.
    static func existingPath(_ access: Access) throws -> FilePath {
        let path = try path(access)
        guard uninterrupted({ unsafe path.withPlatformString { unsafe Glibc.access($0, F_OK) } }) == 0 else {
            if errno == ENOENT || errno == ENOTDIR { throw VaultError.noSuchFile(path.string) }
            throw Failure(.io, "opening \(path): \(Failure.text(errno))")
        }
        return path
    }

    /// The path of the vault; nil when nobody gave one.
    static func pathIfGiven(_ access: Access) throws -> FilePath? {
        guard let path = access.vault ?? Variables.text("VAULT_FILE") else { return nil }
        guard !path.isEmpty else { throw Failure(.usage, "the path of --vault is empty") }
        return FilePath(path)
    }

    /// Finds the vault and what opens it. Nothing of the vault is read yet.
    init(_ access: Access) throws {
        // Before a passphrase is asked for.
        let path = try Self.existingPath(access)
        let loaded = try IdentitySource(access).load()
        self.init(access, path: path, loaded: loaded, trust: try Self.trust(access, path, loaded))
    }

    /// Finds what opens a vault that need not be there yet.
    init(_ access: Access, mayBeMissingAt path: FilePath) throws {
        let loaded = try IdentitySource(access).load()
        self.init(access, path: path, loaded: loaded, trust: try Self.trust(access, path, loaded))
    }

    /// A vault that was found already.
    init(_ access: Access, path: FilePath, loaded: LoadedIdentities, trust: Vault.Trust) {
        self.access = access
        self.loaded = loaded
        pin = trust.pin
        vault = Vault(
            path: path, identities: loaded.identities, trust: trust,
            ratchet: Ratchet(folder: Places.state().map { FilePath($0) })
        )
    }

    /// The vaults that this user knows.
    static func knownVaults() -> KnownVaults { KnownVaults(file: Places.knownVaults().map { FilePath($0) }) }

    /// What is trusted about the vault at `path`, by the first that says it.
    static func trust(_ access: Access, _ path: FilePath, _ loaded: LoadedIdentities) throws -> Vault.Trust {
        let known = knownVaults()
        let entry = try known.entry(for: path)
        // Where a person's answer is written down as well.
        let knownOrigin = Places.knownVaults() ?? "known_vaults"
        var trust = Vault.Trust()
        trust.acceptsOlder = access.acceptOlder
        // A pin from elsewhere says nothing of git: a runner that checks out an older commit is no attacker.
        trust.followsGit = entry?.followsGit ?? KnownVaults.isInGitWorkTree(path)
        let comment = loaded.commentIDs.count == 1 ? loaded.commentIDs.first : nil
        if let pin = try givenPin(access) {
            (trust.pin, trust.origin) = (pin, access.vaultID == nil ? "VAULT_ID" : "--vault-id")
        } else if let (pin, origin) = loaded.pin {
            (trust.pin, trust.origin) = (pin, origin)
        } else if let entry {
            if let comment, comment != entry.pin.id {
                throw Failure(
                    .notAllowed,
                    "\(loaded.commentOrigin) is for the vault \(comment), but \(path) is known as \(entry.pin.id)",
                    hints: [
                        "whoever wants the tokens that you add could have changed one of them",
                        "ask the vault's owner for its id, through another channel; give that with --vault-id, and "
                            + "correct the comment in \(loaded.commentOrigin) or the line in \(knownOrigin)",
                    ])
            }
            (trust.pin, trust.origin) = (entry.pin, knownOrigin)
        } else if let comment {
            (trust.pin, trust.origin) = (Pin(id: comment), loaded.commentOrigin)
        } else {
            trust.origin = knownOrigin
            // Once: a pull asks for the same vault more than once.
            let answer = Mutex<Pin?>(nil)
            trust.confirm = { id in
                try answer.withLock { answer in
                    if answer?.id != id { answer = try confirm(id, path, access, known) }
                    return answer
                }
            }
        }
        trust.rosterWasIssuedAgain = { pin, members in
            Messages.print(
                "the list of members was issued again as this version has it, so that who was removed since is one "
                    + "again: \(members.map(\.label).joined(separator: ", "))",
                hints: [
                    "remove them with '\(Process.name) member remove LABEL'; the pin is \(pin) now"
                ])
        }
        return trust
    }

    /// The pin that somebody gave, by a flag or a variable.
    static func givenPin(_ access: Access) throws -> Pin? {
        if let text = access.vaultID {
            guard let pin = Pin(text) else {
                throw Failure(.usage, "--vault-id is not a vault's id: vault1… or vault1…:N")
            }
            return pin
        }
        guard let text = Variables.text("VAULT_ID") else { return nil }
        guard let pin = Pin(text) else {
            throw Failure(.setting, "VAULT_ID is not a vault's id: vault1… or vault1…:N")
        }
        return pin
    }

    /// Asks the person whether an unknown vault is to be trusted, and writes the answer down. Path and id are all that
    /// is shown: the rest of an unknown vault may be an attacker's words.
    private static func confirm(
        _ id: VaultID, _ path: FilePath, _ access: Access, _ known: KnownVaults
    ) throws -> Pin? {
        guard let terminal = Terminal(access) else { return nil }
        let place = KnownVaults.place(of: path)
        let question = """
            The vault at \(Messages.visible(place.string)) is not known here.
            Its id is \(id).
            Anybody can put a vault there: ask its owner, through another channel, whether this is its id.
            Trust it from now on? (yes, no, or the id or pin that the owner gave you) 
            """
        var remark = ""
        while true {
            let answer = try terminal.readAnswer(remark + question).lowercased()
            let given = Pin(answer)
            switch answer {
            case _ where given != nil && given?.id != id:
                throw Failure(
                    .damaged, "this is the id of another vault: \(path) is not the one that its owner means",
                    hint: "get a copy of the right one from the vault's owner")
            case "yes", "y",
                _ where given != nil:
                let pin = given ?? Pin(id: id)
                remember(pin, path, known)
                return pin
            case "no", "n", "":
                throw Failure(
                    .notAllowed, "nothing was done, since the vault is not trusted",
                    hint: "the id that its owner tells you can be given with --vault-id, or set as VAULT_ID")
            default: remark = "That is neither an id nor yes or no: was it copied as a whole?\n"
            }
        }
    }

    /// Writes a pin down among the known vaults; a folder that cannot be written is told, and no failure. Where nobody
    /// has said whether the vault's history is git's, its folder says it.
    @discardableResult
    static func remember(
        _ pin: Pin, _ path: FilePath, _ known: KnownVaults, followsGit: Bool? = nil
    ) -> KnownVaults.Entry {
        let entry = KnownVaults.Entry(
            pin: pin, followsGit: followsGit ?? KnownVaults.isInGitWorkTree(path), path: KnownVaults.place(of: path))
        do {
            try known.record(entry)
        } catch {
            Messages.print(
                "the vault's id could not be written down: \(Failure(error).message)", hint: "set VAULT_ID=\(pin)")
        }
        return entry
    }

    /// Writes down which vault is trusted, where that is known from elsewhere and nothing is written down yet.
    func rememberIfUnknown() {
        let known = Self.knownVaults()
        guard let pin, DurableFile.status(of: vault.path) != nil else { return }
        do { if try known.entry(for: vault.path) != nil { return } } catch { return }
        let new = KnownVaults.Entry(
            pin: pin, followsGit: KnownVaults.isInGitWorkTree(vault.path), path: KnownVaults.place(of: vault.path))
        try? known.record(new)
    }

    /// Reads one record.
    func record(named name: RecordName) throws -> Record {
        var reader = try vault.open()
        return try Self.record(named: name, in: &reader)
    }

    static func record(named name: RecordName, in reader: inout VaultReader) throws -> Record {
        let record = try reader.withRecord(named: name) { line in try Record(line) }
        guard let record else { throw ResourceNames.missing(name, in: reader) }
        return record
    }

    /// Tells on a terminal what keeps the secrets less safe than they should be.
    func finish() {
        if !SecretMemory.isLocked { Self.noteUnlockedMemory(unless: access.quiet) }
    }

    static func noteUnlockedMemory(unless quiet: Bool) {
        Messages.notice(
            "secrets could not be locked in memory, so they may reach swap; raise the limit of 'ulimit -l'",
            unless: quiet)
    }
}

extension RecordName {
    /// The name that was given on the command line, perhaps where there may be more of them.
    static func parse(_ text: String, isOneOfMany: Bool = false) throws -> RecordName {
        guard let name = RecordName(text) else {
            throw Failure(
                .usage, "this cannot be the name of a resource",
                hint: isOneOfMany && text.contains(",")
                    ? "several names are given with spaces between them"
                    : "a name has 1 to 128 letters, digits and . _ - /, and begins with a letter or digit")
        }
        return name
    }
}

extension FilePath {
    /// The path from the root on: which folder is the working one is often what is wrong.
    var absolute: FilePath {
        guard isRelative, let folder = unsafe getcwd(nil, 0) else { return self }
        defer { unsafe free(folder) }
        return unsafe FilePath(platformString: folder).pushing(self)
    }
}
