internal import Age
internal import ChildProcess
internal import Glibc
internal import Sodium
internal import SystemPackage
internal import UnlockAgent
internal import VaultFile

/// Identities, and what was said beside them about the vault they are for.
struct LoadedIdentities {
    /// One for each file or variable.
    private(set) var origins: [IdentityOrigin] = []
    /// What gave the passphrase of the first file that has one; nil when none was needed.
    var passphraseOrigin: String?

    /// All of them, in their order.
    var identities: [any MemberIdentity] { origins.flatMap(\.identities) }

    /// The files and variables, or `agent` for what that holds, each once.
    var origin: String {
        let names = origins.map { $0.isHeld ? "agent" : $0.name }
        return names.indices.filter { names.firstIndex(of: names[$0]) == $0 }.map { names[$0] }
            .joined(separator: ", ")
    }

    /// The pin behind the key in `VAULT_IDENTITY`, or in a file that holds such a line; and the variable or file.
    var pin: (pin: Pin, origin: String)? {
        for origin in origins { if let pin = origin.pin { return (pin, "\(origin)") } }
        return nil
    }

    /// The vaults that comments in identity files name.
    var commentIDs: Set<VaultID> { Set(origins.flatMap(\.vaultIDs)) }

    /// The variable or file that has the first of the comments.
    var commentOrigin: String { origins.first { !$0.vaultIDs.isEmpty }.map { "\($0)" } ?? "" }

    /// Identities that were loaded somewhere.
    init(_ origins: [IdentityOrigin]) throws {
        for origin in origins { try add(origin) }
    }

    mutating func add(_ origin: IdentityOrigin) throws {
        if let (pin, _) = pin, let other = origin.pin, pin != other {
            throw Failure(
                .notAllowed, "the identities are for different vaults", hint: "use --vault-id to choose one")
        }
        origins.append(origin)
    }
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
        defer { keepFromChildren() }
        if let loaded = try loadGiven() { return loaded }
        let held = try heldOrigins()
        if !held.isEmpty { return try LoadedIdentities(held) }
        return try loadDefault()
    }

    /// Keeps from children what could unlock the vault, whether or not it was needed.
    private func keepFromChildren() {
        if let descriptor = access.passphraseDescriptor { SecretInput.keepFromChildren(descriptor) }
        let lists = ["VAULT_IDENTITY_FILE", "VAULT_PASSPHRASE_FILE"].compactMap { Variables.text($0) }
        for path in access.identities + lists.flatMap({ $0.split(separator: ":").map(String.init) }) {
            SecretInput.keepFromChildren(path)
        }
    }

    /// Loads the identities of the default file.
    func loadDefault() throws -> LoadedIdentities {
        let path = try defaultFile()
        return try load(files: [path]) { try checkDefault($0, path) }
    }

    /// Loads the identities that somebody gave, by a flag, a variable, or systemd; nil when nobody did.
    func loadGiven() throws -> LoadedIdentities? {
        switch try given() {
        case .files(let files, _): return try load(files: files)
        case .key(let variable):
            guard let text = Variables.secret(variable) else { return nil }
            return try LoadedIdentities([text.withBytes { try parse(key: $0, source: variable) }])
        case .command(let command, let variable):
            if access.isCompletion { throw Failure(.notAllowed, "a completion runs no command") }
            let text = try SecretCommand.output(of: command, variable: variable)
            return try LoadedIdentities([text.withBytes { try parse(key: $0, source: variable) }])
        case .credential(let path): return try load(files: [path])
        case nil: return nil
        }
    }

    /// What somebody gives identities by.
    private enum Given {
        case files([String], source: String)
        case key(variable: String)
        case command(String, variable: String)
        case credential(String)
    }

    private func given() throws -> Given? {
        if !access.identities.isEmpty {
            try Self.refuseKeys(in: access.identities, Failure(.usage, "--identity is a key, not the path of a file"))
            return .files(access.identities, source: "--identity")
        }
        if Variables.isSet("VAULT_IDENTITY") { return .key(variable: "VAULT_IDENTITY") }
        if let list = Variables.text("VAULT_IDENTITY_FILE") {
            let files = list.split(separator: ":").map(String.init)
            guard !files.isEmpty else { throw Failure(.setting, "VAULT_IDENTITY_FILE names no file") }
            try Self.refuseKeys(in: files, Failure(.setting, "VAULT_IDENTITY_FILE is a key, not the path of a file"))
            return .files(files, source: "VAULT_IDENTITY_FILE")
        }
        if let command = Variables.text("VAULT_IDENTITY_CMD") {
            return .command(command, variable: "VAULT_IDENTITY_CMD")
        }
        if let folder = Variables.text("CREDENTIALS_DIRECTORY") {
            let path = folder + "/vault-identity"
            if !DurableFile.isOutOfReach(FilePath(path)) { return .credential(path) }
        }
        return nil
    }

    /// The file that is taken when nobody gives anything.
    private func defaultFile() throws -> String {
        guard let path = try? Places.identity() else { throw noIdentity("file, and no home folder to look in") }
        if DurableFile.isOutOfReach(FilePath(path)) { throw noIdentity(path) }
        return path
    }

    /// The files that the options, the variables and the system lead to, whether or not an agent holds their keys.
    ///
    /// - Returns: Their paths, and whether it is the default file, which nobody named.
    func files() throws -> (paths: [String], isDefault: Bool) {
        switch try given() {
        case .files(let files, _): return (files, false)
        case .key, .command: return ([], false)
        case .credential(let path): return ([path], false)
        case nil: return ((try? defaultFile()).map { [$0] } ?? [], true)
        }
    }

    /// The one file of the identity, as it lies on the disk, for a command that changes it.
    func loadFile() throws -> StoredIdentity {
        func refusal(_ source: String) -> Failure {
            Failure(
                .usage, "the identity comes from \(source), which has no file whose passphrase could be changed",
                hint: "name a file with --identity")
        }
        switch try given() {
        case .files(let files, let source):
            guard files.count == 1 else {
                throw Failure(
                    .usage, "\(source) names \(files.count) files, and one passphrase is changed at a time",
                    hint: "name one of them with --identity")
            }
            return try loadFile(files[0])
        case .key(let variable), .command(_, let variable): throw refusal(variable)
        case .credential: throw refusal("systemd's credential")
        case nil:
            let path = try defaultFile()
            return try loadFile(path) { try checkDefault($0, path) }
        }
    }

    /// A file of identities, as it lies on the disk.
    func loadFile(_ path: String, check: (stat) throws -> Void = { _ in }) throws -> StoredIdentity {
        var status = stat()
        let content = try read(path) {
            guard $0.st_mode & S_IFMT == S_IFREG else { throw Self.notRegular(path) }
            try check($0)
            status = $0
        }
        return StoredIdentity(path: path, status: status, content: content.finish())
    }

    /// The text of a stored identity, as it is or decrypted, which is one that can be used.
    func text(of stored: borrowing StoredIdentity) throws -> SecretBytes {
        let text = try stored.content.withBytes { content in
            try stored.isEncrypted ? decrypt(content.publicCopy, stored.path) : SecretBytes(copying: content)
        }
        _ = try text.withBytes { try parse($0, stored.path) }
        return text
    }

    /// Refuses a key where a path belongs, before a message names the path.
    static func refuseKeys(in files: [String], _ failure: Failure) throws {
        guard files.contains(where: { $0.uppercased().contains("AGE-SECRET-KEY-") }) else { return }
        throw Failure(code: failure.status, failure.message, hint: "the key itself goes into VAULT_IDENTITY")
    }

    private func noIdentity(_ path: String) -> Failure {
        if Variables.isWithheld {
            return Failure(
                .notAllowed, "there is no identity: \(Variables.withholding)", hint: Variables.keepIdentityHint)
        }
        return Failure(
            .notAllowed, "there is no identity to unlock the vault with: no \(path)",
            hint: unsafe getenv("VAULT_IDENTITY") != nil
                ? "VAULT_IDENTITY is set, but empty"
                : "make one with '\(Process.name) identity new', or with a vault by '\(Process.name) init'; or set "
                    + "VAULT_IDENTITY or VAULT_IDENTITY_FILE")
    }

    /// What the agent holds; nothing when there is none.
    private func heldOrigins() throws -> [IdentityOrigin] {
        // A completion does not wait for one that hangs.
        guard access.usesAgent, let agent = try AgentClient(at: Places.agent(), patience: access.isCompletion ? 1 : 10)
        else { return [] }
        return try agent.status()?.origins ?? []
    }

    private func load(files: [String], check: (stat) throws -> Void = { _ in }) throws -> LoadedIdentities {
        var loaded = try LoadedIdentities([])
        for path in files {
            let content = try read(path) { status in
                if access.isCompletion, status.st_mode & S_IFMT != S_IFREG {
                    throw Failure(.notAllowed, "a completion reads no pipe")
                }
                try check(status)
            }
            guard content.withBytes({ IdentityFile.isEncrypted($0) }) else {
                try loaded.add(content.withBytes { try parse($0, path) })
                continue
            }
            let hash = content.withBytes { IdentityOrigin.hash($0) }
            // Rather than ask for its passphrase.
            if passphrases.isPrompt, let held = try heldOrigins().first(where: { $0.fileHash == hash }) {
                try loaded.add(held)
                continue
            }
            let text = try decrypt(content.withBytes { $0.publicCopy }, path)
            var origin = try text.withBytes { try parse($0, path) }
            origin.fileHash = hash
            try loaded.add(origin)
            loaded.passphraseOrigin = loaded.passphraseOrigin ?? passphrases.origin
        }
        return loaded
    }

    private func read(_ path: String, check: (stat) throws -> Void) throws -> SecretBuffer {
        try SecretInput.readFile(path, what: "the identity file", limit: IdentityFile.maximumSize, check: check)
    }

    /// The text of an identity file, or the line of a CI system.
    private func parse(_ text: Span<UInt8>, _ name: String, status: Status = .damaged) throws -> IdentityOrigin {
        let line = text.extracting(text.trimmedRange)
        if Self.isOneline(line) { return try parse(key: line, source: name, status: status) }
        do throws(IdentityFile.Malformed) {
            let contents = try IdentityFile.parse(text, commentsAfter: "vault-id:")
            var origin = IdentityOrigin(name: name)
            origin.identities = contents.identities
            origin.vaultIDs = contents.comments.compactMap { VaultID($0) }
            return origin
        } catch {
            switch error {
            case .line(let number):
                throw Failure(status, "\(name), line \(number): this is neither an identity nor a comment")
            case .noKey: throw Failure(status, "\(name) has no identity in it")
            }
        }
    }

    /// The text of an identity file that a passphrase protects, which is asked for.
    private func decrypt(_ file: [UInt8], _ path: String) throws -> SecretBytes {
        // A person at a terminal gets more than one try.
        for attempt in 1... {
            do {
                return try passphrases.withPassphrase(for: path) { passphrase in
                    let identity = ScryptIdentity(passphrase: passphrase, maximumWorkFactor: access.maximumWorkFactor)
                    return try IdentityFile.decrypt(file, with: identity)
                }
            } catch let error as AgeError {
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
                        hint: "if you trust the file, use --max-work-factor \(factor)")
                case .outOfMemory(let bytes):
                    throw Failure(.io, "\(path) needs \(bytes >> 20) MiB of memory to open, more than is available")
                default: throw Failure(.damaged, "\(path) is damaged")
                }
            }
        }
        fatalError("the loop above ends by returning or throwing")
    }

    /// The key itself, perhaps with the pin of its vault behind it; or the text of an identity file.
    private func parse(key text: Span<UInt8>, source name: String, status: Status = .setting) throws -> IdentityOrigin {
        let key = text.extracting(text.trimmedRange)
        let colon = key.firstIndex { $0 == UInt8(ascii: ":") }
        if key.firstIndex(where: { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "#") }) != nil {
            return try parse(key, name, status: status)
        }
        guard let identity = X25519Identity(parsing: key.extracting(..<(colon ?? key.count))) else {
            // No key has a slash in it.
            let isPath = name == "VAULT_IDENTITY" && key.firstIndex { $0 == UInt8(ascii: "/") } != nil
            throw Failure(
                status, "\(name) is not an identity",
                hint: isPath
                    ? "the path of a file goes into VAULT_IDENTITY_FILE"
                    : "it is AGE-SECRET-KEY-1…, or that with :vault1… behind it")
        }
        var origin = IdentityOrigin(name: name)
        origin.identities = [identity]
        if let colon {
            guard let pin = Pin(String(decoding: key.extracting(droppingFirst: colon + 1).publicCopy, as: UTF8.self))
            else { throw Failure(status, "what stands behind the key in \(name) is not a vault's id") }
            origin.pin = pin
        }
        return origin
    }

    /// Whether it is a line such as `AGE-SECRET-KEY-1…:vault1…`, as `identity new --oneline` writes.
    private static func isOneline(_ line: Span<UInt8>) -> Bool {
        line.firstIndex { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "#") } == nil
            && line.firstIndex { $0 == UInt8(ascii: ":") } != nil && line.count > 0
            && line[0] == UInt8(ascii: "A")
    }

    static func notRegular(_ path: String) -> Failure {
        Failure(.notAllowed, "the identity file \(path) is not a regular file")
    }

    /// The file that is taken without being named by anybody: the user's own, and nobody else's to read.
    private func checkDefault(_ status: stat, _ path: String) throws {
        guard status.st_mode & S_IFMT == S_IFREG else { throw Self.notRegular(path) }
        // Root has the files of others in its home, as in a container whose folders are mounted from outside.
        guard status.st_uid == geteuid() || status.st_uid == 0 || geteuid() == 0 else {
            throw Failure(
                .notAllowed, "the identity file \(path) belongs to another user",
                hint: "if it is to be used all the same, give it with --identity")
        }
        guard status.st_mode & 0o077 != 0, !access.takesLooseIdentity else { return }
        throw Failure(
            .notAllowed, "the identity file \(path) can be read by others", hint: "chmod 600 \(path)")
    }
}

extension Span<UInt8> {
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
