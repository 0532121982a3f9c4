internal import Sodium

/// One recipient's part of a header: a type, arguments, and a body that wraps the file key.
public struct Stanza: Sendable, Equatable {
    /// The first argument, such as `X25519`.
    public let type: String
    /// The arguments behind the type: visible ASCII.
    public let arguments: [[UInt8]]
    /// The body, decoded.
    public let body: [UInt8]

    /// A stanza of these parts.
    package init(type: String, arguments: [[UInt8]], body: [UInt8]) {
        self.type = type
        self.arguments = arguments
        self.body = body
    }

    /// Appends the stanza as a header has it: lines of 64 columns, the last one shorter.
    func write(to text: inout [UInt8]) {
        text += "-> \(type)".utf8
        for argument in arguments { text += " ".utf8 + argument }
        text += "\n".utf8
        let encoded = Base64.encode(body.span, .standardUnpadded)
        for start in stride(from: 0, through: encoded.count, by: 64) {
            text += encoded[start..<min(start + 64, encoded.count)] + "\n".utf8
        }
    }
}

/// Something that can open stanzas: a secret key or a passphrase.
public protocol Identity: AnyObject, Sendable {
    /// The file key that `stanza` wraps, or nil when the stanza is not for this identity.
    ///
    /// - Throws: ``AgeError/header(_:)`` when the stanza breaks the rules of its type,
    ///   ``AgeError/workFactor(_:limit:)``, ``AgeError/outOfMemory(bytes:)``, ``AgeError/noAnswer(_:)``.
    func unwrap(_ stanza: Stanza) throws(AgeError) -> FileKey?

    /// The file key of the first of `stanzas` that is for this identity, or nil when none is: for an identity that is
    /// better asked once for all of them.
    ///
    /// - Throws: As ``unwrap(_:)`` does.
    func unwrap(firstOf stanzas: [Stanza]) throws(AgeError) -> UnwrappedKey?
}

extension Identity {
    /// Tries one stanza after the other.
    public func unwrap(firstOf stanzas: [Stanza]) throws(AgeError) -> UnwrappedKey? {
        for (index, stanza) in stanzas.enumerated() {
            if let key = try unwrap(stanza) { return UnwrappedKey(fileKey: key, stanza: index) }
        }
        return nil
    }
}

/// Something that a file key can be wrapped for.
public protocol Recipient: Sendable {
    /// A stanza that wraps `fileKey`, different each time.
    func wrap(_ fileKey: borrowing FileKey) -> Stanza
}
