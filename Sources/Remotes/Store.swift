/// Where the newest version of a vault is kept for many machines: what another kind of store has to be able to do.
///
/// Nothing that a store says is believed: what it hands over is checked like a file of unknown origin, and all that it can
/// do is to be there or not. The methods block, and are called from one thread at a time.
public protocol Store: AnyObject {
    /// Whether versions can only be read, as from a web server.
    var isReadOnly: Bool { get }

    /// Limits how long all that is asked from here on may take together, so that a store that answers a little at a time
    /// holds nobody up. What is done between requests does not count. At the start there is no such limit.
    ///
    /// - Parameter seconds: How long; then it is as if the store could not be reached. Nil for any time.
    func limit(seconds: Int?)

    /// What the store has now.
    ///
    /// - Parameter tag: That of the version that is known here already.
    /// - Returns: ``HeadAnswer/unchanged`` when that is still the one.
    /// - Throws: ``StoreError``.
    func readHead(unless tag: String?) throws(StoreError) -> HeadAnswer

    /// Writes the bytes of a version, the whole vault file, to an open file, from its start.
    ///
    /// - Parameters:
    ///   - head: What ``readHead(unless:)`` or ``compareAndSwap(_:with:)`` said last.
    ///   - descriptor: An empty file, open for writing. After an error there may be something in it.
    /// - Throws: ``StoreError``; ``StoreError/vanished`` when the version was replaced meanwhile, and the head is to be
    ///   read again.
    func read(_ head: StoredHead, into descriptor: Int32) throws(StoreError)

    /// Makes `version` the newest one, unless another one than that of `tag` is that now.
    ///
    /// A store whose answer was lost finds out what came of it before it returns or throws.
    ///
    /// - Parameters:
    ///   - tag: That of the version that is to be replaced; nil when there has to be none.
    ///   - version: What takes its place.
    /// - Returns: What came of it.
    /// - Throws: ``StoreError``.
    func compareAndSwap(_ tag: String?, with version: NewVersion) throws(StoreError) -> SwapAnswer

    /// Waits until there may be another version than that of `tag`.
    ///
    /// - Parameters:
    ///   - tag: That of the version that is known here; nil when there is none.
    ///   - seconds: How long to wait at most.
    ///   - goesOn: Is asked about once a second; false ends the wait.
    /// - Returns: Whether it is worth to read the head again.
    /// - Throws: ``StoreError``.
    func waitForChange(of tag: String?, seconds: Int, while goesOn: () -> Bool) throws(StoreError) -> Bool
}

/// The newest version in a store, in its own words, which nobody has checked.
public struct StoredHead: Sendable, Equatable {
    /// What is another one for each version: etcd's revision of the head with the key of the version, or a web server's
    /// entity tag.
    public let tag: String
    /// The hash of the version's manifest as `VaultVersion.manifest` has it, where the store knows it.
    public let manifest: String?
    /// The size of the vault file in bytes, where the store knows it.
    public let byteCount: Int?

    /// What a store has.
    public init(tag: String, manifest: String? = nil, byteCount: Int? = nil) {
        self.tag = tag
        self.manifest = manifest
        self.byteCount = byteCount
    }
}

/// What a store has now.
public enum HeadAnswer: Sendable, Equatable {
    /// The version that was known already.
    case unchanged
    /// Nothing yet.
    case absent
    /// Another version.
    case head(StoredHead)
}

/// A version for a store to keep.
public struct NewVersion: Sendable {
    /// The hash of its manifest, in hexadecimal: what its parts are kept under.
    public let key: String
    /// The same as `VaultVersion.manifest` has it.
    public let manifest: String
    /// The whole vault file.
    public let path: String

    /// A version.
    public init(key: String, manifest: String, path: String) {
        self.key = key
        self.manifest = manifest
        self.path = path
    }
}

/// What came of swapping versions.
public enum SwapAnswer: Sendable, Equatable {
    /// The new version is in place, with this tag.
    case swapped(tag: String)
    /// Somebody else was faster; nil when there is nothing any more.
    case moved(StoredHead?)
}

/// Why a store could not do what was asked. The texts hold no secret, and are fit to be shown: what a server said is not
/// among them.
public enum StoreError: Error, Equatable {
    /// Nobody answers, or not in time, or with an error of its own. The text says how.
    case unreachable(String)
    /// The store does not let this machine do it: credentials are missing or wrong, or the server's certificate is not
    /// trusted. The text says which.
    case notAllowed(String)
    /// What it answered makes no sense: it is none of the kind, or lies.
    case malformed(String)
    /// What was to be read is not kept any more: newer versions have taken its place. The head has to be read again.
    case vanished
    /// The version is larger than the store takes. The text says how much that is.
    case tooLarge(String)
    /// A setting makes no sense. The text says which.
    case setting(String)
    /// This machine could not do its part: there is no curl, or no space. The text says what.
    case system(String)
}

/// What holds for all stores.
public enum StoreLimits {
    /// The largest version in bytes, 256 MiB: ten times what a vault with 100,000 tokens has. It bounds what a store that
    /// lies can make a machine take.
    public static let maximumByteCount = 256 << 20
}
