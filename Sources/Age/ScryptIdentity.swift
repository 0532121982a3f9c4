public import Sodium

private let wrappingLabel = Array("age-encryption.org/v1/scrypt".utf8)
private let saltSize = 16

/// A passphrase that opens a file.
public final class ScryptIdentity: Identity {
    /// The first argument of a passphrase's stanza.
    public static let stanzaType = "scrypt"

    /// The highest work factor that is taken without being asked for: 1 GiB of memory, and seconds.
    public static let defaultMaximumWorkFactor = 20

    private let passphrase: SecretBytes
    private let maximumWorkFactor: Int

    /// An identity that takes work factors up to `maximumWorkFactor`, at most 30.
    public init(passphrase: consuming SecretBytes, maximumWorkFactor: Int = defaultMaximumWorkFactor) {
        self.passphrase = passphrase
        self.maximumWorkFactor = min(maximumWorkFactor, 30)
    }

    /// The file key of a passphrase's stanza, or nil for a stanza of another type or passphrase. Takes 2^(work factor + 10)
    /// bytes of memory.
    public func unwrap(_ stanza: Stanza) throws(AgeError) -> FileKey? {
        guard stanza.type == Self.stanzaType else { return nil }
        guard stanza.arguments.count == 2,
            let salt = Base64.decode(stanza.arguments[0], .standardUnpadded), salt.count == saltSize
        else { throw .header("a passphrase stanza whose salt is not 16 bytes") }
        guard let workFactor = Self.workFactor(stanza.arguments[1]) else {
            throw .header("a passphrase stanza whose work factor is not a number")
        }
        guard stanza.body.count == FileKey.wrappedSize else {
            throw .header("a passphrase stanza whose body is not 32 bytes")
        }
        guard workFactor <= maximumWorkFactor else { throw .workFactor(workFactor, limit: maximumWorkFactor) }
        let key = try wrappingKey(passphrase, salt: salt, workFactor: workFactor)
        return key.withBytes { FileKey(unwrapping: stanza.body, with: $0) }
    }

    /// A decimal number above zero without leading zeros or signs; anything longer than it can be is "too high".
    static func workFactor(_ text: [UInt8]) -> Int? {
        guard let first = text.first, (UInt8(ascii: "1")...UInt8(ascii: "9")).contains(first),
            text.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) })
        else { return nil }
        return Int(String(decoding: text, as: UTF8.self)) ?? .max
    }
}

/// A passphrase that a file is written for. It is then the file's only recipient.
public struct ScryptRecipient: ~Copyable {
    /// What new files are written with: 256 MiB of memory, and about a second.
    public static let defaultWorkFactor = 18

    private let passphrase: SecretBytes
    private let workFactor: Int

    /// A recipient with a work factor from 1 to 30.
    public init(passphrase: consuming SecretBytes, workFactor: Int = defaultWorkFactor) {
        self.passphrase = passphrase
        self.workFactor = workFactor
    }

    /// A stanza that wraps `fileKey`, different each time.
    ///
    /// - Throws: ``AgeError/outOfMemory(bytes:)``.
    func wrap(_ fileKey: borrowing FileKey) throws(AgeError) -> Stanza {
        let salt = Random.bytes(saltSize)
        let key = try wrappingKey(passphrase, salt: salt, workFactor: workFactor)
        return Stanza(
            type: ScryptIdentity.stanzaType,
            arguments: [Base64.encode(salt.span, .standardUnpadded), Array(String(workFactor).utf8)],
            body: fileKey.wrapped(with: key))
    }
}

private func wrappingKey(
    _ passphrase: borrowing SecretBytes, salt: [UInt8], workFactor: Int
) throws(AgeError) -> SecretBytes {
    let labelled = wrappingLabel + salt
    do {
        return try Scrypt.deriveKey(passphrase: passphrase, salt: labelled.span, workFactor: workFactor)
    } catch {
        throw .outOfMemory(bytes: error.bytes)
    }
}
