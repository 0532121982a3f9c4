internal import Sodium

/// A secret that goes with a request, as the line of curl's config that says it. It is shared by reference, never copied.
final class HTTPSecret {
    /// The line.
    let line: SecretBytes

    /// The header `Authorization` with that value.
    init(authorization value: Span<UInt8>) throws(StoreError) {
        line = try Self.line("header = \"Authorization: ", value, what: "the store's token")
    }

    /// A user with a password, for basic authentication.
    init(user: String, password: borrowing SecretBytes) throws(StoreError) {
        guard !user.utf8.contains(UInt8(ascii: ":")) else {
            throw .setting("a user name for a web server has no colon in it")
        }
        var text = SecretBuffer()
        text.append(Array(user.utf8).span)
        text.append(":")
        password.withBytes { text.append($0) }
        line = try text.withBytes { bytes throws(StoreError) in
            try Self.line("user = \"", bytes, what: "the user name or the password")
        }
    }

    private static func line(_ option: StaticString, _ value: Span<UInt8>, what: String) throws(StoreError)
        -> SecretBytes
    {
        var line = SecretBuffer()
        line.append(option)
        for index in value.indices {
            // A line end would begin another option, or another header.
            guard value[index] >= 0x20, value[index] != 0x7f else {
                throw .setting("\(what) has a control character in it")
            }
            if value[index] == UInt8(ascii: "\"") || value[index] == UInt8(ascii: "\\") { line.append("\\") }
            line.append(value.extracting(index..<index + 1))
        }
        line.append("\"\n")
        return line.finish()
    }
}
