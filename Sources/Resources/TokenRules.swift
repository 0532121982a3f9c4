internal import Sodium

/// What a token may be.
public enum TokenRules {
    /// 8 bytes: fewer could not be masked without masking half of everything.
    public static let minimumSize = 8
    /// 16 KiB, as JSON.
    public static let maximumSize = 16_384

    static let tooLong = ResourceError.invalid(
        "the token has more than the \(maximumSize) bytes that a token can have")

    /// Checks a token against the headers that it will stand in.
    ///
    /// - Throws: ``ResourceError/invalid(_:_:)``, which never holds any of the token.
    public static func check(_ bytes: Span<UInt8>, for headers: [HeaderTemplate]) throws(ResourceError) {
        if bytes.isEmpty { throw .invalid("the token is empty") }
        guard bytes.count >= minimumSize else {
            throw .invalid("the token has \(bytes.count) bytes, and \(minimumSize) is the least")
        }
        try checkCharacters(bytes)
        guard escapedCount(bytes) <= maximumSize else { throw tooLong }
        guard !headers.contains(where: \.isBearer) || isB64Token(bytes) else {
            if bytes[0] == UInt8(ascii: " ") || bytes[bytes.count - 1] == UInt8(ascii: " ") {
                throw .invalid("the token has a space at its beginning or end; leave it out")
            }
            if ["Bearer ", "bearer ", "BEARER "].contains(where: { bytes.hasPrefix($0) }) {
                throw .invalid("the token begins with \"Bearer\", which the header has already; leave it out")
            }
            throw .invalid(
                "the token has characters that \"Authorization: Bearer\" does not allow (RFC 6750)", .otherHeader)
        }
    }

    /// Checks that bytes are text without control characters.
    ///
    /// - Throws: ``ResourceError/invalid(_:_:)``, which never holds any of the token.
    static func checkCharacters(_ bytes: Span<UInt8>) throws(ResourceError) {
        for index in bytes.indices where bytes[index] < 0x20 || bytes[index] == 0x7f {
            if bytes[index] == UInt8(ascii: "\n") || bytes[index] == UInt8(ascii: "\r") {
                throw .invalid("the token has a line break in it, which no header can carry")
            }
            throw .invalid("the token has a control character in it, which no header can carry")
        }
        guard bytes.isUTF8 else { throw .invalid("the token is not text in UTF-8") }
        // U+0080 to U+009F, which terminals take for the start of a sequence.
        for index in bytes.indices where bytes[index] == 0xc2 && bytes[index + 1] < 0xa0 {
            throw .invalid("the token has a control character in it, which no header can carry")
        }
    }

    private static func escapedCount(_ bytes: Span<UInt8>) -> Int {
        var count = bytes.count
        for index in bytes.indices where bytes[index] == UInt8(ascii: "\"") || bytes[index] == UInt8(ascii: "\\") {
            count += 1
        }
        return count
    }

    /// RFC 6750, 2.1: letters, digits and `-._~+/`, then any number of `=`.
    private static func isB64Token(_ bytes: Span<UInt8>) -> Bool {
        var end = bytes.count
        while end > 0, bytes[end - 1] == UInt8(ascii: "=") { end -= 1 }
        guard end > 0 else { return false }
        for index in 0..<end {
            let byte = bytes[index]
            guard byte.isNameCharacter || [0x2b, 0x2d, 0x2e, 0x2f, 0x7e].contains(byte) else { return false }
        }
        return true
    }
}

extension Span<UInt8> {
    /// Whether a byte is one that would end a header, a line or a string before its end.
    package var hasControlByte: Bool {
        for index in indices where self[index] < 0x20 || self[index] == 0x7f { return true }
        return false
    }

    /// Whether the bytes are UTF-8, found out without making a `String` of them.
    var isUTF8: Bool { (try? UTF8Span(validating: self)) != nil }
}
