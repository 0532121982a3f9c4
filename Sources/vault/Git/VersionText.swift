internal import Glibc
internal import Resources
internal import Sodium
internal import SystemPackage
internal import VaultFile

/// A version of a vault as text for git: a line for each thing that can be said of it, so that what differs between two
/// versions reads like a log. Nothing in it is secret, and nothing depends on when it is looked at.
struct VersionText {
    /// The largest file, in bytes, that is read for its hash alone: 64 MiB.
    private static let mostHashed = 64 << 20

    private let file: FilePath
    private let size: Int

    /// - Parameter file: The version, wherever git has put it.
    /// - Throws: ``Failure``.
    init(_ file: FilePath) throws {
        guard let status = DurableFile.status(of: file) else {
            if errno == ENOENT || errno == ENOTDIR { throw Failure(.missing, "there is no file \(file)") }
            throw Failure(.io, "opening \(file): \(Failure.text(errno))")
        }
        self.file = file
        size = Int(status.st_size)
    }

    /// The text; where the vault does not open, that, its size, and what tells it from another one of that size. Nobody is
    /// asked for anything.
    ///
    /// - Throws: ``Failure`` when the file cannot be read.
    func lines(_ access: Access) throws -> [String] {
        if size == 0 { return [] }
        var reason = ", which cannot be opened here"
        do {
            return try content(access)
        } catch VaultError.damaged(_, let what) {
            reason = ": \(Messages.visible(what))"
        } catch VaultError.unknownVault {
            reason = ", which is not known here"
        } catch let error as VaultError {
            if case .system = error { throw error }
        } catch is Failure {}
        if size > Self.mostHashed { return ["vault of \(size) bytes\(reason)"] }
        let bytes = try SmallFile.read(file, maximumSize: Self.mostHashed) ?? []
        // Of what git has a hash of as well: nothing that is secret.
        let hash = BLAKE2b.hash(bytes.span, personalization: "vault/v1 file").prefix(8)
        return ["vault of \(size) bytes (\(Hexadecimal.encode(hash)))\(reason)"]
    }

    private func content(_ access: Access) throws -> [String] {
        var access = access
        access.isCompletion = true
        let loaded = try IdentitySource(access).load()
        var trust = Vault.Trust()
        trust.confirm = try Self.confirmation(access, loaded)
        let vault = Vault(
            path: file, identities: loaded.identities, trust: trust, ratchet: Ratchet(folder: nil))
        var reader = try vault.look(at: file)
        var lines = Self.lines(ofTail: reader)
        try reader.forEachRecord { record in
            do throws(ResourceError) {
                lines += Self.lines(of: try RecordView(record).resource)
            } catch {
                guard case .malformedRecord(let name, let what) = error else { throw error }
                lines.append(Messages.visible("\(name): malformed: \(what)"))
            }
        }
        return lines
    }

    /// Trusts a vault that is known at whatever path, since git says none.
    private static func confirmation(
        _ access: Access, _ loaded: LoadedIdentities
    ) throws -> @Sendable (VaultID) throws -> Pin? {
        var ids = Set([try Session.givenPin(access)?.id, loaded.pin?.pin.id].compactMap { $0 })
        if loaded.commentIDs.count == 1 { ids.formUnion(loaded.commentIDs) }
        let known = Session.knownVaults()
        return { [ids] id in try ids.contains(id) || known.place(of: id) != nil ? Pin(id: id) : nil }
    }

    // MARK: - Lines

    private static func lines(ofTail reader: borrowing VaultReader) -> [String] {
        let written = [
            reader.written.map { "at \($0)" }, reader.writer.map { "by \($0.label)" },
        ].compactMap { $0 }.map { " " + $0 }.joined()
        return [
            "vault \(reader.id)",
            "written\(written), members version \(reader.rosterVersion), generation \(reader.generation)",
        ]
            + reader.members.map { member in
                "member \(member.role.rawValue) \(member.label) \(member.recipient)"
                    + (member.key.map { " \($0)" } ?? "")
            }
    }

    private static func lines(of resource: Resource) -> [String] {
        var facts = resource.urls.map { "url \($0)" }
        facts += (resource.givenHeaders ?? []).map { "header \($0.text)" }
        facts += (resource.givenEnvironment ?? []).map { "env \($0.text)" }
        if let username = resource.username { facts.append("username \(username)") }
        if let note = resource.note { facts.append("note \(note)") }
        facts += resource.tags.map { "tag \($0)" }
        facts.append(words(of: resource.token, isFirst: resource.history.isEmpty))
        if let last = resource.history.first {
            let count = resource.history.count
            facts.append(
                "\(count) earlier token\(count == 1 ? "" : "s")"
                    + (last.retired.map { ", the last retired \($0)" } ?? ""))
        }
        return facts.map { "\(resource.name): \(Messages.visible($0))" }
    }

    private static func words(of token: Resource.TokenDates, isFirst: Bool) -> String {
        var text = "token"
        if let added = token.added { text += " \(isFirst ? "added" : "rotated") \(added)" }
        guard let expires = token.expires else { return text }
        guard let added = token.added, added < expires else { return text + ", expires \(expires)" }
        // From when it was stored: today's count would be another one tomorrow.
        return text + ", expires in \(TimeSpan.words(expires.seconds - added.seconds)) (\(expires))"
    }
}
