internal import Age
internal import ChildProcess
internal import Glibc
internal import Sodium
internal import VaultFile

/// Identities, and what was said beside them about the vault they are for.
struct LoadedIdentities {
    var identities: [X25519Identity] = []
    /// The pin behind the key in `VAULT_IDENTITY`.
    var pin: Pin?
    /// The vaults that comments in identity files name.
    var commentIDs: Set<VaultID> = []
    /// Where they came from, for messages.
    var source = ""
}

/// Finds the identities: the first source that there is, in the order of the manual.
struct IdentitySource {
    private let access: Access
    private let passphrases: PassphraseSource

    init(_ access: Access) {
        self.access = access
        // Standard input is left to the command, at its end; another descriptor is no child's business.
        if let descriptor = access.passphraseDescriptor, descriptor > 2 { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
        passphrases = PassphraseSource(access)
    }

    /// Loads the identities of the first source.
    func load() throws -> LoadedIdentities {
        if let loaded = try loadGiven() { return loaded }
        let path = try Places.identity()
        guard unsafe Glibc.access(path, F_OK) == 0 else { throw noIdentity(path) }
        try checkPermissions(path)
        return try load(files: [path], source: path)
    }

    /// Loads the identities that somebody gave, by a flag, a variable, or systemd; nil when nobody did.
    func loadGiven() throws -> LoadedIdentities? {
        if !access.identities.isEmpty { return try load(files: access.identities, source: "--identity") }
        if let text = Variables.secret("VAULT_IDENTITY") {
            return try text.withBytes { try parse(key: $0, source: "VAULT_IDENTITY") }
        }
        if let list = Variables.text("VAULT_IDENTITY_FILE") {
            let files = list.split(separator: ":").map(String.init)
            guard !files.isEmpty else { throw Failure(.setting, "VAULT_IDENTITY_FILE names no file") }
            return try load(files: files, source: "VAULT_IDENTITY_FILE")
        }
        if let command = Variables.text("VAULT_IDENTITY_CMD") {
            let text = try SecretCommand.output(of: command, variable: "VAULT_IDENTITY_CMD")
            return try text.withBytes { try parse(key: $0, source: "VAULT_IDENTITY_CMD") }
        }
        if let folder = Variables.text("CREDENTIALS_DIRECTORY") {
            let path = folder + "/vault-identity"
            if unsafe Glibc.access(path, F_OK) == 0 { return try load(files: [path], source: path) }
        }
        return nil
    }

    private func noIdentity(_ path: String) -> Failure {
        if Variables.text(Variables.withheldMark) != nil {
            return Failure(
                .notAllowed, "there is no identity: the surrounding '\(Process.name) exec' keeps its own to itself",
                hint: "start the surrounding one with --keep VAULT_IDENTITY, or give a file by VAULT_IDENTITY_FILE")
        }
        return Failure(
            .notAllowed, "there is no identity to unlock the vault with: no \(path)",
            hint: "make one with '\(Process.name) init', or set VAULT_IDENTITY or VAULT_IDENTITY_FILE")
    }

    private func load(files: [String], source: String) throws -> LoadedIdentities {
        var loaded = LoadedIdentities(source: source)
        for path in files {
            // Somebody's mistake, which no message must repeat.
            guard !path.uppercased().hasPrefix("AGE-SECRET-KEY-") else {
                throw Failure(
                    .setting, "\(source) is the path of a file, but was given a key",
                    hint: "the key itself goes into VAULT_IDENTITY")
            }
            let content = try SecretInput.readFile(path, what: "the identity file", limit: IdentityFile.maximumSize)
            let text = try decrypt(content, path)
            try text.withBytes { try add($0, path, to: &loaded) }
        }
        return loaded
    }

    private func add(_ text: Span<UInt8>, _ path: String, to loaded: inout LoadedIdentities) throws {
        do throws(IdentityFile.Malformed) {
            let contents = try IdentityFile.parse(text)
            loaded.identities += contents.identities
            for comment in contents.comments where comment.hasPrefix("vault-id:") {
                if let id = VaultID(comment.dropFirst("vault-id:".count).drop { $0 == " " }) {
                    loaded.commentIDs.insert(id)
                }
            }
        } catch {
            switch error {
            case .line(let number):
                throw Failure(.damaged, "\(path), line \(number): this is neither an identity nor a comment")
            case .noKey: throw Failure(.damaged, "\(path) has no identity in it")
            }
        }
    }

    /// The text of an identity file; a passphrase is asked for when it needs one.
    private func decrypt(_ content: consuming SecretBuffer, _ path: String) throws -> SecretBytes {
        let isEncrypted = content.withBytes { IdentityFile.isEncrypted($0) }
        guard isEncrypted else { return content.finish() }
        let file = content.withBytes { $0.publicCopy }
        // A person at a terminal gets more than one try.
        for attempt in 1... {
            let passphrase = try passphrases.passphrase(for: path)
            let identity = ScryptIdentity(passphrase: passphrase, maximumWorkFactor: access.maximumWorkFactor)
            do throws(AgeError) {
                return try IdentityFile.decrypt(file, with: identity)
            } catch {
                switch error {
                case .noMatch:
                    if passphrases.isPrompt, attempt < 3 {
                        Messages.print("this passphrase does not open \(path)")
                        continue
                    }
                    throw Failure(.notAllowed, "the passphrase does not open \(path)")
                case .workFactor(let factor, let limit):
                    throw Failure(
                        .notAllowed, "\(path) has the scrypt work factor \(factor), and \(limit) is the most allowed",
                        hint: "if you trust the file, say --max-work-factor \(factor)")
                case .outOfMemory(let bytes):
                    throw Failure(.io, "\(path) needs \(bytes >> 20) MiB of memory to open, which there are not")
                default: throw Failure(.damaged, "\(path) is damaged")
                }
            }
        }
        fatalError("the loop above ends by returning or throwing")
    }

    /// The key itself, perhaps with the pin of its vault behind it; or the text of an identity file.
    private func parse(key text: Span<UInt8>, source: String) throws -> LoadedIdentities {
        let key = text.extracting(text.trimmedRange)
        var loaded = LoadedIdentities(source: source)
        let colon = key.firstIndex { $0 == UInt8(ascii: ":") }
        if key.firstIndex(where: { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "#") }) != nil {
            try add(key, source, to: &loaded)
            return loaded
        }
        guard let identity = X25519Identity(parsing: key.extracting(..<(colon ?? key.count))) else {
            throw Failure(
                .setting, "\(source) is not an identity",
                hint: "it is AGE-SECRET-KEY-1…, or that with :vault1… behind it")
        }
        loaded.identities = [identity]
        if let colon {
            guard let pin = Pin(String(decoding: key.extracting(droppingFirst: colon + 1).publicCopy, as: UTF8.self))
            else { throw Failure(.setting, "what stands behind the key in \(source) is not a vault's id") }
            loaded.pin = pin
        }
        return loaded
    }

    private func checkPermissions(_ path: String) throws {
        var status = stat()
        guard unsafe stat(path, &status) == 0, status.st_mode & 0o077 != 0 else { return }
        throw Failure(
            .notAllowed, "the identity file \(path) can be read by others", hint: "chmod 600 \(path)")
    }
}

extension Span<UInt8> {
    /// A copy in ordinary memory, for what is no secret or is encrypted.
    var publicCopy: [UInt8] { unsafe withUnsafeBufferPointer { unsafe Array($0) } }

    /// What there is without white space at both ends.
    var trimmedRange: Range<Int> {
        var (start, end) = (0, count)
        while start < end, self[start] <= 0x20 { start += 1 }
        while end > start, self[end - 1] <= 0x20 { end -= 1 }
        return start..<end
    }

    func firstIndex(where matches: (UInt8) -> Bool) -> Int? {
        for index in indices where matches(self[index]) { return index }
        return nil
    }
}
