@testable import Age
import Sodium
import TestSupport
import Testing

@Suite struct ScryptIdentityTests {
    private static let salt = Base64.encode(pattern(16).span, .standardUnpadded)

    @Test func `New files are written with a work factor of 18`() throws {
        // The one test that takes the full second.
        #expect(ScryptRecipient.defaultWorkFactor == 18)
        let recipient = ScryptRecipient(passphrase: SecretBytes(Array("words".utf8)))
        let stanza = try recipient.wrap(FileKey())
        #expect(stanza.type == "scrypt")
        #expect(stanza.arguments.last == Array("18".utf8))
    }

    @Test func `A stanza opens for its passphrase only`() throws {
        let fileKey = FileKey()
        let stanza = try ScryptRecipient(passphrase: SecretBytes(Array("words".utf8)), workFactor: 5).wrap(fileKey)
        #expect(stanza.arguments.map(\.count) == [22, 1])
        #expect(stanza.arguments.last == Array("5".utf8))
        #expect(stanza.body.count == 32)
        #expect(try passphrase("words").unwrap(stanza)?.bytes.bytes == fileKey.bytes.bytes)
        #expect(try passphrase("other words").unwrap(stanza)?.bytes.bytes == nil)
        #expect(try passphrase("").unwrap(stanza)?.bytes.bytes == nil)
    }

    @Test func `The same file key is wrapped under a new salt each time`() throws {
        let recipient = ScryptRecipient(passphrase: SecretBytes(Array("words".utf8)), workFactor: 1)
        let fileKey = FileKey()
        let first = try recipient.wrap(fileKey)
        let second = try recipient.wrap(fileKey)
        #expect(first.arguments[0] != second.arguments[0])
        #expect(first.body != second.body)
    }

    @Test func `The work factor counts`() throws {
        let fileKey = FileKey()
        let stanza = try ScryptRecipient(passphrase: SecretBytes(Array("words".utf8)), workFactor: 5).wrap(fileKey)
        let other = Stanza(type: "scrypt", arguments: [stanza.arguments[0], Array("6".utf8)], body: stanza.body)
        #expect(try passphrase("words").unwrap(other)?.bytes.bytes == nil)
    }

    @Test func `A work factor up to the limit is taken`() throws {
        let stanza = try ScryptRecipient(passphrase: SecretBytes(Array("words".utf8)), workFactor: 9).wrap(FileKey())
        #expect(try passphrase("words", maximumWorkFactor: 9).unwrap(stanza)?.bytes.bytes != nil)
        #expect(throws: AgeError.workFactor(9, limit: 8)) {
            _ = try passphrase("words", maximumWorkFactor: 8).unwrap(stanza)
        }
    }

    @Test(arguments: [
        ("21", 21), ("30", 30), ("31", 31), ("64", 64), ("4294967296", 1 << 32), ("99999999999999999999999", .max),
    ])
    func `A work factor above the limit is refused without computing it`(text: String, workFactor: Int) {
        // To compute them would take from 2 GiB on.
        #expect(ScryptIdentity.defaultMaximumWorkFactor == 20)
        let stanza = Stanza(type: "scrypt", arguments: [Self.salt, Array(text.utf8)], body: pattern(32))
        let start = ContinuousClock.now
        #expect(throws: AgeError.workFactor(workFactor, limit: 20)) { _ = try passphrase("words").unwrap(stanza) }
        #expect(ContinuousClock.now - start < .seconds(1))
    }

    @Test func `No limit goes beyond 30`() {
        let stanza = Stanza(type: "scrypt", arguments: [Self.salt, Array("31".utf8)], body: pattern(32))
        #expect(throws: AgeError.workFactor(31, limit: 30)) {
            _ = try passphrase("words", maximumWorkFactor: 99).unwrap(stanza)
        }
    }

    @Test(arguments: ["", "0", "00", "01", "+1", "-1", "1 ", " 1", "1a", "a", "0x1", "1.", "١", "1\u{0}"])
    func `A work factor that is no number is refused`(text: String) {
        let stanza = Stanza(type: "scrypt", arguments: [Self.salt, Array(text.utf8)], body: pattern(32))
        let ending = outcome { () throws(AgeError) in _ = try passphrase("words").unwrap(stanza) }
        #expect(ending == .header)
    }

    @Test func `A stanza that breaks the rules of its type is refused, not passed over`() {
        let factor = Array("1".utf8)
        func refuses(_ arguments: [[UInt8]], _ body: [UInt8]) -> Bool {
            outcome { () throws(AgeError) in
                _ = try passphrase("words").unwrap(Stanza(type: "scrypt", arguments: arguments, body: body))
            } == .header
        }
        #expect(!refuses([Self.salt, factor], pattern(32)))
        // The number of arguments, the size and the form of the salt, the size of the body.
        #expect(refuses([], pattern(32)))
        #expect(refuses([Self.salt], pattern(32)))
        #expect(refuses([Self.salt, factor, factor], pattern(32)))
        #expect(refuses([Base64.encode(pattern(15).span, .standardUnpadded), factor], pattern(32)))
        #expect(refuses([Base64.encode(pattern(17).span, .standardUnpadded), factor], pattern(32)))
        #expect(refuses([Base64.encode(pattern(16).span, .standard), factor], pattern(32)))
        #expect(refuses([Self.salt, factor], pattern(31)))
        #expect(refuses([Self.salt, factor], pattern(33)))
    }

    @Test func `Stanzas of other types are left alone`() throws {
        for type in ["X25519", "Scrypt", "scrypt2"] {
            let stanza = Stanza(type: type, arguments: [Self.salt, Array("1".utf8)], body: pattern(32))
            #expect(try passphrase("words").unwrap(stanza)?.bytes.bytes == nil, "\(type)")
        }
    }

    @Test func `What is printed of a passphrase does not show it`() {
        let identity = passphrase("correct horse")
        var dumped = ""
        dump(identity, to: &dumped)
        for text in ["\(identity)", String(reflecting: identity), dumped] {
            #expect(!text.contains("horse"))
            #expect(!text.contains("0x"))
        }
    }
}
