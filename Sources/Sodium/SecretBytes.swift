internal import CSodium
internal import Synchronization

/// Bytes that are a secret, in guarded memory.
///
/// The region stands between two inaccessible pages, is locked against swapping where the limits of the process allow
/// it, is left out of core files, and is wiped when the value ends. It cannot be copied by accident, and compares in
/// constant time. A region costs at least one page of locked memory, and some system calls: keep few.
@safe
public struct SecretBytes: ~Copyable, @unchecked Sendable {
    private let base: UnsafeMutablePointer<UInt8>

    /// The number of bytes.
    public let count: Int

    /// A region of `count` bytes, all zero.
    ///
    /// - Parameter count: The size in bytes; zero is allowed.
    public init(zeros count: Int) {
        precondition(count >= 0)
        Library.initialize()
        guard let region = unsafe GuardedMemory.allocate(count) else {
            unsafe SecretMemory.exhausted(count)
        }
        unsafe base = region.base
        self.count = count
        if unsafe !region.isLocked { SecretMemory.noteUnlocked() }
    }

    /// A region of `count` bytes that `fill` writes.
    public init<E: Error>(
        count: Int, _ fill: (inout MutableSpan<UInt8>) throws(E) -> Void
    ) throws(E) {
        self.init(zeros: count)
        try withMutableBytes(fill)
    }

    /// A copy of `bytes`, which stay the caller's to wipe.
    public init(copying bytes: Span<UInt8>) {
        self.init(zeros: bytes.count)
        unsafe bytes.withAddress { unsafe base.update(from: $0, count: bytes.count) }
    }

    /// `count` bytes from the system's random source.
    public static func random(count: Int) -> SecretBytes {
        let secret = SecretBytes(zeros: count)
        unsafe randombytes_buf(secret.base, count)
        return secret
    }

    deinit { unsafe GuardedMemory.free(base, count) }

    /// The address of the first byte, for as long as the value lives.
    @unsafe var address: UnsafePointer<UInt8> { unsafe UnsafePointer(base) }

    /// Lends the bytes.
    public borrowing func withBytes<R: ~Copyable, E: Error>(
        _ body: (Span<UInt8>) throws(E) -> R
    ) throws(E) -> R {
        try body(unsafe Span(_unsafeStart: base, count: count))
    }

    /// Lends the bytes for writing.
    public mutating func withMutableBytes<R: ~Copyable, E: Error>(
        _ body: (inout MutableSpan<UInt8>) throws(E) -> R
    ) throws(E) -> R {
        var span = unsafe MutableSpan(_unsafeStart: base, count: count)
        return try body(&span)
    }

    /// Whether two secrets are the same, in time that depends on their sizes only.
    public borrowing func isEqual(to other: borrowing SecretBytes) -> Bool {
        count == other.count && (unsafe sodium_memcmp(base, other.base, count)) == 0
    }
}

/// What became of the wish to keep secrets out of swap.
public enum SecretMemory {
    private static let unlocked = Atomic(false)

    /// What ends the program when there is no memory for a region of so many bytes. Set once, before the first region.
    nonisolated(unsafe) public static var exhausted: (Int) -> Never = { bytes in
        fatalError("out of memory: \(bytes) bytes of guarded memory")
    }

    /// False once a region could not be locked (see `RLIMIT_MEMLOCK`): its content might reach swap.
    public static var isLocked: Bool { !unlocked.load(ordering: .relaxed) }

    /// Overwrites all secrets of this process with zeros: for a fork that lives on and has no use for them.
    public static func overwriteAll() { GuardedMemory.overwriteAll() }

    fileprivate static func noteUnlocked() { unlocked.store(true, ordering: .relaxed) }
}

/// libsodium itself.
enum Library {
    private static let ready: Void = {
        // Its other uses are limits on sizes that nothing here comes near.
        sodium_set_misuse_handler { unsafe Random.unavailable() }
        guard sodium_init() >= 0 else { fatalError("libsodium could not be initialized") }
    }()

    /// Must have run before anything else of libsodium is called; costs nothing after the first time.
    static func initialize() { ready }
}
