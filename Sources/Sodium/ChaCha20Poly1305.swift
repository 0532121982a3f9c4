internal import CSodium

/// The AEAD ChaCha20-Poly1305 with a 96-bit nonce (RFC 8439).
public enum ChaCha20Poly1305 {
    /// 32 bytes.
    public static let keySize = 32
    /// 16 bytes, at the end of every ciphertext.
    public static let tagSize = 16

    /// A nonce: 12 bytes, never used twice under one key.
    public typealias Nonce = InlineArray<12, UInt8>

    /// A tag: what proves that a ciphertext is genuine.
    public typealias Tag = InlineArray<16, UInt8>

    /// Encrypts `plaintext` into `ciphertext`, which is 16 bytes longer.
    public static func seal(
        _ plaintext: Span<UInt8>, nonce: Nonce, key: borrowing SecretBytes, into ciphertext: inout MutableSpan<UInt8>
    ) {
        precondition(key.count == keySize && ciphertext.count == plaintext.count + tagSize)
        let key = unsafe key.address
        unsafe ciphertext.withAddress { output in
            unsafe plaintext.withAddress { input in
                unsafe nonce.span.withAddress { nonce in
                    _ = unsafe crypto_aead_chacha20poly1305_ietf_encrypt(
                        output, nil, input, UInt64(plaintext.count), nil, 0, nil, nonce, key)
                }
            }
        }
    }

    /// Decrypts `bytes` in place, with the tag that stood behind them.
    ///
    /// - Returns: False, with zeros in `bytes`, when the tag does not fit.
    public static func open(
        inPlace bytes: inout MutableSpan<UInt8>, tag: Tag, nonce: Nonce, key: borrowing SecretBytes
    ) -> Bool {
        precondition(key.count == keySize)
        let key = unsafe key.address
        let count = UInt64(bytes.count)
        return unsafe bytes.withAddress { bytes in
            unsafe tag.span.withAddress { tag in
                unsafe nonce.span.withAddress { nonce in
                    unsafe crypto_aead_chacha20poly1305_ietf_decrypt_detached(
                        bytes, nil, bytes, count, tag, nil, 0, nonce, key) == 0
                }
            }
        }
    }

    /// Decrypts `ciphertext` into `plaintext`, which is 16 bytes shorter, with a key that is wiped after this one use and
    /// has no region of its own.
    ///
    /// - Returns: False, with nothing of use in `plaintext`, when the tag does not fit.
    package static func open(
        _ ciphertext: Span<UInt8>, nonce: Nonce, key: Span<UInt8>, into plaintext: inout MutableSpan<UInt8>
    ) -> Bool {
        precondition(key.count == keySize && plaintext.count + tagSize == ciphertext.count)
        return unsafe plaintext.withAddress { output in
            unsafe ciphertext.withAddress { input in
                unsafe nonce.span.withAddress { nonce in
                    unsafe key.withAddress { key in
                        unsafe crypto_aead_chacha20poly1305_ietf_decrypt(
                            output, nil, nil, input, UInt64(ciphertext.count), nil, 0, nonce, key) == 0
                    }
                }
            }
        }
    }
}
