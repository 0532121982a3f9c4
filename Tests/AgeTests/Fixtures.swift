import Age
import Sodium
import TestSupport
import Testing

/// `count` bytes in which no two chunks are alike.
func pattern(_ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: $0 &+ $0 >> 8 &+ $0 >> 16) }
}

/// The identity that `text` stands for.
func identity(_ text: String) throws -> X25519Identity {
    let identity = X25519Identity(parsing: Array(text.utf8).span)
    return try #require(identity)
}

/// A passphrase to open files with.
func passphrase(_ text: String, maximumWorkFactor: Int = 20) -> ScryptIdentity {
    ScryptIdentity(passphrase: SecretBytes(Array(text.utf8)), maximumWorkFactor: maximumWorkFactor)
}

/// What `file` contains.
func decrypt(_ file: [UInt8], with identities: [any Identity]) throws(AgeError) -> [UInt8] {
    try AgeFile.decrypt(file, with: identities).bytes
}

/// Whether `file` is an encrypted identity file; for the macros of the tests, which cannot hold spans.
func isEncrypted(_ file: [UInt8]) -> Bool { IdentityFile.isEncrypted(file.span) }

/// `file` in the text form, for which there is a reader only.
func armored(_ file: [UInt8], lineEnd: String = "\n") -> [UInt8] {
    let text = Base64.encode(file.span)
    let lines = stride(from: 0, to: text.count, by: 64).map { text[$0..<min($0 + 64, text.count)] }
    let begin = Array("-----BEGIN AGE ENCRYPTED FILE-----".utf8)
    let end = Array("-----END AGE ENCRYPTED FILE-----".utf8)
    return ([begin] + lines.map(Array.init) + [end]).flatMap { $0 + lineEnd.utf8 }
}
