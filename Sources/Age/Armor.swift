internal import Sodium

/// The text form of an age file: strict PEM with base64 lines of 64 columns.
public enum Armor {
    private static let begin = "-----BEGIN AGE ENCRYPTED FILE-----"
    private static let end = "-----END AGE ENCRYPTED FILE-----"

    /// Whether `bytes` begin, after white space, like an armored age file; other kinds of keys have armor of their own.
    static func isArmored(_ bytes: Span<UInt8>) -> Bool {
        guard let first = bytes.indices.first(where: { !isWhitespace(bytes[$0]) }) else { return false }
        return bytes.extracting(droppingFirst: first).hasPrefix("-----BEGIN AGE")
    }

    /// The age file that stands in `text`.
    ///
    /// - Throws: ``AgeError/armor(_:)``.
    public static func decode(_ text: [UInt8]) throws(AgeError) -> [UInt8] {
        guard let first = text.firstIndex(where: { !isWhitespace($0) }),
            let last = text.lastIndex(where: { !isWhitespace($0) })
        else { throw .armor("it is empty") }
        var lines = text[first...last].split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for index in lines.indices.dropLast() where lines[index].last == UInt8(ascii: "\r") {
            lines[index].removeLast()
        }
        guard lines.count >= 2, lines.removeFirst().elementsEqual(begin.utf8) else {
            throw .armor("the first line is not \(begin)")
        }
        guard lines.removeLast().elementsEqual(end.utf8) else { throw .armor("the last line is not \(end)") }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(lines.count * 48)
        for (index, line) in lines.enumerated() {
            let isLast = index == lines.count - 1
            guard isLast ? (1...64).contains(line.count) : line.count == 64,
                let part = Base64.decode(Array(line)), isLast || part.count == 48
            else { throw .armor("line \(index + 2) is not 64 columns of base64") }
            bytes += part
        }
        return bytes
    }

    private static func isWhitespace(_ byte: UInt8) -> Bool {
        [UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"), UInt8(ascii: "\n")].contains(byte)
    }
}
