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
        SecretBytes(count: count) { output in
            keyMaterial.withBytes { deriveKey(into: &output, from: $0, salt: salt, info: info) }
        }
    }

    /// Derives as above, into bytes that are there.
    package static func deriveKey(
        into output: inout MutableSpan<UInt8>, from keyMaterial: Span<UInt8>, salt: Span<UInt8>, info: Span<UInt8>
    ) {
        let size = HMACSHA256.codeSize
        precondition(output.count <= 255 * size)
        withScratch(size) { key in
            unsafe key.withAddress { unsafe HMACSHA256.compute(key: salt, into: $0) { $0.update(keyMaterial) } }
            withScratch(size) { block in
                for offset in stride(from: 0, to: output.count, by: size) {
                    withScratch(size) { next in
                        unsafe next.withAddress { next in
                            unsafe HMACSHA256.compute(key: key.span, into: next) { state in
                                if offset > 0 { state.update(block.span) }
                                state.update(info)
                                var counter = UInt8(offset / size + 1)
                                unsafe crypto_auth_hmacsha256_update(&state, &counter, 1)
                            }
                        }
                        for index in 0..<size { block[index] = next[index] }
                    }
                    for index in 0..<min(size, output.count - offset) { output[offset + index] = block[index] }
                }
            }
        }
    }
}
