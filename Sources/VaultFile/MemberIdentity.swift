public import Age

/// The key of a member: it opens what is encrypted to them, and signs in their name.
///
/// The secret may be in this process, as that of an `X25519Identity` is, or with an agent that never gives it away.
public protocol MemberIdentity: Identity {
    /// What the vault is encrypted to.
    var recipient: X25519Recipient { get }

    /// What verifies the member's signatures.
    var verificationKey: VerificationKey { get }

    /// Whether the secret is with somebody else, as an agent.
    var isElsewhere: Bool { get }

    /// The Ed25519 signature, 64 bytes, of a roster's or a manifest's text.
    ///
    /// - Throws: ``VaultError/noAnswer(_:)`` when the secret is elsewhere, and nobody there answers.
    func signature(for text: String) throws(VaultError) -> [UInt8]
}

extension X25519Identity: MemberIdentity {
    /// False: the secret is in this process.
    public var isElsewhere: Bool { false }

    /// What verifies the signatures of the key that is derived from this identity.
    public var verificationKey: VerificationKey { SigningKey(of: self).verificationKey }

    /// The signature of the key that is derived from this identity; never fails.
    public func signature(for text: String) throws(VaultError) -> [UInt8] { SigningKey(of: self).sign(text).signature }
}

extension MemberIdentity {
    /// A text with this member's signature.
    ///
    /// - Throws: ``VaultError/noAnswer(_:)``, also when the signature is not one of this member.
    func sign(_ text: String) throws(VaultError) -> Signed {
        let signed = Signed(text: text, by: verificationKey, signature: try signature(for: text))
        guard signed.isValid else { throw .noAnswer("what was signed elsewhere does not have the right signature") }
        return signed
    }
}

/// The texts that members sign.
package enum VaultText {
    /// Whether `text` is a roster or a manifest as the format has them: what a key that is used for others may sign.
    package static func isWellFormed(_ text: String) -> Bool {
        Roster(text: text) != nil || Manifest(text: text) != nil
    }
}
