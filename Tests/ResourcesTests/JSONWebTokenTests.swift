import Foundation
import Resources
import Sodium
import TestSupport
import Testing
import VaultFile

@Suite struct JSONWebTokenTests {
    private static func encoded(_ text: String) -> String {
        Data(text.utf8).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing(
            "=", with: "")
    }

    private static func token(_ claims: String, header: String = #"{"alg":"HS256","typ":"JWT"}"#) -> String {
        "\(encoded(header)).\(encoded(claims)).\(encoded("a signature"))"
    }

    private func expiry(_ token: String) -> Int? {
        JSONWebToken.expiry(of: Array(token.utf8).span)?.seconds
    }

    @Test func `The expiry of the example in RFC 7519 is read`() {
        let token =
            "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9"
            + ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
            + ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
        #expect(expiry(token) == 1_300_819_380)
    }

    @Test(arguments: [
        (#"{"exp":1700000000}"#, 1_700_000_000), (#"{"exp":0}"#, 0), (#"{"exp":1}"#, 1),
        (#"{"sub":"ünï","iat":1,"exp":1700000000,"a":{"exp":5},"b":[{"exp":6}]}"#, 1_700_000_000),
        (#"{ "exp" : 1700000000 }"#, 1_700_000_000), ("{\n\t\"exp\":1700000000\r\n}\n", 1_700_000_000),
        (#"{"\u0065xp":1700000000}"#, 1_700_000_000), (#"{"exp":1700000000.0}"#, 1_700_000_000),
        (#"{"exp":1700000000.987}"#, 1_700_000_000), (#"{"exp":253402300799}"#, 253_402_300_799),
    ])
    func `The expiry is a number among the claims`(claims: String, seconds: Int) {
        #expect(expiry(Self.token(claims)) == seconds)
    }

    @Test(arguments: [
        "{}", #"{"sub":"x"}"#, #"{"a":{"exp":1700000000}}"#, #"{"EXP":1700000000}"#, #"{"exp ":1700000000}"#,
        // Not a number, or not one of seconds that can be.
        #"{"exp":"1700000000"}"#, #"{"exp":null}"#, #"{"exp":true}"#, #"{"exp":[1700000000]}"#, #"{"exp":{}}"#,
        #"{"exp":-1}"#, #"{"exp":-1.5}"#, #"{"exp":-0.5}"#, #"{"exp":253402300800}"#, #"{"exp":99999999999999999999}"#,
        // A number that means something else than its first digits say.
        #"{"exp":1.7e9}"#, #"{"exp":17e8}"#, #"{"exp":1.7E+9}"#, #"{"exp":1700000000e0}"#,
        // Not JSON, or not one object.
        "", "x", "[]", "1700000000", #"{"exp":1700000000"#, #"{"exp":1700000000}x"#, #"{"exp":1700000000,}"#,
        #"{"exp":01700000000}"#, #"{"exp":1700000000,"exp":1}"#, "{'exp':1700000000}",
    ])
    func `Without such a number there is no expiry`(claims: String) {
        #expect(expiry(Self.token(claims)) == nil)
    }

    @Test(arguments: ["{}", #"{"typ":"JWT"}"#, #"{"ALG":"none"}"#, "", "x", "[]", #"{"a":{"alg":"none"}}"#])
    func `A header without an algorithm is none of a JWT`(header: String) {
        #expect(expiry(Self.token(#"{"exp":1700000000}"#, header: header)) == nil)
        #expect(expiry(Self.token(#"{"exp":1700000000}"#, header: #"{"alg":"none"}"#)) == 1_700_000_000)
    }

    @Test(arguments: [
        "", ".", "..", "...", "abc.def.ghi", "v1.2.3", "www.example.com", "ghp_0123456789", "a..b",
        "xoxb-1.2-3.4", "\u{ff}.\u{ff}.\u{ff}",
    ])
    func `A token of another kind has no expiry`(token: String) {
        #expect(expiry(token) == nil)
    }

    @Test func `Three parts that are one too few or too many, padded, or in the other alphabet are no JWT`() {
        let header = Self.encoded(#"{"alg":"HS256"}"#)
        // Such that the claims need padding, and a character of the alphabet for URLs.
        let claims = Self.encoded(#"{"exp":1700000000,"a":"??>>"}"#)
        #expect(claims.contains { $0 == "-" || $0 == "_" })
        #expect(expiry("\(header).\(claims).c2ln") == 1_700_000_000)
        #expect(expiry("\(header).\(claims).") == 1_700_000_000)
        #expect(expiry("\(header).\(claims)") == nil)
        #expect(expiry("\(header).\(claims).c2ln.c2ln") == nil)
        #expect(expiry("\(header).\(claims).c2ln.c2ln.c2ln") == nil)
        #expect(expiry(".\(header).\(claims)") == nil)
        #expect(expiry("\(header)=.\(claims).c2ln") == nil)
        #expect(expiry("\(header).\(claims)=.c2ln") == nil)
        #expect(expiry("\(header).\(claims)==.c2ln") == nil)
        let other = claims.replacing("-", with: "+").replacing("_", with: "/")
        #expect(expiry("\(header).\(other).c2ln") == nil)
    }
}
