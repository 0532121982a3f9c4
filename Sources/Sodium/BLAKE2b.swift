internal import CSodium

/// The hash BLAKE2b (RFC 7693) with 32 bytes of output and a personalisation that separates its uses.
public enum BLAKE2b {
    /// 32 bytes.
    public static let hashSize = 32

    /// The hash of `bytes`.
    ///
    /// - Parameters:
    ///   - bytes: What is hashed.
    ///   - personalization: At most 16 ASCII bytes, padded with zeros; empty means none.
    /// - Returns: 32 bytes.
    public static func hash(_ bytes: Span<UInt8>, personalization: StaticString) -> [UInt8] {
        let none: [UInt8] = []
        return hash(bytes, key: none.span, personalization: personalization)
    }

    /// The hash of `bytes` under a key, without which nobody can tell what they may have been.
    ///
    /// - Parameters:
    ///   - bytes: What is hashed.
    ///   - key: 32 random bytes.
    ///   - personalization: As above.
    /// - Returns: 32 bytes.
    public static func hash(
        _ bytes: Span<UInt8>, key: borrowing SecretBytes, personalization: StaticString
    ) -> [UInt8] {
        key.withBytes { hash(bytes, key: $0, personalization: personalization) }
    }

    private static func hash(_ bytes: Span<UInt8>, key: Span<UInt8>, personalization: StaticString) -> [UInt8] {
        precondition(personalization.utf8CodeUnitCount <= 16)
        var padded = [UInt8](repeating: 0, count: 16)
        personalization.withUTF8Buffer { text in
            for index in 0..<text.count { padded[index] = unsafe text[index] }
        }
        return unsafe [UInt8](count: hashSize) { output in
            unsafe bytes.withAddress { address in
                unsafe key.withAddress { keyAddress in
                    _ = unsafe crypto_generichash_blake2b_salt_personal(
                        output, hashSize, address, UInt64(bytes.count), keyAddress, key.count, nil, padded)
                }
            }
        }
    }
}
