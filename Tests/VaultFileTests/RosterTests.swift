import Age
import Sodium
import Testing

@testable import VaultFile

@Suite struct RosterTests {
    private let owner = X25519Identity()
    private let writer = X25519Identity()
    private let reader = X25519Identity()
    private let nonce = [UInt8](repeating: 1, count: 16)

    private var root: VerificationKey { SigningKey(of: owner).verificationKey }
    private var members: [Member] { [Member(.owner, owner), Member(.writer, writer), Member(.reader, reader)] }

    private func roster(
        nonce: [UInt8]? = nil, root: VerificationKey? = nil, version: Int = 1, _ members: [Member]
    ) -> Roster? {
        Roster(nonce: nonce ?? self.nonce, root: root ?? self.root, version: version, members: members)
    }

    @Test func isWrittenAsTheFormatShows() throws {
        let roster = try #require(self.roster(version: 3, members))
        let (ownerKey, writerKey) = (root, SigningKey(of: writer).verificationKey)
        #expect(
            roster.text == """
                vault/v1 roster
                vault \(roster.id)
                nonce AQEBAQEBAQEBAQEBAQEBAQ==
                root \(root)
                version 3
                member owner \(owner.recipient) \(ownerKey) owner
                member writer \(writer.recipient) \(writerKey) writer
                member reader \(reader.recipient) - reader

                """)
        #expect(Roster(text: roster.text) == roster)
    }

    @Test func aReaderMayHaveAKeyButNotWrite() throws {
        let key = SigningKey(of: reader).verificationKey
        let withKey = Member(role: .reader, recipient: reader.recipient, key: key, label: "reader")
        let roster = try #require(self.roster([members[0], members[1], withKey]))
        #expect(Roster(text: roster.text) == roster)
        #expect(roster.mayWrite(root))
        #expect(roster.mayWrite(SigningKey(of: writer).verificationKey))
        #expect(!roster.mayWrite(key))
        #expect(!roster.mayWrite(SigningKey(of: X25519Identity()).verificationKey))
    }

    @Test func itsRulesAreKept() {
        let (one, two, three) = (members[0], members[1], members[2])
        #expect(roster(members) != nil)
        #expect(roster([one]) != nil)
        #expect(roster([two, three, one]) != nil, "the owner need not be the first")
        #expect(roster([]) == nil)
        #expect(roster([two, three]) == nil)
        #expect(roster([one, Member(.owner, writer, label: "second")]) == nil)
        #expect(roster(root: SigningKey(of: writer).verificationKey, members) == nil)
        #expect(roster([one, Member(role: .writer, recipient: writer.recipient, key: nil, label: "writer")]) == nil)
        #expect(roster([Member(role: .owner, recipient: owner.recipient, key: nil, label: "owner")]) == nil)
        #expect(roster([one, Member(role: .reader, recipient: owner.recipient, key: nil, label: "reader")]) == nil)
        #expect(roster([one, Member(role: .writer, recipient: writer.recipient, key: root, label: "writer")]) == nil)
        #expect(roster([one, Member(.reader, reader, label: "owner")]) == nil)
        #expect(roster([one, Member(.reader, reader, label: "-x")]) == nil)
        #expect(roster(nonce: [UInt8](repeating: 1, count: 15), members) == nil)
        #expect(roster(nonce: [UInt8](repeating: 1, count: 17), members) == nil)
        #expect(roster(version: 0, members) == nil)
        #expect(roster(version: (1 << 53) - 1, members) != nil)
        #expect(roster(version: 1 << 53, members) == nil)
    }

    @Test func hasUpTo1024Members() {
        let readers = (1...1024).map { Member(.reader, X25519Identity(), label: "r\($0)") }
        #expect(roster([members[0]] + readers.dropLast()) != nil)
        #expect(roster([members[0]] + readers) == nil)
    }

    @Test func labelsAreTakenOrRefused() {
        let inside = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-")
        for byte in UInt8.min..<0x80 {
            let character = Character(Unicode.Scalar(byte))
            #expect(Member.isLabel("\(character)") == inside.subtracting("._-").contains(character))
            #expect(Member.isLabel("a\(character)") == inside.contains(character))
        }
        #expect(Member.isLabel(String(repeating: "l", count: 64)))
        #expect(!Member.isLabel(String(repeating: "l", count: 65)))
        for text in ["", "é", "aé", "a\u{301}", "a b", "a/b", "a\n"] { #expect(!Member.isLabel(text)) }
    }

    /// Everything but the text as it is written is refused, which the signature would let pass.
    @Test func hasOneSpelling() throws {
        let roster = try #require(self.roster(members))
        let text = roster.text
        func refused(_ old: String, _ new: String) throws -> Bool {
            Roster(text: try text.replacing(first: old, with: new)) == nil
        }
        #expect(Roster(text: "") == nil)
        #expect(Roster(text: "\n") == nil)
        #expect(Roster(text: String(text.dropLast())) == nil)
        #expect(Roster(text: text + "\n") == nil)
        #expect(Roster(text: text + " ") == nil)
        #expect(Roster(text: text + text) == nil)
        #expect(try refused("vault/v1 roster\n", ""))
        #expect(try refused("vault/v1 roster", "vault/v1 roster "))
        #expect(try refused("vault/v1", "vault/v2"))
        #expect(try refused("\n", "\r\n"))
        #expect(try refused("version 1\n", "version 1\r\n"))
        #expect(try refused("version 1", "version  1"))
        #expect(try refused("version 1", "version 01"))
        #expect(try refused("version 1", "version 9007199254740992"))
        #expect(try refused("version 1", "version"))
        #expect(try refused("version 1\n", ""))
        #expect(try refused("version 1\n", "version 1\nversion 1\n"))
        #expect(try refused("member owner", "member  owner"))
        #expect(try refused("member owner", "member Owner"))
        #expect(try refused("member owner", "Member owner"))
        #expect(try refused("member reader", "member"))
        #expect(try refused(" reader\n", " reader \n"))
        #expect(try refused(" reader\n", " reader x\n"))
        #expect(try refused(" - ", " "))
        #expect(try refused(" - ", " -- "))
        #expect(try refused("AQ==", "AR=="))
        #expect(try refused("AQ==", "AQ"))
        let nonceLine = "nonce AQEBAQEBAQEBAQEBAQEBAQ==\n"
        #expect(try refused("\(nonceLine)root \(root)\n", "root \(root)\n\(nonceLine)"))
    }

    @Test func itsIDIsProvenByRootAndNonce() throws {
        let roster = try #require(self.roster(members))
        let other = try #require(self.roster(nonce: [UInt8](repeating: 2, count: 16), members))
        #expect(roster.id != other.id)
        #expect(Roster(text: try roster.text.replacing(first: "\(roster.id)", with: "\(other.id)")) == nil)
    }
}

@Suite struct SigningKeyTests {
    @Test func isDerivedFromTheIdentity() throws {
        // The secret key is 32 bytes of 0x01, unclamped; the verifier was computed with Python's hmac and PyNaCl.
        let secret = SecretBytes(copying: [UInt8](repeating: 1, count: 32).span)
        let key = SigningKey(of: X25519Identity(secretKey: secret)).verificationKey
        #expect("\(key)" == "vaultkey12hg3edl9ul8sd0h0fl7mm2uswweph0xn9lcwyemaeuzmcnmlacyqskw2fz")
        #expect(VerificationKey("\(key)") == key)
    }

    @Test func signsTheBytesOfAText() {
        let key = SigningKey(of: X25519Identity())
        let signed = key.sign("vault/v1 é\n")
        #expect(signed.isValid)
        // The same characters, other bytes.
        #expect(!Signed(text: "vault/v1 e\u{301}\n", by: signed.by, signature: signed.signature).isValid)
        #expect(!Signed(text: signed.text + "\n", by: signed.by, signature: signed.signature).isValid)
        let other = SigningKey(of: X25519Identity()).verificationKey
        #expect(!Signed(text: signed.text, by: other, signature: signed.signature).isValid)
        #expect(!Signed(text: signed.text, by: signed.by, signature: Array(signed.signature.dropLast())).isValid)
        // A key of small order would make a signature of zeros fit.
        let zeros = VerificationKey(bytes: [UInt8](repeating: 0, count: 32))
        #expect(!Signed(text: signed.text, by: zeros, signature: [UInt8](repeating: 0, count: 64)).isValid)
    }
}
