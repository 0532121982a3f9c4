internal import CSodium

/// HMAC with SHA-256 (RFC 2104).
public enum HMACSHA256 {
    /// 32 bytes.
    public static let codeSize = 32

    /// The authentication code of `message` under a key of any size, which has no region of its own.
    package static func authenticationCode(for message: Span<UInt8>, key: Span<UInt8>) -> [UInt8] {
        unsafe [UInt8](count: codeSize) { output in
            unsafe compute(key: key, into: output) { $0.update(message) }
        }
    }

    /// Whether `code` is the authentication code of `message`, compared in constant time.
    package static func isValid(_ code: Span<UInt8>, for message: Span<UInt8>, key: Span<UInt8>) -> Bool {
        guard code.count == codeSize else { return false }
        let expected = authenticationCode(for: message, key: key)
        return unsafe expected.span.withAddress { expected in
            unsafe code.withAddress { unsafe sodium_memcmp(expected, $0, codeSize) == 0 }
        }
    }

    /// One computation: `absorb` feeds it, the code goes to `output`, and the state is wiped.
    static func compute(
        key: Span<UInt8>, into output: UnsafeMutablePointer<UInt8>,
        _ absorb: (inout crypto_auth_hmacsha256_state) -> Void
    ) {
        var state = crypto_auth_hmacsha256_state()
        unsafe key.withAddress { _ = unsafe crypto_auth_hmacsha256_init(&state, $0, key.count) }
        absorb(&state)
        unsafe crypto_auth_hmacsha256_final(&state, output)
        unsafe sodium_memzero(&state, MemoryLayout<crypto_auth_hmacsha256_state>.size)
    }
}

extension crypto_auth_hmacsha256_state {
    mutating func update(_ bytes: Span<UInt8>) {
        unsafe bytes.withAddress { _ = unsafe crypto_auth_hmacsha256_update(&self, $0, UInt64(bytes.count)) }
    }
}
