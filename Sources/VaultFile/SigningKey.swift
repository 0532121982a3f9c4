public import Age
internal import Sodium

/// The key that a member signs with, derived from the member's age identity, so that there is no second key to keep.
public struct SigningKey: ~Copyable, Sendable {
    private let key: Ed25519.SigningKey

    /// The signing key of `identity`.
    public init(of identity: X25519Identity) {
        key = Ed25519.SigningKey(seed: identity.deriveKey(info: Array("vault/v1 signing key".utf8).span))
    }

    /// What verifies its signatures.
    public var verificationKey: VerificationKey { VerificationKey(bytes: key.publicKey) }

    func sign(_ text: String) -> Signed {
        Signed(text: text, by: verificationKey, signature: key.signature(for: Array(text.utf8).span))
    }
}

/// The public half of a signing key, `vaultkey1…`: the verifier that a writer hands to the owner.
public struct VerificationKey: Hashable, Sendable, CustomStringConvertible {
    private static let prefix: StaticString = "vaultkey"
    let bytes: [UInt8]

    init(bytes: [UInt8]) { self.bytes = bytes }

    /// The key that `text` stands for, or nil when it stands for none.
    public init?(_ text: some StringProtocol) {
        var bytes = [UInt8](repeating: 0, count: Ed25519.publicKeySize)
        var output = bytes.mutableSpan
        guard Bech32.decode(Array(text.utf8).span, prefix: Self.prefix, into: &output) else { return nil }
        self.bytes = bytes
    }

    /// Whether signatures can be verified with it at all: not with every 32 bytes.
    public var canVerify: Bool { Ed25519.isValidPublicKey(bytes.span) }

    /// `vaultkey1…`
    public var description: String { Bech32.encode(bytes.span, prefix: Self.prefix) }
}

/// A text with a signature, as roster and manifest stand in the file.
struct Signed: Sendable, Equatable {
    let text: String
    let by: VerificationKey
    let signature: [UInt8]

    var isValid: Bool { Ed25519.isValid(signature.span, for: Array(text.utf8).span, publicKey: by.bytes.span) }
}
