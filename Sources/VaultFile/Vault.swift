internal import Glibc
internal import Age
public import SystemPackage

/// A vault: a file, the identities that open it, and what is trusted about it.
///
/// Ties together what one must not forget one of: the pin, the ratchet, the lock, and the order between them.
public struct Vault: Sendable {
    /// What is trusted about a vault, from outside the file.
    public struct Trust: Sendable {
        /// The vault that it has to be; nil when that is not known.
        public var pin: Pin?
        /// Where the pin comes from, for errors: the name of an option, a variable or a file.
        public var origin = ""
        /// Whether the vault's history is git's, so that generations may go back.
        public var followsGit = false
        /// Whether an older version is accepted this once.
        public var acceptsOlder = false
        /// Asked for a pin when none is known. Gets the id, and returns the pin of somebody who trusts it.
        public var confirm: @Sendable (VaultID) throws -> Pin? = { _ in nil }
        /// Told when a write that was to change records had to issue the roster again, with the members of the version
        /// that was there: whoever a later version had removed is one of them again.
        public var rosterWasIssuedAgain: @Sendable (Pin, [Member]) -> Void = { _, _ in }

        /// Trust in nothing but `pin`.
        public init(pin: Pin? = nil) { self.pin = pin }
    }

    /// What came of making a new vault of another one's records.
    public struct Rekeyed: Sendable {
        /// The new vault's id.
        public let id: VaultID
        /// The id of the vault before it.
        public let before: VaultID
        /// Who owned that, where it was not who made the new one.
        public let formerOwner: Member?
    }

    /// What came of a write: the new version is in place.
    public struct Written<R> {
        /// What there is to know of it.
        public let result: R
        /// Why it may not outlast a power cut; nil when it will.
        let doubt: VaultError?

        /// Says so where the system could not tell that it will last.
        ///
        /// - Throws: ``VaultError/durabilityUnknown(path:errno:)``.
        public func confirm() throws(VaultError) {
            if let doubt { throw doubt }
        }
    }

    /// The file.
    public let path: FilePath
    let identities: [any MemberIdentity]
    let trust: Trust
    let ratchet: Ratchet

    /// A vault that need not exist yet.
    public init(path: FilePath, identities: [any MemberIdentity], trust: Trust, ratchet: Ratchet) {
        self.path = path
        self.identities = identities
        self.trust = trust
        self.ratchet = ratchet
    }

    /// The same vault, of which no version that is older than one seen here is accepted.
    public var refusingOlder: Vault {
        var trust = trust
        trust.acceptsOlder = false
        return Vault(path: path, identities: identities, trust: trust, ratchet: ratchet)
    }

    /// Opens the vault, with every check, and remembers its version.
    ///
    /// - Throws: ``VaultError``, or what ``Trust/confirm`` throws.
    public func open() throws -> VaultReader {
        let pin = try pin()
        var seen: Ratchet.State?
        let reader = try read(pin, &seen)
        if reader.state != seen {
            // A state folder that cannot be written, as in a container, never fails a read.
            try? ratchet.raise(reader.id, to: reader.state, patience: 1)
        }
        return reader
    }

    /// Makes a vault without records, whose owner is the first identity.
    ///
    /// - Returns: The new vault's id.
    /// - Throws: ``VaultError/exists(_:)`` when there is a file already, and other ``VaultError``s.
    public func create(label: String) throws -> Written<VaultID> {
        guard let owner = identities.first else { throw VaultError.noMatch }
        let target = try DurableFile.target(of: path, for: .creating)
        try DurableFile.createFolder(target.removingLastComponent())
        return try VaultLock.hold(target, purpose: .creating) {
            let writer = VaultWriter(signer: owner)
            let version = try writer.create(at: target, owner: owner.recipient, label: label)
            return written(version, as: version.id)
        }
    }

    /// Changes records: reads the vault under the lock, lets `body` say what to change, and writes that.
    ///
    /// - Throws: ``VaultError``, or what `body` or ``Trust/confirm`` throws; the vault is then as it was, but for
    ///   ``VaultError/durabilityUnknown(path:errno:)``.
    public func update(_ body: (inout VaultReader, inout RecordChanges) throws -> Void) throws {
        try replace { reader, seen, target in
            var changes = RecordChanges()
            try body(&reader, &changes)
            if changes.isEmpty { return }
            let succession = Succession(to: reader, seen: seen)
            let writer = VaultWriter(signer: try signer(in: reader.roster, for: succession))
            let version = try writer.write(changes, to: &reader, as: succession, path: target)
            if let members = succession.members {
                trust.rosterWasIssuedAgain(
                    Pin(id: reader.id, minimumRosterVersion: version.state.rosterVersion), members)
            }
            try written(version, as: ()).confirm()
        }
    }

    /// Fails where ``update(_:)`` with the same `body` would, and neither locks nor writes anything.
    ///
    /// - Throws: ``VaultError``, or what `body` or ``Trust/confirm`` throws.
    public func rehearse(_ body: (inout VaultReader, inout RecordChanges) throws -> Void) throws {
        var seen: Ratchet.State?
        var reader = try read(try pin(), &seen)
        var changes = RecordChanges()
        try body(&reader, &changes)
        if !changes.isEmpty { _ = try signer(in: reader.roster, for: Succession(to: reader, seen: seen)) }
    }

    /// Changes who may open and write the vault, which only its owner can: reads it under the lock, lets `body` change
    /// the members, and encrypts everything anew to those that there then are.
    ///
    /// - Returns: The pin that asks for the new roster, or a later one.
    /// - Throws: ``VaultError``, or what `body` or ``Trust/confirm`` throws; the vault is then as it was.
    public func updateMembers(_ body: (inout VaultReader, inout [Member]) throws -> Void) throws -> Written<Pin> {
        try replace { reader, seen, target in
            let root = reader.roster.root
            guard let owner = identities.first(where: { $0.verificationKey == root }) else {
                throw VaultError.notAllowed("only the vault's owner changes its members")
            }
            var members = reader.members
            try body(&reader, &members)
            let succession = Succession(to: reader, seen: seen, members: members)
            let version = try VaultWriter(signer: owner).write(
                RecordChanges(), to: &reader, as: succession, path: target)
            return written(version, as: Pin(id: reader.id, minimumRosterVersion: version.state.rosterVersion))
        }
    }

    /// Makes a new vault of the records, in the place of this one, with another root and id. Its owner is the first
    /// identity that may write this one; all other members stay, and the owner before as a writer.
    ///
    /// - Throws: ``VaultError``, or what ``Trust/confirm`` throws; the vault is then as it was.
    public func rekey() throws -> Written<Rekeyed> {
        try replace { reader, _, target in
            guard let owner = identities.first(where: { reader.roster.mayWrite($0.verificationKey) }) else {
                throw VaultError.notAllowed("this identity may read the vault, but not make a new one of it")
            }
            let version = try VaultWriter(signer: owner).rekey(&reader, path: target)
            let rekeyed = Rekeyed(
                id: version.id, before: reader.id,
                formerOwner: reader.members.first { $0.role == .owner && $0.key != owner.verificationKey })
            return written(version, as: rekeyed)
        }
    }

    /// Remembers a version that was written, once that is known to be on the disk.
    func written<R>(_ version: VaultWriter.Version, as result: R) -> Written<R> {
        if version.doubt == nil { try? ratchet.raise(version.id, to: version.state) }
        return Written(result: result, doubt: version.doubt)
    }

    /// Whether a member's identity is among those that this vault was given.
    public func isOwn(_ member: Member) -> Bool { identities.contains { $0.recipient == member.recipient } }

    /// Where the version before is kept: behind a link, that lies beside the file itself.
    public var backup: FilePath { DurableFile.target(of: path).withSuffix(".bak") }

    /// Who can open the version before, and which vault it says it is; nil when there is none. Nobody has said that it
    /// is genuine.
    ///
    /// - Throws: ``VaultError``.
    public func membersOfBackup() throws(VaultError) -> (id: VaultID, members: [Member])? {
        do throws(VaultError) {
            let opened = try UnverifiedVault(opening: backup, with: identities)
            return (opened.id, opened.members)
        } catch {
            if case .noSuchFile = error { return nil }
            throw error
        }
    }

    /// Lends the vault, read under the lock, with the newest version seen before and the file that is to be replaced.
    private func replace<R>(_ body: (inout VaultReader, Ratchet.State?, FilePath) throws -> R) throws -> R {
        let target = try DurableFile.target(of: path, for: .writing)
        // A lock beside a file that is not there would only be litter.
        if uninterrupted({ unsafe target.withPlatformString { unsafe access($0, F_OK) } }) != 0,
            errno == ENOENT || errno == ENOTDIR
        {
            throw VaultError.noSuchFile(path.string)
        }
        let pin = try pin()
        return try VaultLock.hold(target) {
            DurableFile.removeRemains(of: target)
            var seen: Ratchet.State?
            var reader = try read(pin, &seen)
            return try body(&reader, seen, target)
        }
    }

    /// The key of the first identity that may write; the owner's where only the owner may.
    func signer(in roster: Roster, for succession: Succession) throws(VaultError) -> any MemberIdentity {
        var mayWrite = false
        for identity in identities {
            let key = identity.verificationKey
            guard roster.mayWrite(key) else { continue }
            mayWrite = true
            if succession.members == nil || key == roster.root { return identity }
        }
        throw .notAllowed(
            mayWrite
                ? "the roster must be issued again first, which only the vault's owner can do"
                : "this identity may read the vault, but not write it")
    }

    /// The vault that it has to be. Somebody who has to be asked is asked before anything is locked.
    private func pin() throws -> Pin { try pin(of: path) }

    /// The same, where it is asked for a copy of the vault.
    func pin(of file: FilePath) throws -> Pin {
        if let pin = trust.pin { return pin }
        let id = try opened(file).id
        guard let pin = try trust.confirm(id) else { throw VaultError.unknownVault(id) }
        return pin
    }

    /// Opens and checks; the version seen before is read first, so that a writer in between does no harm.
    private func read(_ pin: Pin, _ seen: inout Ratchet.State?) throws -> VaultReader {
        seen = try ratchet.state(of: pin.id)
        let opened = try opened(path, hint: seen?.stanza ?? 0)
        return try opened.verify(
            pin: pin, origin: trust.origin, seen: trust.acceptsOlder ? nil : seen, followsGit: trust.followsGit)
    }

    func opened(_ file: FilePath, hint: Int = 0) throws(VaultError) -> UnverifiedVault {
        do throws(VaultError) {
            // One by one: Swift would convert an array as a whole by looking through all conformances that are linked.
            return try UnverifiedVault(opening: file, with: identities.map { $0 as any Identity }, hint: hint)
        } catch {
            throw error == .noMatch && identities.contains(where: \.isElsewhere) ? .noMatchElsewhere : error
        }
    }
}
