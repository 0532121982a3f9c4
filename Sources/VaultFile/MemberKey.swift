public import Age

/// The key of a member: it opens what is encrypted to them, and signs in their name.
///
/// The secret may be in this process, as that of an `X25519Identity` is, or with an agent that never gives it away.
public protocol MemberKey: Identity {
    /// What the vault is encrypted to.
    var recipient: X25519Recipient { get }

    /// What verifies the member's signatures.
    var verificationKey: VerificationKey { get }

    /// The Ed25519 signature, 64 bytes, of a roster's or a manifest's text.
    ///
    /// - Throws: ``VaultError/noAnswer(_:)`` when the secret is elsewhere, and nobody there answers.
    func signature(for text: String) throws(VaultError) -> [UInt8]
}

extension X25519Identity: MemberKey {
    /// What verifies the signatures of the key that is derived from this identity.
    public var verificationKey: VerificationKey { SigningKey(of: self).verificationKey }

    /// The signature of the key that is derived from this identity; never fails.
    public func signature(for text: String) throws(VaultError) -> [UInt8] { SigningKey(of: self).sign(text).signature }
}

extension MemberKey {
    /// A text with this member's signature.
    func sign(_ text: String) throws(VaultError) -> Signed {
        Signed(text: text, by: verificationKey, signature: try signature(for: text))
    }
}

/// The texts that members sign.
public enum VaultText {
    /// Whether `text` is a roster or a manifest as the format has them: what a key that is used for others may sign.
    public static func isWellFormed(_ text: String) -> Bool {
        Roster(text: text) != nil || Manifest(text: text) != nil
    }
}
