import Resources
import Testing

@Suite struct TokenRulesTests {
    private static let custom = ["X-Api-Key: {{token}}"]
    private static let bearer = ["Authorization: Bearer {{token}}"]

    private func check(_ token: [UInt8], for headers: [String]) throws {
        try TokenRules.check(token.span, for: headers.map { text in try HeaderTemplate(text) })
    }

    private func message(_ token: [UInt8], for headers: [String] = custom) throws -> String {
        let error = #expect(throws: ResourceError.self) { try check(token, for: headers) }
        guard case .invalid(let message, _) = try #require(error) else { return "" }
        return message
    }

    // MARK: - Size

    @Test(arguments: [8, 9, 100, 16_383, 16_384])
    func `A token has 8 bytes to 16 KiB`(count: Int) throws {
        try check([UInt8](repeating: UInt8(ascii: "a"), count: count), for: Self.bearer)
    }

    @Test func `An empty token is refused`() throws {
        #expect(try message([]) == "the token is empty")
    }

    @Test(arguments: 1...7)
    func `A token that is too short to be masked is refused`(count: Int) throws {
        #expect(
            try message([UInt8](repeating: UInt8(ascii: "a"), count: count))
                == "the token has \(count) bytes, and 8 is the least")
    }

    @Test(arguments: [16_385, 20_000, 1 << 20])
    func `A token that is too long is refused`(count: Int) throws {
        #expect(
            try message([UInt8](repeating: UInt8(ascii: "a"), count: count))
                == "the token has more than the 16384 bytes that a token can have")
    }

    @Test(arguments: ["\"", "\\"])
    func `The size is that of the token as JSON`(escaped: Character) throws {
        let text = String(repeating: escaped, count: 8192)
        try check(Array(text.utf8), for: Self.custom)
        #expect(try message(Array((text + "a").utf8)).hasPrefix("the token has more than"))
        try check(Array((String(repeating: escaped, count: 8191) + "aa").utf8), for: Self.custom)
    }

    // MARK: - Characters

    @Test(arguments: ["secret-token\n", "secret-token\r", "secret\ntoken", "\r\nsecret-token", "secret-token\r\n"])
    func `A line break has a message of its own`(token: String) throws {
        for headers in [Self.custom, Self.bearer, []] {
            #expect(
                try message(Array(token.utf8), for: headers)
                    == "the token has a line break in it, which no header can carry")
        }
    }

    @Test(arguments: Array(UInt8(0)...0x1f) + [0x7f])
    func `A control character is refused for any header`(character: UInt8) throws {
        for headers in [Self.custom, Self.bearer, []] {
            let message = try message(Array("secret".utf8) + [character] + Array("token".utf8), for: headers)
            #expect(message.hasSuffix("in it, which no header can carry"))
        }
    }

    @Test(arguments: ["\u{80}", "\u{85}", "\u{9b}", "\u{9f}"])
    func `So is a control character of two bytes`(character: Character) throws {
        #expect(
            try message(Array("secret\(character)token".utf8))
                == "the token has a control character in it, which no header can carry")
        try check(Array("secret\u{a0}token".utf8), for: Self.custom)
    }

    @Test(
        arguments: [
            [0xff], [0x80], [0xc3], [0xc0, 0xaf], [0xed, 0xa0, 0x80], [0xf5, 0x80, 0x80, 0x80], [0xe2, 0x82], [0xc2],
        ] as [[UInt8]])
    func `A token that is no UTF-8 is refused`(bytes: [UInt8]) throws {
        #expect(try message(Array("secret-token".utf8) + bytes) == "the token is not text in UTF-8")
    }

    @Test(arguments: [
        "abcdefgh", "ABCXYZ09", "a-._~+/z", "abcdefg=", "abcdef==", "a=======", "eyJhbGciOiJIUzI1NiJ9.e30.c2ln",
        "ghp_0123456789abcdefABCDEF", "a____________", "abcdefgh===========",
    ])
    func `A bearer token is a b64token`(token: String) throws {
        try check(Array(token.utf8), for: Self.bearer)
    }

    @Test(arguments: [
        (" abcdefgh", "a space at its beginning or end; leave it out"),
        ("abcdefgh ", "a space at its beginning or end; leave it out"),
        ("Bearer abcdefgh", "\"Bearer\", which the header has already; leave it out"),
        ("bearer abcdefgh", "\"Bearer\", which the header has already; leave it out"),
    ])
    func `What is easily pasted along is named`(token: String, words: String) throws {
        #expect(try message(Array(token.utf8), for: Self.bearer).hasSuffix(words))
        try check(Array(token.utf8), for: Self.custom)
    }

    @Test(arguments: [
        "abcdefg:h", "abcdef gh", "Bearers abcdefgh", "abc=defgh", "=abcdefgh", "========", "abcd\"efgh",
        "abcd\\efgh",
        "abcdefg,", "abcdefg;", "abcdefg%20", "abcdefg{}", "abcdefgé", "abcdefg@", "abcdefg!", "abcdefg#", "abcdefg$",
        "abcdefg&", "abcdefg'", "abcdefg(", "abcdefg*", "abcdefg<", "abcdefg?", "abcdefg[", "abcdefg^", "abcdefg`",
        "abcdefg|",
    ])
    func `Other characters are for other headers`(token: String) throws {
        for header in ["Authorization: Bearer {{token}}", "authorization: bearer {{token}}", "X: BEARER {{token}}"] {
            #expect(
                try message(Array(token.utf8), for: [header])
                    == "the token has characters that \"Authorization: Bearer\" does not allow (RFC 6750)")
        }
        #expect(throws: ResourceError.self) { try check(Array(token.utf8), for: Self.custom + Self.bearer) }
        try check(Array(token.utf8), for: Self.custom)
        try check(Array(token.utf8), for: ["Authorization: Basic {{basic}}"])
        try check(Array(token.utf8), for: [])
    }

    // MARK: - Messages

    @Test(arguments: [
        "s3cr3t", "s3cr3t-s3cr3t\n", "s3cr3t-s3cr3t\t", "s3cr3t-s3cr3t ", "s3cr3t\u{85}s3cr3t",
        String(repeating: "s3cr3t", count: 4000),
    ])
    func `No message holds any of the token`(token: String) throws {
        #expect(try !message(Array(token.utf8), for: Self.bearer).contains("s3cr"))
        let broken = Array(token.utf8) + [0xff, 0xfe]
        #expect(try !message(broken, for: Self.bearer).contains("s3cr"))
    }
}
