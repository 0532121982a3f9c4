internal import CSodium

/// The password hash scrypt (RFC 7914) with r = 8 and p = 1.
public enum Scrypt {
    /// The memory for the hash could not be had.
    public struct OutOfMemory: Error {
        /// 128 · 8 · 2^workFactor bytes.
        public let bytes: Int
    }

    /// Derives a key of 32 bytes. Takes 1 KiB of memory times 2^`workFactor`, and about a second at 18.
    ///
    /// - Parameters:
    ///   - passphrase: Of any size.
    ///   - salt: Of any size.
    ///   - workFactor: log2 of N, from 1 to 30.
    /// - Returns: The key.
    /// - Throws: ``OutOfMemory``.
    public static func deriveKey(
        passphrase: borrowing SecretBytes, salt: Span<UInt8>, workFactor: Int
    ) throws(OutOfMemory) -> SecretBytes {
        precondition((1...30).contains(workFactor))
        var key = SecretBytes(zeros: 32)
        let secret = unsafe passphrase.address
        let size = passphrase.count
        let status = key.withMutableBytes { output in
            unsafe output.withAddress { output in
                unsafe salt.withAddress {
                    unsafe crypto_pwhash_scryptsalsa208sha256_ll(
                        secret, size, $0, salt.count, UInt64(1) << UInt64(workFactor), 8, 1, output, 32)
                }
            }
        }
        guard status == 0 else { throw OutOfMemory(bytes: 1024 << workFactor) }
        return key
    }
}
