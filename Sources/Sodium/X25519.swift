internal import CSodium

/// Diffie-Hellman over Curve25519 (RFC 7748).
public enum X25519 {
    /// 32 bytes, of a secret key, a public key, and a shared secret.
    public static let keySize = 32

    /// The public key of `secretKey`, which need not be clamped.
    public static func publicKey(for secretKey: borrowing SecretBytes) -> [UInt8] {
        precondition(secretKey.count == keySize)
        let secret = unsafe secretKey.address
        return unsafe [UInt8](count: keySize) { unsafe crypto_scalarmult_base($0, secret) }
    }

    /// The shared secret, or nil when it would be zero because `publicKey` is a point of low order (RFC 7748, 6.1).
    public static func sharedSecret(_ secretKey: borrowing SecretBytes, with publicKey: Span<UInt8>) -> SecretBytes? {
        precondition(secretKey.count == keySize && publicKey.count == keySize)
        let secret = unsafe secretKey.address
        var shared = SecretBytes(zeros: keySize)
        let status = shared.withMutableBytes { output in
            unsafe output.withAddress { output in
                unsafe publicKey.withAddress { unsafe crypto_scalarmult(output, secret, $0) }
            }
        }
        guard status == 0 else { return nil }
        return shared
    }
}
