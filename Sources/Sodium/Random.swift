internal import CSodium

/// The system's random source.
public enum Random {
    /// `count` random bytes that are no secret: nonces, salts, ids.
    public static func bytes(_ count: Int) -> [UInt8] {
        Library.initialize()
        return unsafe [UInt8](count: count) { unsafe randombytes_buf($0, count) }
    }
}
