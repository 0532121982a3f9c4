public import Sodium

private let wrappingInfo = Array("age-encryption.org/v1/X25519".utf8)

/// An age secret key, `AGE-SECRET-KEY-1…`.
public final class X25519Identity: Identity {
    private static let prefix: StaticString = "AGE-SECRET-KEY-"

    /// The first argument of a stanza that such an identity may open.
    package static let stanzaType = "X25519"

    private let secretKey: SecretBytes

    /// What others encrypt to.
    public let recipient: X25519Recipient

    /// The identity of a secret key of 32 bytes.
    public init(secretKey: consuming SecretBytes) {
        recipient = X25519Recipient(publicKey: X25519.publicKey(for: secretKey))
        self.secretKey = secretKey
    }

    /// A new identity.
    public convenience init() { self.init(secretKey: .random(count: X25519.keySize)) }

    /// The identity that `text` (`AGE-SECRET-KEY-1…`) stands for, or nil when it stands for none.
    public convenience init?(parsing text: Span<UInt8>) {
        var isKey = false
        let secretKey = SecretBytes(count: X25519.keySize) { output in
            isKey = Bech32.decode(text, prefix: Self.prefix, into: &output)
        }
        guard isKey else { return nil }
        self.init(secretKey: secretKey)
    }

    /// The identity as text, `AGE-SECRET-KEY-1…`.
    public func encoded() -> SecretBytes {
        secretKey.withBytes { Bech32.encodeSecret($0, prefix: Self.prefix) }
    }

    /// Derives another key of 32 bytes from the secret key's 32 bytes as they are, by HKDF-SHA-256 with an empty salt.
    public func deriveKey(info: Span<UInt8>) -> SecretBytes {
        HKDFSHA256.deriveKey(from: secretKey, salt: [UInt8]().span, info: info)
    }

    /// The file key of an X25519 stanza, or nil for a stanza of another type or recipient.
    public func unwrap(_ stanza: Stanza) throws(AgeError) -> FileKey? {
        guard stanza.type == Self.stanzaType else { return nil }
        guard stanza.arguments.count == 1,
            let share = Base64.decode(stanza.arguments[0], .standardUnpadded), share.count == X25519.keySize
        else { throw .header("an X25519 stanza whose share is not 32 bytes") }
        // The size comes first: a longer key could be made to decrypt under several identities.
        guard stanza.body.count == FileKey.wrappedSize else {
            throw .header("an X25519 stanza whose body is not 32 bytes")
        }
        let salt = share + recipient.publicKey
        var isLowOrder = false
        let fileKey = withScratch(X25519.keySize) { shared in
            isLowOrder = !X25519.computeSharedSecret(secretKey, with: share.span, into: &shared)
            return withScratch(ChaCha20Poly1305.keySize) { key in
                HKDFSHA256.deriveKey(into: &key, from: shared.span, salt: salt.span, info: wrappingInfo.span)
                return FileKey(unwrapping: stanza.body, with: key.span)
            }
        }
        guard !isLowOrder else { throw .header("an X25519 stanza whose share is a point of low order") }
        return fileKey
    }
}

/// An age public key, `age1…`.
public struct X25519Recipient: Recipient, Hashable, Sendable, CustomStringConvertible {
    private static let prefix: StaticString = "age"

    let publicKey: [UInt8]

    fileprivate init(publicKey: [UInt8]) { self.publicKey = publicKey }

    /// The recipient that `text` (`age1…`, in lower case) stands for, or nil when it stands for none, for a point of low
    /// order, which everybody could open, or for a number that is not below the field's prime.
    public init?(parsing text: String) {
        self.init(unchecked: text)
        guard isCanonical, X25519.sharedSecret(.random(count: X25519.keySize), with: publicKey.span) != nil else {
            return nil
        }
    }

    /// The recipient that `text` stands for, where somebody else has refused points of low order already.
    package init?(unchecked text: String) {
        var key = [UInt8](repeating: 0, count: X25519.keySize)
        var output = key.mutableSpan
        guard Bech32.decode(Array(text.utf8).span, prefix: Self.prefix, into: &output) else { return nil }
        publicKey = key
    }

    /// Whether the key is below the field's prime. Another spelling of the same point would be another recipient in a
    /// list.
    package var isCanonical: Bool { X25519.isCanonical(publicKey.span) }

    /// The recipient as text, `age1…`.
    public var description: String { Bech32.encode(publicKey.span, prefix: Self.prefix) }

    /// An X25519 stanza that wraps `fileKey`, with an ephemeral key of its own.
    public func wrap(_ fileKey: borrowing FileKey) -> Stanza {
        let ephemeral = SecretBytes.random(count: X25519.keySize)
        let share = X25519.publicKey(for: ephemeral)
        guard let shared = X25519.sharedSecret(ephemeral, with: publicKey.span) else {
            fatalError("a recipient of low order got past its check")
        }
        let salt = share + publicKey
        let key = HKDFSHA256.deriveKey(from: shared, salt: salt.span, info: wrappingInfo.span)
        return Stanza(
            type: X25519Identity.stanzaType, arguments: [Base64.encode(share.span, .standardUnpadded)],
            body: fileKey.wrapped(with: key))
    }
}
