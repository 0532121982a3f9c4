internal import Sodium

/// The key of one age file: 16 bytes, new for each file, from which all others are derived.
public struct FileKey: ~Copyable, Sendable {
    static let size = 16

    let bytes: SecretBytes

    /// A new key.
    public init() { bytes = .random(count: FileKey.size) }

    /// The key that stands wrapped in `body` under `wrappingKey`, or nil when it was wrapped under another one.
    init?(unwrapping body: [UInt8], with wrappingKey: Span<UInt8>) {
        var isOpen = false
        let opened = SecretBytes(count: FileKey.size) { output in
            isOpen = ChaCha20Poly1305.open(body.span, nonce: .init(repeating: 0), key: wrappingKey, into: &output)
        }
        guard isOpen else { return nil }
        bytes = opened
    }

    /// The key of these 16 bytes, as an agent gives it; nil when there is another number of them.
    package init?(copying bytes: Span<UInt8>) {
        guard bytes.count == FileKey.size else { return nil }
        self.bytes = SecretBytes(copying: bytes)
    }

    /// Lends the 16 bytes.
    package func withBytes<R>(_ body: (Span<UInt8>) -> R) -> R { bytes.withBytes(body) }

    /// 32 bytes. The nonce is zero, because a wrapping key is used once.
    func wrapped(with wrappingKey: borrowing SecretBytes) -> [UInt8] {
        var body = [UInt8](repeating: 0, count: FileKey.wrappedSize)
        var output = body.mutableSpan
        bytes.withBytes { ChaCha20Poly1305.seal($0, nonce: .init(repeating: 0), key: wrappingKey, into: &output) }
        return body
    }

    static let wrappedSize = size + ChaCha20Poly1305.tagSize

    func headerMAC(of header: Span<UInt8>) -> [UInt8] {
        withHeaderKey { HMACSHA256.authenticationCode(for: header, key: $0) }
    }

    func isValid(_ mac: [UInt8], for header: Span<UInt8>) -> Bool {
        withHeaderKey { HMACSHA256.isValid(mac.span, for: header, key: $0) }
    }

    private func withHeaderKey<R>(_ body: (Span<UInt8>) -> R) -> R {
        withScratch(HMACSHA256.codeSize) { key in
            bytes.withBytes {
                HKDFSHA256.deriveKey(into: &key, from: $0, salt: [UInt8]().span, info: Array("header".utf8).span)
            }
            return body(key.span)
        }
    }

    /// The key of the payload whose nonce is `nonce`.
    func payloadKey(nonce: Span<UInt8>) -> SecretBytes {
        HKDFSHA256.deriveKey(from: bytes, salt: nonce, info: Array("payload".utf8).span)
    }
}
