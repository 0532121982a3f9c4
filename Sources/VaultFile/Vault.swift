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
        /// Asked for a pin when none is known. Gets the id, and returns whether somebody trusts it.
        public var confirm: @Sendable (VaultID) throws -> Bool = { _ in false }

        /// Trust in nothing but `pin`.
        public init(pin: Pin? = nil) { self.pin = pin }
    }

    /// The file.
    public let path: FilePath
    private let identities: [any MemberKey]
    private let trust: Trust
    private let ratchet: Ratchet

    /// A vault that need not exist yet.
    public init(path: FilePath, identities: [any MemberKey], trust: Trust, ratchet: Ratchet) {
        self.path = path
        self.identities = identities
        self.trust = trust
        self.ratchet = ratchet
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
    public func create(label: String) throws -> VaultID {
        guard let owner = identities.first else { throw VaultError.noMatch }
        let target = DurableFile.target(of: path)
        try DurableFile.createFolder(target.removingLastComponent())
        return try VaultLock.hold(target, purpose: .creating) {
            let writer = VaultWriter(signer: owner)
            let created = try writer.create(at: target, owner: owner.recipient, label: label)
            try? ratchet.raise(created.id, to: created.state)
            return created.id
        }
    }

    /// Changes records: reads the vault under the lock, lets `body` say what to change, and writes that.
    ///
    /// - Throws: ``VaultError``, or what `body` or ``Trust/confirm`` throws; the vault is then as it was, but for
    ///   ``VaultError/durabilityUnknown(path:errno:)``.
    public func update(_ body: (inout VaultReader, inout RecordChanges) throws -> Void) throws {
        let target = DurableFile.target(of: path)
        // A lock beside a file that is not there would only be litter.
        if unsafe target.withPlatformString({ unsafe access($0, F_OK) }) != 0, errno == ENOENT || errno == ENOTDIR {
            throw VaultError.noSuchFile(path.string)
        }
        let pin = try pin()
        try VaultLock.hold(target) {
            DurableFile.removeRemains(of: target)
            var seen: Ratchet.State?
            var reader = try read(pin, &seen)
            var changes = RecordChanges()
            try body(&reader, &changes)
            if changes.isEmpty { return }
            let succession = Succession(to: reader, seen: seen)
            let writer = VaultWriter(signer: try signer(in: reader.roster, for: succession))
            let state = try writer.write(changes, to: &reader, as: succession, path: target)
            try? ratchet.raise(reader.id, to: state)
        }
    }

    /// The key of the first identity that may write; the owner's where only the owner may.
    private func signer(in roster: Roster, for succession: Succession) throws(VaultError) -> any MemberKey {
        var mayWrite = false
        for identity in identities {
            let key = identity.verificationKey
            guard roster.mayWrite(key) else { continue }
            mayWrite = true
            if !succession.needsNewRoster || key == roster.root { return identity }
        }
        throw .notAllowed(
            mayWrite
                ? "the roster must be issued again first, which only the vault's owner can do"
                : "this identity may read the vault, but not write it")
    }

    /// The vault that it has to be. Somebody who has to be asked is asked before anything is locked.
    private func pin() throws -> Pin {
        if let pin = trust.pin { return pin }
        let id = try UnverifiedVault(opening: path, with: identities).id
        guard try trust.confirm(id) else { throw VaultError.unknownVault(id) }
        return Pin(id: id)
    }

    /// Opens and checks; the version seen before is read first, so that a writer in between does no harm.
    private func read(_ pin: Pin, _ seen: inout Ratchet.State?) throws -> VaultReader {
        seen = try ratchet.state(of: pin.id)
        let opened = try UnverifiedVault(opening: path, with: identities, hint: seen?.stanza ?? 0)
        return try opened.verify(
            pin: pin, origin: trust.origin, seen: trust.acceptsOlder ? nil : seen, followsGit: trust.followsGit)
    }
}
