internal import Glibc
public import Resources
internal import SystemPackage
public import VaultFile

/// Brings a vault and its store together. What comes from the store is checked like a vault of unknown origin, and takes
/// the place of the vault as a write would: as a whole, under the lock.
public final class Synchronizer {
    /// What came of looking into the store.
    public enum Pulled: Sendable {
        /// Nothing that is not here already.
        case nothing
        /// There is nothing in the store yet.
        case empty
        /// The store's version took the place of the vault's.
        case adopted
        /// Both were merged; the result is here, and not in the store yet.
        case merged(RecordMerge)
    }

    /// What came of bringing the vault to the store.
    public enum Pushed: Sendable {
        /// The store has what is here, and had it before.
        case nothing
        /// The store had a later version, which took the place of the vault's.
        case adopted
        /// The store has what is here. What was merged with it on the way, if something was.
        case pushed(RecordMerge?)
    }

    /// How vault and store stand to each other.
    public enum Relation: String, Sendable {
        /// Both have the same.
        case inStep = "in step"
        /// The vault has changes that the store has not.
        case ahead
        /// The store has changes that the vault has not.
        case behind
        /// Each has changes that the other one has not.
        case diverged
        /// There is nothing in the store.
        case empty
    }

    /// How often something is tried again while others are faster.
    private static let attempts = 30
    /// The longest pause between two attempts, in microseconds; the first one is a fortieth of it.
    private static let longestPause = 400_000

    private let vault: Vault
    private let store: any Store
    private let name: String
    private let state: RemoteState
    private let preference: RecordMerge.Preference?
    private var memory: RemoteState.Memory?

    /// A vault, which need not exist yet, and its store.
    ///
    /// - Parameters:
    ///   - vault: The vault.
    ///   - store: The store.
    ///   - name: What the store is called in errors.
    ///   - state: What is known of it.
    ///   - preference: Who is right where both sides changed the same; nil for an error that names it.
    public init(
        _ vault: Vault, _ store: any Store, name: String, state: RemoteState,
        preferring preference: RecordMerge.Preference?
    ) {
        self.vault = vault
        self.store = store
        self.name = name
        self.state = state
        self.preference = preference
    }

    // MARK: - Looking

    /// Brings to the vault what the store has.
    ///
    /// - Returns: What came of it.
    /// - Throws: ``StoreError``, ``RemoteError``, or `VaultError`; the vault is then as it was.
    public func pull() throws -> Pulled {
        for attempt in 0..<Self.attempts {
            pause(attempt)
            recall()
            // Where the vault is gone, what was known of the store is of no use.
            let isThere = DurableFile.status(of: vault.path) != nil
            switch try store.readHead(unless: isThere ? memory?.common?.tag : nil) {
            case .unchanged:
                remember(memory?.common)
                return .nothing
            case .absent:
                // What both had stays what a merge begins from, should the store show something again.
                remember(memory?.common?.withoutTag)
                return .empty
            case .head(let head):
                if let pulled = try take(head) { return pulled }
            }
        }
        throw RemoteError.busy
    }

    /// Asks the store how it stands to the vault. Neither is changed; what the store has is read where it has to be.
    ///
    /// - Throws: ``StoreError``, ``RemoteError``, or `VaultError`.
    public func relation() throws -> Relation {
        for attempt in 0..<Self.attempts {
            pause(attempt)
            recall()
            let local = try local()
            switch try store.readHead(unless: memory?.common?.tag) {
            case .unchanged:
                remember(memory?.common)
                guard let local else { return .behind }
                return isCommon(local.version) ? .inStep : .ahead
            case .absent: return .empty
            case .head(let head):
                guard let local else { return .behind }
                if let relation = try relation(of: local.version, to: head) { return relation }
            }
        }
        throw RemoteError.busy
    }

    /// How a version stands to the store's; nil when that is gone.
    private func relation(of ours: VaultVersion, to head: StoredHead) throws -> Relation? {
        if let manifest = head.manifest {
            if manifest == ours.manifest { return .inStep }
            if isCommon(ours) { return .behind }
        }
        guard let file = try download(head) else { return nil }
        let theirs = try refusing(file) { try vault.version(of: file.path) }
        if theirs == ours { return .inStep }
        if isCommon(theirs) || ours.follows(theirs) { return .ahead }
        return isCommon(ours) || theirs.follows(ours) ? .behind : .diverged
    }

    /// Whether the vault has changes that have not been brought to the store, as far as is known.
    ///
    /// - Throws: `VaultError`.
    public func hasOwnChanges() throws -> Bool {
        recall()
        guard let local = try local() else { return false }
        return !isCommon(local.version)
    }

    /// Waits until there may be something new in the store.
    ///
    /// - Parameters:
    ///   - seconds: How long to wait at most.
    ///   - goesOn: Is asked about once a second; false ends the wait.
    /// - Returns: Whether there may be.
    /// - Throws: ``StoreError``.
    public func waitForChange(seconds: Int, while goesOn: () -> Bool) throws(StoreError) -> Bool {
        recall()
        return try store.waitForChange(of: memory?.common?.tag, seconds: seconds, while: goesOn)
    }

    // MARK: - Bringing

    /// Brings the vault to the store. What others have brought there meanwhile is merged first.
    ///
    /// - Parameter replacesOlder: Whether the vault takes the place of a version that is older than one seen here, as of
    ///   a store that was restored from a backup.
    /// - Returns: What came of it.
    /// - Throws: ``StoreError``, ``RemoteError``, or `VaultError`.
    public func push(replacingOlder replacesOlder: Bool = false) throws -> Pushed {
        guard !store.isReadOnly else { throw RemoteError.readOnly }
        // What no command here would take, others are not to get.
        if !replacesOlder { _ = try vault.open() }
        recall()
        try refuseOlder()
        var merged: RecordMerge?
        // What the store has to have, and whether that is certain to be no other one than what is here.
        var (expected, replaces) = (memory?.common?.tag, false)
        for attempt in 0..<Self.attempts {
            guard let local = try local() else { throw VaultError.noSuchFile(vault.path.string) }
            var moved: StoredHead?
            if !replaces, let common = memory?.common, local.version.manifest == common.manifest {
                switch try store.readHead(unless: common.tag) {
                case .unchanged:
                    remember(common)
                    return .nothing
                case .absent: break
                case .head(let head): moved = head
                }
            } else {
                let version = NewVersion(
                    key: local.version.key, manifest: local.version.manifest, path: local.file.path.string)
                switch try store.compareAndSwap(expected, with: version) {
                case .swapped(let tag):
                    remember(tag, local.version, local.file)
                    return .pushed(merged)
                case .moved(let head): moved = head
                }
            }
            // The pause comes first: what is read behind it is merged and brought there at once.
            if attempt > 0, moved != nil {
                pause(attempt)
                moved = try newestHead()
            }
            guard let moved else {
                // There is nothing any more, as after the loss of all of the store.
                (expected, replaces) = (nil, true)
                continue
            }
            do {
                switch try take(moved) {
                case .adopted: return .adopted
                case .nothing where isCommon(local.version): return .nothing
                case .merged(let merge): merged = merge
                case .nothing, .empty, nil: break
                }
                (expected, replaces) = (memory?.common?.tag, false)
            } catch RemoteError.refused(.older) where replacesOlder {
                (expected, replaces) = (moved.tag, true)
            }
        }
        throw RemoteError.busy
    }

    /// What the store has now; nil when that is nothing.
    private func newestHead() throws(StoreError) -> StoredHead? {
        guard case .head(let head) = try store.readHead(unless: nil) else { return nil }
        return head
    }

    /// Refuses a vault that is older than what it had in common with the store, as git may have checked out.
    private func refuseOlder() throws {
        guard let base = memory?.common?.base, let local = try local() else { return }
        let earlier: VaultVersion
        do {
            earlier = try vault.version(of: base.path)
        } catch VaultError.otherVault {
            // A new vault was made of this one. It has nothing in common with the store, which has the old one.
            memory?.common = nil
            return
        } catch is VaultError { return }
        if let objection = local.version.objection(after: earlier) {
            throw VaultError.older(path: vault.path.string, objection)
        }
    }

    // MARK: - Versions

    /// A version of the vault, in a file that stays as it is.
    private struct Copy {
        let file: OpenedFile
        let version: VaultVersion
    }

    /// What is here now; nil when there is no vault.
    private func local() throws -> Copy? {
        guard let file = OpenedFile(reading: vault.path) else {
            if errno == ENOENT || errno == ENOTDIR { return nil }
            throw VaultError.system(operation: .opening, path: vault.path.string, errno: errno)
        }
        do {
            return Copy(file: file, version: try vault.version(of: file.path))
        } catch let error as VaultError {
            throw error.renaming(file.path.string, to: vault.path.string)
        }
    }

    /// Takes what the store has, as far as it is new.
    ///
    /// - Returns: What came of it; nil when vault or store changed meanwhile, and nothing was done.
    private func take(_ head: StoredHead) throws -> Pulled? {
        let local = try local()
        // The store's word is enough where both had this already. What is here alone would count as known to the store,
        // and be replaced by what comes next, without ever having been there.
        if let local, isCommon(local.version), let manifest = head.manifest, manifest == local.version.manifest {
            remember(head.tag, local.version, local.file)
            return .nothing
        }
        guard let file = try download(head) else { return nil }
        return try refusing(file) {
            let theirs = Copy(file: file, version: try vault.version(of: file.path))
            guard head.manifest == nil || head.manifest == theirs.version.manifest else {
                throw StoreError.malformed("the version that it has is another one than it says")
            }
            guard let local else { return try adopt(theirs, nil, head) }
            // Where it is known what both had, a version that is neither of them and comes before ours is an old one.
            let isBefore = !isCommon(local.version) && local.version.follows(theirs.version)
            if theirs.version == local.version || isBefore || isCommon(theirs.version) {
                remember(head.tag, theirs.version, theirs.version == local.version ? local.file : file)
                return .nothing
            }
            let hasOwnChanges = !isCommon(local.version) && !theirs.version.follows(local.version)
            if hasOwnChanges, try vault.mayWrite(local.file.path) { return try merge(theirs, local, head) }
            return try adopt(theirs, local, head)
        }
    }

    private func isCommon(_ version: VaultVersion) -> Bool {
        memory?.common.map { $0.manifest == version.manifest } ?? false
    }

    /// The store's version; nil when it is gone.
    private func download(_ head: StoredHead) throws -> OpenedFile? {
        if let size = head.byteCount, size > StoreLimits.maximumByteCount {
            throw StoreError.malformed("the version is said to have \(size >> 20) MiB, more than a vault has")
        }
        let folder = DurableFile.target(of: vault.path).folder
        try DurableFile.createFolder(folder)
        let file = try OpenedFile(in: folder)
        do throws(StoreError) {
            try store.read(head, into: file.descriptor)
            return file
        } catch .vanished {
            return nil
        }
    }

    private func adopt(_ theirs: Copy, _ local: Copy?, _ head: StoredHead) throws -> Pulled? {
        guard let written = try vault.adopt(theirs.file.path, expecting: local?.version) else { return nil }
        // The vault's own file can be kept by another name, which takes no space.
        let here = try? self.local()
        remember(head.tag, theirs.version, here?.version == theirs.version ? here?.file : theirs.file)
        try written.confirm()
        return .adopted
    }

    private func merge(_ theirs: Copy, _ local: Copy, _ head: StoredHead) throws -> Pulled? {
        let base = memory?.common?.base.flatMap { base in
            (try? vault.version(of: base.path)).flatMap { isCommon($0) ? base.path : nil }
        }
        var merge = RecordMerge(preferring: preference)
        let written = try vault.merge(
            theirs.file.path, base: base, expecting: local.version, takingMembersOf: preference?.side
        ) { differences in
            try differences.resolve { name, base, ours, theirs in
                try merge.merge(name, base: base, ours: ours, theirs: theirs)
            }
            if !merge.conflicts.isEmpty { throw RemoteError.conflicts(merge.conflicts) }
        }
        guard let written else { return nil }
        // What is in common is theirs: the result is not in the store yet.
        remember(head.tag, theirs.version, theirs.file)
        try written.confirm()
        if case .merged = written.result { return .merged(merge) }
        return .adopted
    }

    /// Says of an error that it is about the store's version, where it is.
    private func refusing<R>(_ file: OpenedFile, _ body: () throws -> R) throws -> R {
        do {
            return try body()
        } catch let error as VaultError {
            switch error {
            case .noMatch, .noMatchElsewhere: throw RemoteError.refused(error)
            default:
                guard error.path == file.path.string else { throw error }
                throw RemoteError.refused(error.renaming(file.path.string, to: name))
            }
        }
    }

    // MARK: - Memory

    /// Reads what is known, which others may have changed, where it can be written down at all.
    private func recall() {
        guard let loaded = state.load() else { return }
        if let known = memory?.checked, loaded.checked.map({ known > $0 }) ?? true { return }
        memory = loaded
    }

    private func remember(_ tag: String, _ version: VaultVersion, _ file: OpenedFile?) {
        remember(RemoteState.Common(tag: tag, manifest: version.manifest, base: file))
    }

    private func remember(_ common: RemoteState.Common?) {
        let memory = RemoteState.Memory(checked: .now, failed: nil, common: common)
        self.memory = memory
        state.save(memory)
    }

    private func pause(_ attempt: Int) {
        guard attempt > 0 else { return }
        let longest = min(Self.longestPause, (Self.longestPause / 40) << min(attempt, 10))
        usleep(UInt32.random(in: 10_000...UInt32(longest)))
    }
}
