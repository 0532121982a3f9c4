@testable import Age
import Sodium
import TestSupport
import Testing

@Suite struct AgeFileTests {
    let identity = X25519Identity()

    @Test(arguments: [0, 1, 100, 65_535, 65_536, 65_537, 200_000])
    func `What was encrypted is decrypted, whatever its size`(size: Int) throws {
        let plaintext = pattern(size)
        let isSame = try decrypt(encrypt(plaintext), with: [identity]) == plaintext
        #expect(isSame)
    }

    @Test func `A file has a stanza for each recipient, in their order`() throws {
        let identities = (0..<4).map { _ in X25519Identity() }
        let file = AgeFile.encrypt([1, 2, 3].span, to: identities.map(\.recipient))
        for (index, identity) in identities.enumerated() {
            #expect(try Header(readingFrom: file).unwrap(with: [identity]).stanza == index)
            #expect(try decrypt(file, with: [identity]) == [1, 2, 3])
        }
        #expect(throws: AgeError.noMatch) { _ = try decrypt(file, with: [X25519Identity()]) }
    }

    @Test func `A passphrase is a file's only recipient`() throws {
        let recipient = ScryptRecipient(passphrase: SecretBytes(Array("words".utf8)), workFactor: 2)
        let file = try AgeFile.encrypt([1, 2, 3].span, to: recipient)
        #expect(try Header(readingFrom: file).stanzas.map(\.type) == ["scrypt"])
        #expect(try decrypt(file, with: [identity, passphrase("words")]) == [1, 2, 3])
        #expect(throws: AgeError.noMatch) { _ = try decrypt(file, with: [identity, passphrase("other")]) }
    }

    @Test func `The same plaintext never looks the same`() {
        #expect(Set((0..<20).map { _ in encrypt([1, 2, 3]) }).count == 20)
    }

    @Test func `Every bit of a small file counts`() {
        let file = encrypt(pattern(20))
        for bit in 0..<file.count * 8 {
            var changed = file
            changed[bit / 8] ^= 1 << (bit % 8)
            #expect(ending(changed) != .success, "bit \(bit)")
        }
    }

    @Test func `A small file that is cut anywhere is refused`() {
        let file = encrypt(pattern(50))
        for count in 0..<file.count {
            let ending = ending(Array(file.prefix(count)))
            #expect(ending == .header || ending == .payload, "\(count) bytes")
        }
    }

    @Test func `A file that is cut around the end of a chunk is refused`() {
        let file = encrypt(pattern(3 << 16))
        let start = file.count - 3 * (1 << 16 + 16)
        for chunks in 0...3 {
            for offset in -20...20 {
                let count = start + chunks * (1 << 16 + 16) + offset
                guard count >= start, count < file.count else { continue }
                #expect(ending(Array(file.prefix(count))) == .payload, "\(count) bytes")
            }
        }
    }

    @Test func `A file that goes on after its end is refused`() {
        for size in [0, 1, 65_535, 65_536] {
            for more in [1, 15, 16, 17] {
                #expect(ending(encrypt(pattern(size)) + [UInt8](repeating: 0, count: more)) == .payload)
            }
        }
    }

    private func encrypt(_ plaintext: [UInt8]) -> [UInt8] { AgeFile.encrypt(plaintext.span, to: [identity.recipient]) }

    private func ending(_ file: [UInt8]) -> Outcome? {
        outcome { () throws(AgeError) in _ = try decrypt(file, with: [identity]) }
    }
}
