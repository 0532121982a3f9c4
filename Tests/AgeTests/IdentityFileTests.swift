import Age
import Sodium
import TestSupport
import Testing

@Suite struct IdentityFileTests {
    let first = X25519Identity()
    let second = X25519Identity()

    @Test func `Keys are read in their order, between comments and empty lines`() throws {
        let contents = try parse("# id: today\n\n\(text(first))\n#\n\n# id:next\n\(text(second))\n\n")
        #expect(contents.identities.map(\.recipient) == [first.recipient, second.recipient])
        #expect(contents.comments == ["today", "next"])
    }

    @Test func `The last line needs no end`() throws {
        #expect(try parse(text(first)).identities.map(\.recipient) == [first.recipient])
        #expect(try parse("\(text(first))\n# id: end").comments == ["end"])
    }

    @Test func `Lines may end as on Windows`() throws {
        let contents = try parse("# id: one\r\n\r\n\(text(first))\r\n\(text(second))\r\n")
        #expect(contents.identities.map(\.recipient) == [first.recipient, second.recipient])
        #expect(contents.comments == ["one"])
    }

    @Test func `White space around a comment is not part of it`() throws {
        let contents = try parse("#id:one\n#  id: two\t \n#\tid:\tthree  \n##  id:  four\n# id:\n\(text(first))\n")
        #expect(contents.comments == ["one", "two", "three", "four", ""])
    }

    /// A key that is out of use stays in guarded memory.
    @Test func `Other comments are not taken`() throws {
        let contents = try parse("# \(text(second))\n#\(text(second))\n# my id: one\n# ID: two\n# id\n\(text(first))\n")
        #expect(contents.comments.isEmpty)
        #expect(contents.identities.map(\.recipient) == [first.recipient])
    }

    @Test(arguments: [
        ("nonsense", 1), ("# comment\n\nnonsense", 3), ("\n\r\n age\n", 3), ("KEY\nnonsense\n", 2), (" KEY\n", 1),
        ("KEY \n", 1), ("KEY\r\r\n", 1), ("\n \n", 2), (" # comment\n", 1), ("age1nonsense\n", 1), ("\u{feff}KEY\n", 1),
        ("KEY\nKEY\0\n", 2), ("AGE-SECRET-KEY-1\n", 1), ("KEY KEY\n", 1), ("KEY\rKEY\n", 1),
    ])
    func `A line that is no key is named by its number`(template: String, line: Int) throws {
        let text = template.replacing("KEY", with: text(first))
        #expect(throws: IdentityFile.Malformed.line(line)) { _ = try parse(text) }
    }

    @Test func `A key in lower case, with a wrong checksum or cut short is no key`() {
        let key = text(first)
        for wrong in [key.lowercased(), String(key.dropLast()), key + "Q", first.recipient.description] {
            #expect(throws: IdentityFile.Malformed.line(1)) { _ = try parse(wrong) }
        }
    }

    @Test(arguments: ["", "\n", "# only a comment\n", "\r\n\r\n"]) func `A file without a key is refused`(text: String)
    {
        #expect(throws: IdentityFile.Malformed.noKey) { _ = try parse(text) }
    }

    @Test func `Encrypted files are told from others`() throws {
        let file = try protected("words")
        #expect(isEncrypted(file))
        #expect(isEncrypted(armored(file)))
        #expect(isEncrypted((Array("\r\n \t".utf8) + armored(file))))
        // A later version of the format is encrypted, too, and not a file of bad lines.
        #expect(isEncrypted(Array("age-encryption.org/v9\n".utf8)))
        for other in ["", "\n", "# comment\n", text(first), "age-encryption.or", "----", " age-encryption.org/v1\n"] {
            #expect(!isEncrypted(Array(other.utf8)), "\(other)")
        }
    }

    @Test func `A passphrase opens its file, binary and armored`() throws {
        let file = try protected("words")
        for file in [file, armored(file), armored(file, lineEnd: "\r\n")] {
            let opened = try IdentityFile.decrypt(file, with: passphrase("words")).bytes
            #expect(
                try IdentityFile.parse(opened.span, commentsAfter: "id:").identities.map(\.recipient) == [
                    first.recipient
                ])
        }
    }

    @Test func `Another passphrase matches nothing`() throws {
        let file = try protected("words")
        for wrong in ["", "word", "words ", "Words"] {
            #expect(throws: AgeError.noMatch) { _ = try IdentityFile.decrypt(file, with: passphrase(wrong)) }
            #expect(throws: AgeError.noMatch) { _ = try IdentityFile.decrypt(armored(file), with: passphrase(wrong)) }
        }
    }

    @Test func `A file that is for a key is not opened by a passphrase`() {
        let file = AgeFile.encrypt(first.encoded().bytes.span, to: [second.recipient])
        #expect(throws: AgeError.noMatch) { _ = try IdentityFile.decrypt(file, with: passphrase("words")) }
    }

    private func text(_ identity: X25519Identity) -> String {
        String(decoding: identity.encoded().bytes, as: UTF8.self)
    }

    private func parse(_ text: String) throws -> IdentityFile.Contents {
        try IdentityFile.parse(Array(text.utf8).span, commentsAfter: "id:")
    }

    private func protected(_ words: String) throws -> [UInt8] {
        let recipient = ScryptRecipient(passphrase: SecretBytes(Array(words.utf8)), workFactor: 4)
        return try AgeFile.encrypt(first.encoded().bytes.span, to: recipient)
    }
}
