internal import CSodium

/// The system's random source.
public enum Random {
    /// What ends the program when the system gives no random bytes, for which libsodium has no error. Set once, before
    /// anything else of this module is used.
    nonisolated(unsafe) public static var unavailable: () -> Never = { fatalError("the system gives no random bytes") }

    /// `count` random bytes that are no secret: nonces, salts, ids.
    public static func bytes(_ count: Int) -> [UInt8] {
        Library.initialize()
        return unsafe [UInt8](count: count) { unsafe randombytes_buf($0, count) }
    }
}
