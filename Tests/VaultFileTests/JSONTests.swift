import Sodium
import Testing

@testable import VaultFile

@Suite struct JSONTests {
    /// Reads a whole text.
    private func read(_ text: [UInt8]) throws -> Range<Int> {
        let bytes = text.span
        var cursor = JSONCursor()
        cursor.skipWhitespace(bytes)
        let range = try cursor.readValue(bytes)
        try cursor.readEnd(bytes)
        return range
    }

    /// What the string in `text` stands for.
    private func string(_ text: String) throws -> (text: String, secret: [UInt8]) {
        let bytes = Array(text.utf8)
        var cursor = JSONCursor()
        let string = try cursor.readString(bytes.span)
        try cursor.readEnd(bytes.span)
        return (string.text(in: bytes.span), string.secret(in: bytes.span).withBytes { $0.publicCopy })
    }

    // MARK: - What is JSON

    @Test(arguments: [
        "null", "true", "false", "0", "-0", "1", "-1", "10", "1234567890123456789012345678901234567890", "0.0", "1.5",
        "-1.5e10", "1E+2", "1e-2", "0e1", "0E0", "1e400", #""""#, #""a""#, "[]", "{}", "[ ]", "{ }", "[1]", "[1,2]",
        "[ 1 , 2 ]", "[[],{},[{}]]", #"{"a":1}"#, #"{"a":{"a":{"a":1}}}"#, #"{"a":[{"a":1},{"a":2}]}"#, #"{"":0}"#,
        #"{ "a" : 1 , "b" : 2 }"#, " \t\r\n1 \t\r\n", "[\n]", "\"\u{7f}\"", "\"é\u{301}\"",
        #""\u0000""#, #""\"\\\/\b\f\n\r\t""#, #""\u00e9\u20AC\uFFFF""#, #""\uD83D\uDE00""#, #""\ud800\udc00""#,
        #""\udbff\udfff""#, "\"\u{10ffff}\"", "\"\u{80}\u{7ff}\u{800}\u{d7ff}\u{e000}\u{ffff}\u{10000}\"",
        #"{"a":1,"A":2}"#, #"{"a":1,"a ":2}"#, #"{"\u0061b":1,"a":2}"#,
    ])
    func takesAll(_ text: String) throws {
        let bytes = Array(text.utf8)
        let range = try read(bytes)
        let isSpace = { (byte: UInt8) in [0x20, 0x09, 0x0a, 0x0d].contains(byte) }
        #expect(range.lowerBound == bytes.firstIndex { !isSpace($0) })
        #expect(range.upperBound - 1 == bytes.lastIndex { !isSpace($0) })
    }

    struct Flaw: CustomTestStringConvertible {
        let text: [UInt8]
        let error: JSONError

        init(_ text: String, _ reason: String, at offset: Int) {
            self.init(Array(text.utf8), reason, at: offset)
        }

        init(_ text: [UInt8], _ reason: String, at offset: Int) {
            self.text = text
            error = JSONError(reason, at: offset)
        }

        var testDescription: String { String(decoding: text, as: UTF8.self) }
    }

    @Test(arguments: values + structures + strings + encodings)
    func refusesEachWithItsReason(_ flaw: Flaw) { #expect(throws: flaw.error) { _ = try read(flaw.text) } }

    private static let values: [Flaw] =
        [
            .init("", "a value is missing", at: 0), .init("  ", "a value is missing", at: 2),
            .init("\u{feff}1", "a value that is not JSON", at: 0),
            .init("1 2", "something behind the value", at: 2), .init("1,", "something behind the value", at: 1),
            .init("{}x", "something behind the value", at: 2), .init("nullx", "something behind the value", at: 4),
            .init("01", "something behind the value", at: 1), .init("-01", "something behind the value", at: 2),
            .init("1.5.5", "something behind the value", at: 3), .init("0x10", "something behind the value", at: 1),
            .init("1\u{0}", "something behind the value", at: 1), .init("1\u{a0}", "something behind the value", at: 1),
            .init("1\u{b}", "something behind the value", at: 1),
        ]
        + [
            "nul", "True", "NULL", "nil", "NaN", "-NaN", "Infinity", "-Infinity", "+1", ".5", "-", "-.5", "1.", "1.e5",
            "1e",
            "1e+", "1e-", "--1", "'a'", "a", ",", "]", "}", "/*1*/1", "１",
        ].map { .init($0, "a value that is not JSON", at: 0) }

    private static let structures: [Flaw] = [
        .init("[", "a value is missing", at: 1), .init("[1", "an array that does not end", at: 2),
        .init("[1,", "a value is missing", at: 3), .init("[1,]", "a value that is not JSON", at: 3),
        .init("[,1]", "a value that is not JSON", at: 1), .init("[1 2]", "an array that does not end", at: 3),
        .init("[1}", "an array that does not end", at: 2), .init("[1,,2]", "a value that is not JSON", at: 3),
        .init("{", "a string is missing", at: 1), .init(#"{"a""#, "a colon is missing", at: 4),
        .init(#"{"a":"#, "a value is missing", at: 5), .init(#"{"a":1"#, "an object that does not end", at: 6),
        .init(#"{"a":1,"#, "a string is missing", at: 7), .init(#"{"a":1,}"#, "a string is missing", at: 7),
        .init(#"{"a":1 "b":2}"#, "an object that does not end", at: 7), .init(#"{"a" 1}"#, "a colon is missing", at: 5),
        .init(#"{"a"::1}"#, "a value that is not JSON", at: 5), .init("{a:1}", "a string is missing", at: 1),
        .init("{1:1}", "a string is missing", at: 1), .init("{'a':1}", "a string is missing", at: 1),
        .init(#"{"a":1]"#, "an object that does not end", at: 6), .init("{null:1}", "a string is missing", at: 1),
        // A member twice, however it is spelled and however deep it stands.
        .init(#"{"a":1,"a":1}"#, "a member that stands twice", at: 8),
        .init(#"{"a":1,"b":2,"a":3}"#, "a member that stands twice", at: 14),
        .init(#"{"a":1,"\u0061":2}"#, "a member that stands twice", at: 8),
        .init(#"{"\u0061":1,"a":2}"#, "a member that stands twice", at: 13),
        .init(#"{"\u0061":1,"\u0061":2}"#, "a member that stands twice", at: 13),
        .init(#"{"/":1,"\/":2}"#, "a member that stands twice", at: 8),
        .init(#"{"😀":1,"\ud83d\ude00":2}"#, "a member that stands twice", at: 11),
        .init(#"{"":1,"":2}"#, "a member that stands twice", at: 7),
        .init(#"[{"x":[{"a":1,"a":2}]}]"#, "a member that stands twice", at: 15),
    ]

    private static let strings: [Flaw] = [
        .init(#"""#, "a string that does not end", at: 1), .init(#""a"#, "a string that does not end", at: 1),
        .init(#""\"#, "a string that does not end", at: 1), .init(#""\""#, "a string that does not end", at: 1),
        .init("\"\n\"", "a control character in a string", at: 1),
        .init("\"a\t\"", "a control character in a string", at: 2),
        .init("\"\u{0}\"", "a control character in a string", at: 1),
        .init("\"\u{1f}\"", "a control character in a string", at: 1),
        .init(#""\a""#, "an unknown escape", at: 1), .init(#""\'""#, "an unknown escape", at: 1),
        .init(#""\x41""#, "an unknown escape", at: 1), .init(#""\0""#, "an unknown escape", at: 1),
        .init(#""\N""#, "an unknown escape", at: 1), .init(#""\U0041""#, "an unknown escape", at: 1),
        .init(#""\u""#, "an escape without four digits", at: 3),
        .init(#""\u004""#, "an escape without four digits", at: 3),
        .init(#""\u00g0""#, "an escape without four digits", at: 3),
        .init(#""\u+041""#, "an escape without four digits", at: 3),
        .init(#""\u 041""#, "an escape without four digits", at: 3),
        .init(#""\u{41}""#, "an escape without four digits", at: 3),
        .init(#""\ud800""#, "half of a surrogate pair", at: 1), .init(#""\udbff""#, "half of a surrogate pair", at: 1),
        .init(#""\udc00""#, "half of a surrogate pair", at: 1), .init(#""\udfff""#, "half of a surrogate pair", at: 1),
        .init(#""\ud800x""#, "half of a surrogate pair", at: 1),
        .init(#""\ud800\n""#, "half of a surrogate pair", at: 1),
        .init(#""\ud800\u0041""#, "half of a surrogate pair", at: 1),
        .init(#""\ud800\ud800""#, "half of a surrogate pair", at: 1),
        .init(#""\udc00\ud800""#, "half of a surrogate pair", at: 1),
        .init(#""\ud800\u""#, "an escape without four digits", at: 9),
        .init(#"{"\ud800":1}"#, "half of a surrogate pair", at: 2),
    ]

    /// Bytes that are not UTF-8 (RFC 3629): lone, overlong, surrogates, beyond the last scalar, cut off.
    private static let encodings: [Flaw] = [
        [0x80], [0xbf], [0xc0, 0x80], [0xc1, 0xbf], [0xc2], [0xc2, 0x41], [0xc2, 0xc0], [0xe0, 0x80, 0x80],
        [0xe0, 0x9f, 0xbf], [0xe0, 0xa0], [0xe2, 0x82], [0xe2, 0x82, 0x41], [0xe2, 0x28, 0xa1], [0xed, 0xa0, 0x80],
        [0xed, 0xbf, 0xbf], [0xf0, 0x80, 0x80, 0x80], [0xf0, 0x8f, 0xbf, 0xbf], [0xf0, 0x9f, 0x98],
        [0xf0, 0x9f, 0x98, 0x41], [0xf0, 0x28, 0x8c, 0xbc], [0xf4, 0x90, 0x80, 0x80], [0xf5, 0x80, 0x80, 0x80],
        [0xf8, 0x88, 0x80, 0x80, 0x80], [0xfe], [0xff],
    ].map { .init([0x22] + $0 + [0x22], "a string that is not UTF-8", at: 1) }

    @Test func nestsUpToThirtyTwoLevels() throws {
        func nested(_ depth: Int) -> [UInt8] {
            Array((String(repeating: "[", count: depth) + String(repeating: "]", count: depth)).utf8)
        }
        _ = try read(nested(32))
        #expect(throws: JSONError("more than 32 levels", at: 33)) { _ = try read(nested(33)) }
        let objects = String(repeating: #"{"a":"#, count: 33) + "1" + String(repeating: "}", count: 33)
        #expect(throws: JSONError("more than 32 levels", at: 161)) { _ = try read(Array(objects.utf8)) }
        // What lies side by side does not count.
        _ = try read(Array("[\([String](repeating: "[[]]", count: 100).joined(separator: ","))]".utf8))
    }

    // MARK: - Strings

    @Test(arguments: [
        (#""""#, ""), (#""abc""#, "abc"), (#""\"\\\/""#, "\"\\/"), (#""\b\f\n\r\t""#, "\u{8}\u{c}\n\r\t"),
        (#""\u0041\u00e9\u20ac""#, "Aé€"), (#""\u00E9\u20AC""#, "é€"), (#""\u0000""#, "\u{0}"),
        (#""\u007f\u0080\u07ff\u0800\ud7ff\ue000\uffff""#, "\u{7f}\u{80}\u{7ff}\u{800}\u{d7ff}\u{e000}\u{ffff}"),
        (#""\ud83d\ude00""#, "😀"), (#""\uD83D\uDE00!""#, "😀!"), (#""\ud800\udc00\udbff\udfff""#, "\u{10000}\u{10ffff}"),
        (#""a😀\n😀b""#, "a😀\n😀b"), (#""\\u0041""#, #"\u0041"#), (#""\\\\""#, #"\\"#), (#""e\u0301""#, "e\u{301}"),
    ])
    func decodesEscapes(_ text: String, _ expected: String) throws {
        let string = try string(text)
        // By bytes: equal strings may have different ones.
        #expect(Array(string.text.utf8) == Array(expected.utf8))
        #expect(string.secret == Array(expected.utf8))
    }

    @Test(arguments: [15, 16, 17, 60_000])
    func manyMembersAreComparedInGoodTime(_ count: Int) throws {
        let members = (0..<count).map { "\"\($0)\":0" }.joined(separator: ",")
        let start = ContinuousClock.now
        _ = try read(Array("{\(members)}".utf8))
        #expect(throws: JSONError("a member that stands twice", at: members.utf8.count + 3)) {
            _ = try read(Array("{\(members),\"\\u0030\":0}".utf8))
        }
        // It was 9 s for half of this in an optimised build.
        #expect(ContinuousClock.now - start < .seconds(20))
    }

    @Test func namesAreTheSameWhenTheirBytesAre() throws {
        // é in one scalar and in two: equal for Swift, different members for JSON.
        _ = try read(Array("{\"\u{e9}\":1,\"e\u{301}\":2}".utf8))
        _ = try read(Array("{\"\\u00e9\":1,\"e\u{301}\":2}".utf8))
        _ = try read(Array("{\"\u{212b}\":1,\"\u{c5}\":2}".utf8))
        #expect(throws: JSONError("a member that stands twice", at: 9)) {
            _ = try read(Array("{\"\u{e9}\":1,\"\\u00e9\":2}".utf8))
        }
    }

    @Test func namesAreComparedByBytes() throws {
        let bytes = Array(#"["token","\u0074oken","tokens","toke","é"]"#.utf8)
        var strings: [JSONString] = []
        var cursor = JSONCursor()
        try cursor.readArray(bytes.span) { (cursor) throws(JSONError) in
            strings.append(try cursor.readString(bytes.span))
        }
        let areToken = strings.map { $0.equals("token", in: bytes.span) }
        let areComposed = strings.map { $0.equals("e\u{301}", in: bytes.span) }
        #expect(areToken == [true, true, false, false, false])
        #expect(areComposed == [false, false, false, false, false])
    }

    @Test(arguments: [
        ("", #""""#), ("a\"b\\c/", #""a\"b\\c/""#), ("\n\t\r", #""\n\t\r""#),
        ("\u{0}\u{1}\u{8}\u{1f}\u{7f}", #""\u0000\u0001\u0008\u001f\u007f""#),
        ("é😀\u{a0}\u{2010}", "\"é😀\u{a0}\u{2010}\""),
        ("\u{80}\u{9f}\u{61c}", #""\u0080\u009f\u061c""#), ("\u{200e}\u{200f}x", #""\u200e\u200fx""#),
        ("\u{2028}\u{202a}\u{202e}", #""\u2028\u202a\u202e""#), ("\u{2066}\u{2069}", #""\u2066\u2069""#),
        ("\u{200d}\u{202f}\u{2065}\u{206a}\u{61b}", "\"\u{200d}\u{202f}\u{2065}\u{206a}\u{61b}\""),
    ])
    func writesWhatItReads(_ text: String, _ expected: String) throws {
        let quoted = String(decoding: JSONText.quoted(text), as: UTF8.self)
        #expect(quoted == expected)
        #expect(try string(quoted).text == text)
    }

    // MARK: - Going through a value

    @Test func goesThroughMembersInTheirOrder() throws {
        let bytes = Array(#"{ "a" : [ 1 , "x" ] , "b" : null,"c":{}} "#.utf8)
        var found: [String] = []
        var cursor = JSONCursor()
        try cursor.readObject(bytes.span) { (name, cursor) throws(JSONError) in
            if try cursor.readNull(bytes.span) {
                found.append("\(name.text(in: bytes.span)) is null")
                return
            }
            let range = try cursor.readValue(bytes.span)
            found.append("\(name.text(in: bytes.span)) is \(bytes.span.extracting(range).text)")
        }
        try cursor.readEnd(bytes.span)
        #expect(found == [#"a is [ 1 , "x" ]"#, "b is null", "c is {}"])
        #expect(cursor.position == bytes.count)
    }

    @Test func somethingElseThanWhatIsAskedForIsRefused() {
        func error(_ text: String, _ body: (inout JSONCursor, Span<UInt8>) throws -> Void) -> JSONError? {
            let bytes = Array(text.utf8)
            var cursor = JSONCursor()
            do { try body(&cursor, bytes.span) } catch { return error as? JSONError }
            return nil
        }
        #expect(error("[]") { try $0.readObject($1) { _, _ in } } == JSONError("{ is missing", at: 0))
        #expect(error("{}") { try $0.readArray($1) { _ in } } == JSONError("[ is missing", at: 0))
        #expect(error("1") { _ = try $0.readString($1) } == JSONError("a string is missing", at: 0))
        #expect(error("nul") { _ = try $0.readNull($1) } == JSONError("a value that is not JSON", at: 0))
    }
}
