public import Sodium

/// A file of secret keys: lines of `AGE-SECRET-KEY-1…`, comments that begin with `#`, and empty lines; or that text in
/// an age file that a passphrase opens, binary or armored.
public enum IdentityFile {
    /// 1 MiB, for the file.
    public static let maximumSize = 1 << 20

    /// Why an identity file could not be used, besides ``AgeError``.
    public enum Malformed: Error, Equatable {
        /// The line of that number, from 1, is neither a key nor a comment.
        case line(Int)
        /// There is no key in it.
        case noKey
    }

    /// The keys of a file, and its comments.
    public struct Contents: Sendable {
        /// In the order of the file.
        public let identities: [X25519Identity]
        /// Of the comments that were asked for, what stands behind their prefix, without the white space around.
        public let comments: [String]
    }

    /// Whether `file` is encrypted, so that a passphrase is needed to read it.
    public static func isEncrypted(_ file: Span<UInt8>) -> Bool {
        file.hasPrefix("age-encryption.org/") || Armor.isArmored(file)
    }

    /// The work factor that makes guesses at an encrypted file's passphrase slow, as its header has it; nil when that
    /// has none.
    public static func workFactor(of file: [UInt8]) -> Int? {
        guard let file = try? Armor.isArmored(file.span) ? Armor.decode(file) : file,
            let stanza = try? Header(readingFrom: file).stanzas.first, stanza.type == ScryptIdentity.stanzaType,
            stanza.arguments.count == 2
        else { return nil }
        return ScryptIdentity.workFactor(stanza.arguments[1])
    }

    /// Decrypts an encrypted identity file.
    ///
    /// - Throws: ``AgeError``; ``AgeError/noMatch`` means a wrong passphrase.
    public static func decrypt(_ file: [UInt8], with passphrase: ScryptIdentity) throws(AgeError) -> SecretBytes {
        try AgeFile.decrypt(Armor.isArmored(file.span) ? Armor.decode(file) : file, with: [passphrase])
    }

    /// Reads the text of an identity file.
    ///
    /// - Parameters:
    ///   - text: The text.
    ///   - prefix: What a comment begins with, behind its `#`, to be taken. No other one leaves guarded memory: it may
    ///     be a key that somebody has taken out of use.
    /// - Returns: The keys, and those comments.
    /// - Throws: ``Malformed``.
    public static func parse(_ text: Span<UInt8>, commentsAfter prefix: StaticString) throws(Malformed) -> Contents {
        var identities: [X25519Identity] = []
        var comments: [String] = []
        var number = 0
        var start = 0
        while start < text.count {
            number += 1
            let end = (start..<text.count).first { text[$0] == UInt8(ascii: "\n") } ?? text.count
            var line = text.extracting(start..<end)
            if line.count > 0, line[line.count - 1] == UInt8(ascii: "\r") { line = line.extracting(droppingLast: 1) }
            start = end + 1
            if line.isEmpty { continue }
            if line[0] == UInt8(ascii: "#") {
                let comment = line.extracting(trimmedRange(line, from: 0))
                if comment.hasPrefix(prefix) {
                    let value = trimmedRange(comment, from: prefix.utf8CodeUnitCount)
                    comments.append(comment.extracting(value).text)
                }
            } else if let identity = X25519Identity(parsing: line) {
                identities.append(identity)
            } else {
                throw .line(number)
            }
        }
        guard !identities.isEmpty else { throw .noKey }
        return Contents(identities: identities, comments: comments)
    }

    /// What stands from `start` on, without any `#` in front, and without the spaces and tabs around.
    private static func trimmedRange(_ line: Span<UInt8>, from start: Int) -> Range<Int> {
        var (start, end) = (start, line.count)
        while start < end, line[start] == UInt8(ascii: "#") { start += 1 }
        while start < end, line[start] == UInt8(ascii: " ") || line[start] == UInt8(ascii: "\t") { start += 1 }
        while end > start, line[end - 1] == UInt8(ascii: " ") || line[end - 1] == UInt8(ascii: "\t") { end -= 1 }
        return start..<end
    }
}
