import Age
import Foundation
import SystemPackage
import TestSupport
import Testing

@testable import VaultFile

/// Vaults as they were once written. Whatever changes in this package, they stay readable.
@Suite struct VectorTests {
    static let records = [
        #"{"name":"Registry/npm.example","token":{"value":"npm_0123456789abcdefABCDEF","added":"2026-01-02T03:04:05Z"}}"#,
        #"{"name":"github","urls":["https://api.github.com"],"token":{"value":"ghp_0123456789abcdefABCDEF"},"tags":["ci"]}"#,
        #"{"name":"github-old","note":"escapes: \"\\\/\b\f\n\r\t\u00e9\ud83d\ude00, and none: é😀","token":{"value":"x"}}"#,
        #"{"name":"z","unknown":[null,true,false,-1.5e10,{"a":{}}]}"#,
    ]

    private static let folder = FilePath(#filePath).removingLastComponent().appending("Vectors")

    private let identity: X25519Identity
    private let pin: Pin

    init() throws {
        let text = try Self.folder.appending("identity.txt").read()
        let contents = try IdentityFile.parse(text.span, commentsAfter: "vault-id:")
        identity = try #require(contents.identities.first)
        pin = try #require(Pin("vault1mgpyvx4psahxgxnrmccnyt03h9tdem6f76ts8cw7vzjv26p4rwysvmjrq7"))
        #expect(contents.comments == ["\(pin)"])
    }

    private func vault(_ name: String, ratchet: Ratchet = Ratchet(folder: "/dev/null")) -> Vault {
        Vault(
            path: Self.folder.appending(name), identities: [identity], trust: .init(pin: pin), ratchet: ratchet)
    }

    @Test func theKeysAreDerivedAsEver() {
        #expect("\(identity.recipient)" == "age1077k2r7gj2d7fe7s8myt6rplhklrpdq82nzr03lhfyu6v32v4g2saet4rz")
        #expect(
            "\(SigningKey(of: identity).verificationKey)"
                == "vaultkey12k3zjjl0g6r2gz6qawuxq6hdzycuu3alqvrg7lugl4t4cnln5dtqzth4ry")
    }

    @Test func anEmptyVaultIsRead() throws {
        var reader = try vault("empty.age").open()
        #expect(reader.blockCount == 0)
        #expect(reader.manifest.generation == 1 && reader.manifest.previous == [])
        #expect(reader.manifest.written == "2026-11-24T08:07:36Z")
        #expect(reader.roster.version == 1)
        #expect(reader.roster.members == [Member(.owner, identity, label: "alice")])
        #expect(try reader.records() == [])
    }

    @Test func aVaultOfOneBlockIsRead() throws {
        let empty = try vault("empty.age").open()
        var reader = try vault("one-block.age").open()
        #expect(reader.blockCount == 1)
        #expect(reader.manifest.generation == 2 && reader.manifest.previous == [empty.state.manifest])
        #expect(reader.manifest.written == "2026-11-24T08:07:36Z")
        #expect("\(reader.state.manifest)" == "Ru+HuXm5ptIB/2xaZ9OaX4s3ZpNSFdrYIEyek4AU62A=")
        #expect("\(reader.state.roster)" == "ODdOveoyZyiH2tMUKJjDPFceURuN7jajM7DccfMUxjg=")
        #expect(try reader.records() == Self.records)
        #expect(try reader.record("github") == Self.records[1])
        #expect(try reader.record("github-older") == nil)
    }

    @Test func oneFollowsTheOther() throws {
        let folder = try TemporaryFolder()
        let ratchet = Ratchet(folder: FilePath(folder.path))
        _ = try vault("empty.age", ratchet: ratchet).open()
        _ = try vault("one-block.age", ratchet: ratchet).open()
        #expect(
            throws: VaultError.older("it has generation 1, but generation 2 was seen here").at(
                Self.folder.appending("empty.age"))
        ) {
            _ = try vault("empty.age", ratchet: ratchet).open()
        }
    }

    @Test func aCopyIsWritten() throws {
        let folder = try TemporaryFolder()
        let path = FilePath(folder.file("vault.age"))
        try Self.folder.appending("one-block.age").read().write(to: path)
        let copy = Vault(
            path: path, identities: [identity], trust: .init(pin: pin), ratchet: Ratchet(folder: "/dev/null"))
        try copy.put(record("new"))
        #expect(try copy.records() == Self.records[..<3] + [record("new"), Self.records[3]])
    }

    @Test(arguments: ["empty.age", "one-block.age"])
    func theIndependentReaderReadsThem(_ name: String) throws {
        let folder = try TemporaryFolder()
        let path = FilePath(folder.file(name))
        try Self.folder.appending(name).read().write(to: path)
        let (report, records) = try Independent.read(path, as: identity, pin: pin)
        #expect(report.id == "\(pin)" && report.rosterVersion == 1)
        #expect(records == (name == "empty.age" ? "" : Self.records.joined(separator: ", ")))
    }
}
