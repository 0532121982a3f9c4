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
        var shared = SecretBytes(zeros: keySize)
        guard shared.withMutableBytes({ computeSharedSecret(secretKey, with: publicKey, into: &$0) }) else {
            return nil
        }
        return shared
    }

    /// Whether a public key is below the prime 2^255 - 19, as computed ones are (RFC 7748, section 5).
    package static func isCanonical(_ publicKey: Span<UInt8>) -> Bool {
        guard publicKey.count == keySize, publicKey[31] <= 0x7f else { return false }
        let isHighest = publicKey[31] == 0x7f && (1..<31).allSatisfy { publicKey[$0] == 0xff }
        return !isHighest || publicKey[0] < 0xed
    }

    /// Computes the shared secret into bytes that are there; false when it would be zero.
    package static func computeSharedSecret(
        _ secretKey: borrowing SecretBytes, with publicKey: Span<UInt8>, into output: inout MutableSpan<UInt8>
    ) -> Bool {
        precondition(secretKey.count == keySize && publicKey.count == keySize && output.count == keySize)
        let secret = unsafe secretKey.address
        return unsafe output.withAddress { output in
            unsafe publicKey.withAddress { unsafe crypto_scalarmult(output, secret, $0) == 0 }
        }
    }
}
