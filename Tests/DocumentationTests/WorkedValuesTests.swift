import Age
import Sodium
import TestSupport
import Testing

@testable import VaultFile

/// The values in the format's specification, against the code.
@Suite struct WorkedValuesTests {
    @Test func theSpecificationIsRight() throws {
        let article = try Document("Sources/VaultFile/VaultFile.docc/FileFormat.md")
        let blocks = Array(article.codeBlocks.suffix(9))
        let keys = values(blocks[0])
        let identity = X25519Identity(secretKey: SecretBytes(count: 32) { for i in 0..<32 { $0[i] = UInt8(i) } })
        let key = SigningKey(of: identity)
        #expect(identity.encoded().withBytes { $0.text } == keys["identity"])
        #expect("\(identity.recipient)" == keys["recipient"])
        #expect("\(key.verificationKey)" == keys["signing key"])

        let roster = try #require(Roster(text: blocks[1]))
        #expect(roster.nonce == (0xa0...0xaf).map { $0 })
        #expect(roster.text == blocks[1])
        #expect("\(roster.id)" == keys["id"])
        let signedRoster = key.sign(blocks[1])
        #expect(Hash.encodeBase64(signedRoster.signature) == values(blocks[2])["signature"])
        #expect("\(Hash.roster(blocks[1]))" == values(blocks[2])["hash"])

        let first = key.sign(blocks[3])
        try check(first, values(blocks[4]))
        let empty = Tail(index: BlockIndex(entries: []), roster: signedRoster, manifest: first)
        #expect(empty.indexHash == Manifest(text: blocks[3])?.index)
        #expect(try article.text.contains(sha256(empty.bytes)))

        let record = Array(blocks[5].utf8.dropLast())
        let block = record + [UInt8](repeating: 0x20, count: Block.size - 1 - record.count) + [0x0a]
        let hash = Hash.block(block.span)
        #expect("\(hash)" == values(blocks[6])["block hash"])
        let name = try #require(RecordName("demo"))
        let index = BlockIndex(entries: [.init(first: name, hash: hash)])
        #expect(index.line == Array("\(values(blocks[6])["index line"] ?? "")\n".utf8))
        let second = key.sign(blocks[7])
        try check(second, values(blocks[8]))
        let tail = Tail(index: index, roster: signedRoster, manifest: second)
        #expect(tail.indexHash == Manifest(text: blocks[7])?.index)
        #expect(Manifest(text: blocks[7])?.previous == [Hash.manifest(blocks[3])])
        #expect(try article.text.contains(sha256(block + tail.bytes)))
    }

    private func check(_ manifest: Signed, _ values: [String: String]) throws {
        #expect(try #require(Manifest(text: manifest.text)).text == manifest.text)
        #expect("\(Hash.manifest(manifest.text))" == values["hash"])
        #expect(Hash.encodeBase64(manifest.signature) == values["signature"])
    }

    /// Lines of a name, two spaces or more, and a value.
    private func values(_ block: String) -> [String: String] {
        let pairs = block.matches(of: /(?m)^(.+?)  +(.+)$/).map { (String($0.1), String($0.2)) }
        return Dictionary(uniqueKeysWithValues: pairs)
    }

    private func sha256(_ bytes: [UInt8]) throws -> String {
        String(try Command.run("sha256sum", input: bytes).text.prefix(64))
    }
}
