@testable import Age
import Sodium
import TestSupport
import Testing

@Suite struct X25519IdentityTests {
    @Test func `The recipient of an identity is the one that age names`() throws {
        // As age-keygen 1.1.1 has it, for the key whose bytes are all 0x42.
        let text = "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX"
        let recipient = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj"
        let identity = try identity(text)
        #expect(identity.recipient.description == recipient)
        #expect(identity.encoded().bytes == Array(text.utf8))
        #expect(
            X25519Identity(secretKey: SecretBytes([UInt8](repeating: 0x42, count: 32))).recipient == identity.recipient)
        #expect(X25519Recipient(parsing: recipient) == identity.recipient)
    }

    @Test func `New identities are all different`() {
        #expect(Set((0..<100).map { _ in X25519Identity().recipient }).count == 100)
    }

    @Test func `What is printed of an identity does not show it`() throws {
        let identity = X25519Identity()
        let key = String(decoding: identity.encoded().bytes, as: UTF8.self)
        var dumped = ""
        dump(identity, to: &dumped)
        for text in ["\(identity)", String(reflecting: identity), dumped] {
            #expect(!text.contains(key.dropFirst(16).prefix(8)))
            // An address would be a number of a region.
            #expect(!text.replacing("\(identity.recipient)", with: "").contains("0x"))
        }
    }

    @Test func `A derived key is HKDF over the 32 bytes as they are`() {
        // All bits set, so that clamping the key first would be seen.
        let secretKey = [UInt8](repeating: 0xff, count: 32)
        let info = Array("a use".utf8)
        let derived = X25519Identity(secretKey: SecretBytes(secretKey)).deriveKey(info: info.span)
        let expected = HKDFSHA256.deriveKey(from: SecretBytes(secretKey), salt: [UInt8]().span, info: info.span)
        #expect(derived.bytes == expected.bytes)
    }

    @Test func `A stanza opens for its identity only`() throws {
        let identity = X25519Identity()
        let fileKey = FileKey()
        let stanza = identity.recipient.wrap(fileKey)
        #expect(stanza.type == "X25519")
        #expect(stanza.arguments.map(\.count) == [43])
        #expect(stanza.body.count == 32)
        #expect(try unwrapped(stanza, identity) == fileKey.bytes.bytes)
        #expect(try unwrapped(stanza, X25519Identity()) == nil)
    }

    @Test func `The same file key is wrapped differently each time`() {
        let recipient = X25519Identity().recipient
        let fileKey = FileKey()
        let stanzas = (0..<20).map { _ in recipient.wrap(fileKey) }
        #expect(Set(stanzas.map(\.arguments)).count == 20)
        #expect(Set(stanzas.map(\.body)).count == 20)
    }

    @Test func `Stanzas of other types are left alone`() throws {
        let identity = X25519Identity()
        let stanza = identity.recipient.wrap(FileKey())
        for type in ["x25519", "X25519 ", "X25519a", "ssh-ed25519", "scrypt"] {
            let other = Stanza(type: type, arguments: stanza.arguments, body: stanza.body)
            #expect(try unwrapped(other, identity) == nil, "\(type)")
        }
    }

    @Test func `A stanza that breaks the rules of its type is refused, not passed over`() {
        let identity = X25519Identity()
        let good = identity.recipient.wrap(FileKey())
        let share = good.arguments[0]
        func refuses(_ arguments: [[UInt8]], _ body: [UInt8]) -> Bool {
            outcome { () throws(AgeError) in
                _ = try identity.unwrap(Stanza(type: "X25519", arguments: arguments, body: body))
            } == .header
        }
        #expect(!refuses([share], good.body))
        // The number of arguments, the size and the form of the share, the size of the body.
        #expect(refuses([], good.body))
        #expect(refuses([share, share], good.body))
        #expect(refuses([Base64.encode(pattern(31).span, .standardUnpadded)], good.body))
        #expect(refuses([Base64.encode(pattern(33).span, .standardUnpadded)], good.body))
        #expect(refuses([share + Array("=".utf8)], good.body))
        #expect(refuses([share], Array(good.body.dropLast())))
        #expect(refuses([share], good.body + [0]))
        #expect(refuses([share], []))
    }

    @Test(arguments: lowOrderPoints) func `A share of low order is refused`(point: String) {
        let share = Base64.encode([UInt8](hex: point).span, .standardUnpadded)
        let stanza = Stanza(type: "X25519", arguments: [share], body: pattern(32))
        #expect(outcome { () throws(AgeError) in _ = try X25519Identity().unwrap(stanza) } == .header)
    }

    private func unwrapped(_ stanza: Stanza, _ identity: X25519Identity) throws(AgeError) -> [UInt8]? {
        try identity.unwrap(stanza)?.bytes.bytes
    }
}

/// Points of order 1, 2, 4 and 8 (RFC 7748, 7), two of them also with the top bit that is to be ignored.
let lowOrderPoints = [
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f11d7",
]
