internal import Age
internal import Glibc
internal import Sodium
public import SystemPackage

extension Vault {
    /// The versions that a merge is of: files anywhere.
    public struct MergeVersions: Sendable {
        /// The version that both sides came from; nil where there is none, or none is known.
        public let base: FilePath?
        /// The version that is here.
        public let ours: FilePath
        /// The version that is merged into it.
        public let theirs: FilePath

        /// The versions of a merge.
        public init(base: FilePath?, ours: FilePath, theirs: FilePath) {
            self.base = base
            self.ours = ours
            self.theirs = theirs
        }
    }

    /// What came of a merge.
    public enum MergeOutcome: Sendable {
        /// Our version is the result; nothing was written.
        case ours
        /// Their version is the result, and took the place of ours as it was.
        case theirs
        /// A new version was written that follows both.
        case merged
    }

    /// Merges two versions of the vault into the file `output`, which holds ours: another one than the vault itself, as
    /// git has one for a merge driver. It is neither locked nor kept.
    ///
    /// Their history is git's, so that generations are not compared; lists of members are.
    ///
    /// - Parameters:
    ///   - versions: What is merged.
    ///   - output: Where the result goes.
    ///   - members: Whose list of members is taken where both sides changed it. Only the vault's owner can settle that.
    ///   - body: Decides about the records.
    /// - Returns: What came of it.
    /// - Throws: ``VaultError``, or what `body` or ``Trust/confirm`` throws; the file is then as it was.
    public func merge(
        _ versions: MergeVersions, into output: FilePath, takingMembersOf members: VersionDifferences.Side? = nil,
        _ body: (inout VersionDifferences) throws -> Void
    ) throws -> MergeOutcome {
        let pin = try pin(of: versions.ours)
        let seen = try ratchet.state(of: pin.id)
        return try write(versions, pin, seen, output, members, body).outcome
    }

    /// Merges two versions, as git has them where it could not merge them itself, and puts the result in the place of the
    /// vault, under its lock.
    ///
    /// - Parameters:
    ///   - versions: Copies of the versions.
    ///   - members: Whose list of members is taken where both sides changed it.
    ///   - check: Gets the file that is to be replaced, and throws where it must not be.
    ///   - body: Decides about the records.
    /// - Returns: What came of it.
    /// - Throws: ``VaultError``, or what `check`, `body` or ``Trust/confirm`` throws; the vault is then as it was.
    public func settle(
        _ versions: MergeVersions, takingMembersOf members: VersionDifferences.Side? = nil,
        replacing check: (FilePath) throws -> Void, _ body: (inout VersionDifferences) throws -> Void
    ) throws -> Written<MergeOutcome> {
        let target = try DurableFile.target(of: path, for: .writing)
        let pin = try pin(of: versions.ours)
        return try VaultLock.hold(target) {
            DurableFile.removeRemains(of: target)
            try check(target)
            let seen = try ratchet.state(of: pin.id)
            let (outcome, version) = try write(versions, pin, seen, target, members, keepsBackup: true, body)
            if let version { return written(version, as: outcome) }
            let ours = try self.version(of: versions.ours)
            guard try self.version(of: target) != ours else {
                return Written(result: outcome, doubt: nil)
            }
            return written(try replace(target, by: versions.ours, ours, pin), as: outcome)
        }
    }

    /// Merges the version `theirs`, which a store has, into the vault, under its lock.
    ///
    /// - Parameters:
    ///   - theirs: A copy of that version.
    ///   - base: The version that store and vault last had in common; nil where that is not known.
    ///   - expected: The version that the vault has to have still.
    ///   - members: Whose list of members is taken where both sides changed it.
    ///   - body: Decides about the records.
    /// - Returns: What came of it; nil when the vault has another version than `expected` by now, and nothing was done.
    /// - Throws: ``VaultError``, or what `body` or ``Trust/confirm`` throws; the vault is then as it was.
    public func merge(
        _ theirs: FilePath, base: FilePath?, expecting expected: VaultVersion,
        takingMembersOf members: VersionDifferences.Side? = nil, _ body: (inout VersionDifferences) throws -> Void
    ) throws -> Written<MergeOutcome>? {
        let target = try DurableFile.target(of: path, for: .writing)
        let pin = try pin(of: path)
        return try VaultLock.hold(target) {
            DurableFile.removeRemains(of: target)
            let seen = try ratchet.state(of: pin.id)
            guard try read(target, pin, trust.acceptsOlder ? nil : seen, followsGit: false).version == expected else {
                return nil
            }
            let versions = MergeVersions(base: base, ours: target, theirs: theirs)
            let (outcome, version) = try write(
                versions, pin, seen, target, members, isShared: true, keepsBackup: true, body)
            return version.map { written($0, as: outcome) } ?? Written(result: outcome, doubt: nil)
        }
    }

    /// Puts a copy of the vault, as a store has it, in the place of the vault, under its lock, after checking all of it
    /// like a vault of unknown origin, and its freshness even where the vault's history is git's.
    ///
    /// - Parameters:
    ///   - copy: A file that nobody else changes.
    ///   - expected: The version that the vault has to have still; nil when there is none yet.
    /// - Returns: The version that is in place now; nil when the vault has another version than `expected` by now, and
    ///   nothing was done.
    /// - Throws: ``VaultError``, or what ``Trust/confirm`` throws; the vault is then as it was.
    public func adopt(_ copy: FilePath, expecting expected: VaultVersion?) throws -> Written<VaultVersion>? {
        let pin = try pin(of: copy)
        let target = try DurableFile.target(of: path, for: .writing)
        try DurableFile.createFolder(target.removingLastComponent())
        return try VaultLock.hold(target, purpose: expected == nil ? .creating : .locking) {
            DurableFile.removeRemains(of: target)
            let seen = trust.acceptsOlder ? nil : try ratchet.state(of: pin.id)
            let isThere = DurableFile.status(of: target) != nil
            guard isThere == (expected != nil) else { return nil }
            if let expected, try read(target, Pin(id: pin.id), nil, followsGit: true).version != expected { return nil }
            let reader = try read(copy, pin, seen, followsGit: false)
            _ = try reader.mapBlocks { _, _ in }
            let version = reader.version
            return written(try replace(target, by: copy, version, pin), as: version)
        }
    }

    /// The version of a file that is said to be this vault, of which ``look(at:)`` says what is checked.
    ///
    /// - Throws: ``VaultError``, or what ``Trust/confirm`` throws.
    public func version(of file: FilePath) throws -> VaultVersion {
        try look(at: file).version
    }

    /// Opens a file that is said to be a version of this vault, to look at it; signatures and pin are checked. Its
    /// freshness is neither checked nor remembered: the past is no attack when it is looked at.
    ///
    /// - Throws: ``VaultError``, or what ``Trust/confirm`` throws.
    public func look(at file: FilePath) throws -> VaultReader {
        try read(file, Pin(id: try pin(of: file).id), nil, followsGit: true)
    }

    /// Whether one of the identities may write, as a file that is said to be this vault has it.
    ///
    /// - Throws: ``VaultError``, or what ``Trust/confirm`` throws.
    public func mayWrite(_ file: FilePath) throws -> Bool {
        let reader = try look(at: file)
        let roster = reader.roster
        return identities.contains { roster.mayWrite($0.verificationKey) }
    }

    // MARK: - Merging

    /// Merges, and writes the result where it is not there already. The version is nil where nothing was written.
    ///
    /// Where `isShared`, both versions are out in the world, and a version has to come that all accept as later: then
    /// ours alone is never the result, and theirs only where it is later than what was seen here.
    private func write(
        _ versions: MergeVersions, _ pin: Pin, _ seen: Ratchet.State?, _ output: FilePath,
        _ members: VersionDifferences.Side?, isShared: Bool = false, keepsBackup: Bool = false,
        _ body: (inout VersionDifferences) throws -> Void
    ) throws -> (outcome: MergeOutcome, version: VaultWriter.Version?) {
        // Of an older list of members, too: what the pin asks for is asked of the one that is kept.
        let anyVersion = Pin(id: pin.id)
        let ours = try read(versions.ours, anyVersion, nil, followsGit: true)
        let theirs = try read(versions.theirs, anyVersion, nil, followsGit: true)
        var earlier: VaultVersion?
        let base = try base(versions.base, anyVersion, &earlier)
        let (our, their) = (ours.version, theirs.version)
        if isShared, let earlier, let objection = their.objection(after: earlier) {
            throw VaultError.older(path: versions.theirs.string, objection)
        }
        let isOlder = earlier.map { their.state.isOlder(than: $0.state) } ?? false
        // Whoever may push to a repository could have put it there. A revert is for somebody to say.
        if isOlder, members == .ours, !isShared { return (.ours, nil) }
        if isOlder, members != .theirs { throw VaultError.olderThanBase }
        let settled = try settleMembers(ours, theirs, members, pin, seen)
        let (theirPrevious, theirState) = (their.previous, their.state)
        var differences = VersionDifferences(base: base, ours: ours, theirs: theirs)
        try body(&differences)
        if settled.members == nil {
            let sameRoster = our.state.roster == their.state.roster
            if !isShared, settled.side == .ours || sameRoster, differences.equals(.ours) { return (.ours, nil) }
            // What is taken back on purpose becomes a version of its own, later than what it takes the place of.
            let isLater =
                isShared
                ? seen?.objection(to: theirState, previous: theirPrevious, followsGit: false) == nil : !isOlder
            if settled.side == .theirs || sameRoster, differences.equals(.theirs), isLater {
                let version = try replace(output, by: versions.theirs, their, pin, keepsBackup: keepsBackup)
                return (.theirs, version)
            }
        }
        var outcome = try differences.changes(to: settled.side)
        let succession = Succession(
            merging: our, their, seen: seen, countingOnFromSeen: isShared, members: settled.members,
            keeping: settled.side)
        let writer = VaultWriter(signer: try signer(in: outcome.reader.roster, for: succession))
        let version = try writer.write(
            outcome.changes, to: &outcome.reader, as: succession, path: output, keepsBackup: keepsBackup)
        return (.merged, version)
    }

    /// Whose list of members the result has, and the members of a new one where both sides changed it.
    private func settleMembers(
        _ ours: borrowing VaultReader, _ theirs: borrowing VaultReader, _ preference: VersionDifferences.Side?,
        _ pin: Pin, _ seen: Ratchet.State?
    ) throws -> (side: VersionDifferences.Side, members: [Member]?) {
        let (our, their) = (ours.state, theirs.state)
        var side: VersionDifferences.Side = their.rosterVersion > our.rosterVersion ? .theirs : .ours
        var members: [Member]?
        if our.rosterVersion == their.rosterVersion, our.roster != their.roster {
            let root = ours.roster.root
            guard let preference, identities.contains(where: { $0.verificationKey == root }) else {
                throw VaultError.membersConflict(version: our.rosterVersion)
            }
            side = preference
            members = side == .ours ? ours.members : theirs.members
        }
        let (keeps, state) = side == .ours ? (ours.roster, our) : (theirs.roster, their)
        try Self.checkWriter(of: ours, under: keeps)
        try Self.checkWriter(of: theirs, under: keeps)
        let path = side == .ours ? ours.path : theirs.path
        guard state.rosterVersion >= pin.minimumRosterVersion else {
            throw VaultError.belowPin(
                path: path.string, version: state.rosterVersion, minimum: pin.minimumRosterVersion,
                origin: trust.origin)
        }
        if members == nil, !trust.acceptsOlder,
            let objection = seen?.objection(to: state, previous: [], followsGit: true)
        {
            throw VaultError.older(path: path.string, objection)
        }
        return (side, members)
    }

    /// Refuses a version whose writer may not write any more: a merge would sign what they wrote.
    private static func checkWriter(of reader: borrowing VaultReader, under roster: Roster) throws(VaultError) {
        let key = reader.tail.manifest.by
        guard !roster.mayWrite(key) else { return }
        let label = reader.members.first { $0.key == key }?.label ?? "somebody"
        throw .writerRemoved(path: reader.path.string, label: label, version: roster.version)
    }

    /// The version that both sides came from, and which one that is; nil when it cannot be opened, as by who became a member since.
    private func base(_ path: FilePath?, _ pin: Pin, _ version: inout VaultVersion?) throws -> VaultReader? {
        guard let path else { return nil }
        do {
            let reader = try read(path, pin, nil, followsGit: true)
            version = reader.version
            return reader
        } catch VaultError.noMatch, VaultError.noMatchElsewhere {
            return nil
        }
    }

    // MARK: - Files

    /// Opens a file as the vault with the pin's id, and a roster of any version where `seen` is nil.
    private func read(
        _ file: FilePath, _ pin: Pin, _ seen: Ratchet.State?, followsGit: Bool
    ) throws -> VaultReader {
        let opened = try opened(file, hint: seen?.stanza ?? 0)
        return try opened.verify(pin: pin, origin: trust.origin, seen: seen, followsGit: followsGit)
    }

    /// Puts a copy of a file that was checked in the place of `target`.
    private func replace(
        _ target: FilePath, by copy: FilePath, _ version: VaultVersion, _ pin: Pin, keepsBackup: Bool = true
    ) throws -> VaultWriter.Version {
        let status = DurableFile.status(of: target)
        let mode = status.map { FilePermissions(rawValue: $0.st_mode & 0o777) } ?? [.ownerReadWrite]
        var doubt: VaultError?
        do throws(VaultError) {
            try DurableFile.write(
                target, backup: keepsBackup ? target.withSuffix(".bak") : nil, mode: mode, adopting: status == nil,
                making: .of(copy)
            ) { (descriptor) throws(VaultError) in
                if status != nil { VaultWriter.keepOwner(of: target, on: descriptor) }
                try DurableFile.copy(copy, to: descriptor, at: target)
            } check: { (temporary) throws(VaultError) in
                let written = try opened(temporary, hint: version.state.stanza)
                    .verify(pin: Pin(id: pin.id), seen: nil, followsGit: true)
                guard written.version == version else {
                    throw .notAsWritten(path: target.string, "the manifest is another one")
                }
            }
        } catch {
            guard case .durabilityUnknown = error else { throw error }
            doubt = error
        }
        return VaultWriter.Version(id: version.id, state: version.state, doubt: doubt)
    }
}
