internal import CSodium

/// Signatures over Edwards25519 (RFC 8032).
public enum Ed25519 {
    /// 32 bytes.
    public static let seedSize = 32
    /// 32 bytes.
    public static let publicKeySize = 32
    /// 64 bytes.
    public static let signatureSize = 64

    /// A key that signs.
    public struct SigningKey: ~Copyable, Sendable {
        private let secretKey: SecretBytes

        /// The key that verifies: 32 bytes.
        public let publicKey: [UInt8]

        /// The key of a seed of 32 bytes.
        public init(seed: borrowing SecretBytes) {
            precondition(seed.count == seedSize)
            let seed = unsafe seed.address
            var publicKey = [UInt8](repeating: 0, count: publicKeySize)
            secretKey = SecretBytes(count: 64) { secret in
                unsafe secret.withAddress { _ = unsafe crypto_sign_seed_keypair(&publicKey, $0, seed) }
            }
            self.publicKey = publicKey
        }

        /// The signature of `message`: 64 bytes, the same each time.
        public borrowing func signature(for message: Span<UInt8>) -> [UInt8] {
            let secret = unsafe secretKey.address
            return unsafe [UInt8](count: signatureSize) { output in
                unsafe message.withAddress {
                    _ = unsafe crypto_sign_detached(output, nil, $0, UInt64(message.count), secret)
                }
            }
        }
    }

    /// Whether a public key is a point of the main subgroup, so that signatures can be its owner's alone.
    package static func isValidPublicKey(_ publicKey: Span<UInt8>) -> Bool {
        guard publicKey.count == publicKeySize else { return false }
        return unsafe publicKey.withAddress { unsafe crypto_core_ed25519_is_valid_point($0) == 1 }
    }

    /// Whether `signature` is one of `message` by the owner of `publicKey`. Keys of small order never verify.
    public static func isValid(_ signature: Span<UInt8>, for message: Span<UInt8>, publicKey: Span<UInt8>) -> Bool {
        guard signature.count == signatureSize, publicKey.count == publicKeySize else { return false }
        return unsafe signature.withAddress { signature in
            unsafe publicKey.withAddress { publicKey in
                unsafe message.withAddress {
                    unsafe crypto_sign_verify_detached(signature, $0, UInt64(message.count), publicKey) == 0
                }
            }
        }
    }
}
