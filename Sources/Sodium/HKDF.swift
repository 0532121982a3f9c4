internal import CSodium

/// Key derivation with HMAC-SHA-256 (RFC 5869), which libsodium 1.0.18 does not bring.
public enum HKDFSHA256 {
    /// Derives `count` bytes from `keyMaterial`.
    ///
    /// - Parameters:
    ///   - keyMaterial: The input key.
    ///   - salt: Any size; empty stands for 32 zero bytes, as the RFC has it.
    ///   - info: What the key is for.
    ///   - count: The size in bytes, at most 255 times 32.
    /// - Returns: The derived key.
    public static func deriveKey(
        from keyMaterial: borrowing SecretBytes, salt: Span<UInt8>, info: Span<UInt8>, count: Int = 32
    ) -> SecretBytes {
        let size = HMACSHA256.codeSize
        precondition(count <= 255 * size)
        // The pseudorandom key, and behind it the last block: both wiped below.
        return unsafe withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 2 * size) { scratch in
            unsafe scratch.initialize(repeating: 0)
            guard let key = scratch.baseAddress else { fatalError("an allocation without an address") }
            let block = unsafe key + size
            defer { unsafe sodium_memzero(key, 2 * size) }
            unsafe HMACSHA256.compute(key: salt, into: key) { state in
                keyMaterial.withBytes { state.update($0) }
            }
            return SecretBytes(count: count) { output in
                for offset in stride(from: 0, to: count, by: size) {
                    unsafe HMACSHA256.compute(key: Span(_unsafeStart: key, count: size), into: block) { state in
                        if offset > 0 { unsafe state.update(Span(_unsafeStart: block, count: size)) }
                        state.update(info)
                        var counter = UInt8(offset / size + 1)
                        unsafe crypto_auth_hmacsha256_update(&state, &counter, 1)
                    }
                    for index in 0..<min(size, count - offset) { output[offset + index] = unsafe block[index] }
                }
            }
        }
    }
}
