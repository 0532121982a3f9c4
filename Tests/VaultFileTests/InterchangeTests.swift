import Age
import Foundation
import Sodium
import SystemPackage
import TestSupport
import Testing

@testable import VaultFile

/// Vaults that go from one program to another: to and from Python, and to and from age and jq as everybody has them.
@Suite struct InterchangeTests {
    // MARK: - Python reads

    /// What the independent reader says of the vault is what is in it.
    private func expectSame(_ place: VaultPlace, as identity: X25519Identity? = nil) throws {
        let (report, records) = try Independent.read(place.path, as: identity ?? place.owner, pin: place.pin)
        let reader = try place.vault.open()
        #expect(report.id == "\(reader.id)")
        #expect(report.rosterVersion == reader.roster.version)
        #expect(report.generation == reader.manifest.generation)
        #expect(
            report.members
                == reader.roster.members.map {
                    .init(
                        role: $0.role.rawValue, recipient: "\($0.recipient)", key: $0.key.map { "\($0)" } ?? "-",
                        label: $0.label)
                })
        #expect(records == (try place.vault.records().joined(separator: ", ")))
    }

    @Test(arguments: [0, 1, 3, 9])
    func pythonReadsAVaultOfSoManyBlocks(_ blocks: Int) throws {
        let place = try VaultPlace()
        if blocks > 0 { try place.vault.put((0..<blocks).map { record("r\($0)", size: 60_000) }) }
        #expect(try place.vault.open().blockCount == blocks)
        try expectSame(place)
    }

    @Test func pythonReadsWhatWasRewritten() throws {
        let place = try VaultPlace()
        try place.vault.put((0..<20).map { record("r\($0)", size: 16_000) })
        try place.vault.put(record("r5"), record("r50", size: 65_535), record("a"))
        try expectSame(place)
        try place.vault.remove("r0", "r1", "r50", "r9")
        try expectSame(place)
        try place.vault.update { reader, changes in
            for record in try reader.records() where !record.hasPrefix(#"{"name":"r1"#) {
                changes.remove(try RecordName(checking: record.dropFirst(9).prefix { $0 != "\"" }))
            }
        }
        try expectSame(place)
        let backup = try Independent.check(place.backup, as: place.owner, pin: place.pin)
        #expect(backup.status == 0)
    }

    /// The length of the label moves the manifest's padding through some of its sizes.
    @Test(arguments: [1, 2, 31, 63, 64])
    func pythonReadsWhateverTheLabel(_ count: Int) throws {
        let label = String(repeating: "l", count: count)
        let name = String(repeating: "n", count: 2 * count)
        let place = try VaultPlace(record(name), label: label)
        try expectSame(place)
    }

    @Test func pythonReadsWhatSeveralMembersWrote() throws {
        let people = [X25519Identity(), X25519Identity(), X25519Identity()]
        let place = try VaultPlace(of: people[0])
        #expect(try Independent.write(place.path, people: people, ["--nonce", place.nonce]) == place.pin)
        for round in 0..<2 {
            for (number, person) in people.prefix(2).enumerated() {
                try place.vault(as: person, state: "state\(number)").put(record("round\(round)/\(number)"))
                for reader in people { try expectSame(place, as: reader) }
            }
        }
        #expect(try place.vault.generation() == 5)
    }

    @Test func pythonReadsARosterThatWasIssuedAgain() throws {
        let place = try VaultPlace(holding: Draft(generation: Number.maximum, blocks: [[record("a")]]))
        try place.vault.put(record("b"))
        try expectSame(place)
    }

    // MARK: - Python writes

    @Test(arguments: [
        [], ["--escape"], ["--grease"], ["--writer-signs"], ["--per-block", "1"], ["--version", "9007199254740991"],
        ["--generation", "9007199254740990"], ["--escape", "--grease", "--per-block", "2", "--writer-signs"],
        ["--written", "0000-99-99T99:99:99Z"],
        ["--previous", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE="],
    ])
    func whatPythonWritesIsReadByAllMembersAndWritten(_ options: [String]) throws {
        let people = [X25519Identity(), X25519Identity(), X25519Identity(), X25519Identity()]
        let place = try VaultPlace(of: people[0])
        #expect(try Independent.write(place.path, people: people, options + ["--nonce", place.nonce]) == place.pin)
        let records = [("aa", 40_023), ("bb", 40_023), ("cc", 33), ("dd", 40_023), ("zz", 33)].map {
            record($0.0, size: $0.1)
        }
        for (number, person) in people.enumerated() {
            let vault = place.vault(as: person, state: "state\(number)")
            #expect(try vault.records() == records)
            #expect(try vault.record("cc") == records[2])
            #expect(try vault.record("ccc") == nil)
        }
        let before = try place.vault.open()
        try place.vault(as: people[1]).put(record("ccc"))
        let after = try place.vault.open()
        #expect(after.manifest.generation == before.manifest.generation + 1)
        #expect(after.manifest.previous == [before.state.manifest])
        #expect(after.tail.roster == before.tail.roster)
        // Of the header nothing is left but the members.
        #expect(
            try Header(readingFrom: place.path.read()).stanzas.map(\.type) == ["X25519", "X25519", "X25519", "X25519"])
        for reader in people { try expectSame(place, as: reader) }
    }

    /// Names so long that the tail has more than one chunk.
    @Test func aTailOfSeveralChunksIsReadAndWritten() throws {
        let folder = try TemporaryFolder()
        let file = FilePath(folder.file("records"))
        let names = (0..<400).map { number in
            let text = "\(1000 + number)"
            return text + String(repeating: "n", count: 128 - text.utf8.count)
        }
        try Array(names.map { record($0) }.joined(separator: "\n").utf8).write(to: file)
        let place = try VaultPlace(of: X25519Identity())
        _ = try Independent.write(
            place.path, people: [place.owner],
            ["--nonce", place.nonce, "--records", file.string, "--per-block", "1"])
        let reader = try place.vault.open()
        #expect(reader.blockCount == 400)
        #expect(reader.tail.bytes.count > Block.size)
        for name in [names[0], names[200], names[399]] { #expect(try place.vault.record(name) == record(name)) }
        try place.vault.put(record("1200"))
        #expect(try place.vault.open().tail.bytes.count > Block.size)
        try expectSame(place)
    }

    // MARK: - age

    /// The file that holds the identity of a place's owner.
    private func identityFile(_ place: VaultPlace) throws -> String {
        let path = place.folder.file("identity.txt")
        try Array(("# created: today\n" + place.owner.line).utf8).write(to: FilePath(path))
        return path
    }

    private func decrypted(_ place: VaultPlace) throws -> [UInt8] {
        let output = try Command.run("age", ["-d", "-i", try identityFile(place), place.path.string])
        guard output.status == 0 else { throw Unexpected(what: output.errorText) }
        return output.stdout
    }

    /// Encrypts as everybody can who knows a recipient.
    private func encrypt(_ plaintext: [UInt8], _ options: [String], to place: VaultPlace) throws {
        let output = try Command.run("age", options + ["-r", "\(place.owner.recipient)"], input: plaintext)
        guard output.status == 0 else { throw Unexpected(what: output.errorText) }
        try output.stdout.write(to: place.path)
    }

    @Test func ageAndJQRecoverAToken() throws {
        let place = try VaultPlace(
            #"{"name":"git","token":{"value":"wrong"}}"#,
            #"{"name":"github","urls":["https://api.github.com"],"token":{"value":"ghp_\u00e9\"16C7e42F"}}"#,
            #"{"name":"gitlab","token":{"value":"glpat-wrong"}}"#)
        try place.vault.put((0..<10).map { record("z\($0)", size: 60_000) })
        let output = try Command.run(
            "jq", ["-r", #"select(.name=="github").token.value"#], input: try decrypted(place))
        #expect(output.errorText == "" && output.status == 0)
        #expect(output.text == "ghp_é\"16C7e42F\n")
    }

    @Test func ageReadsNothingButRecordsAndTheTail() throws {
        let place = try VaultPlace(record("a"), record("b"))
        let lines = try decrypted(place).split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        #expect(lines.count == 7 && lines[6].isEmpty)
        #expect(String(decoding: lines[0], as: UTF8.self) == record("a"))
        #expect(String(decoding: lines[1], as: UTF8.self).hasPrefix(record("b") + "  "))
    }

    @Test func whatAgeEncryptedForAMemberIsNoVault() throws {
        let place = try VaultPlace(record("a"))
        let rubbish = Array((record("a") + "\n").utf8)
        let footer = Array((#"{"vault":1,"blocks":0}"# + String(repeating: " ", count: 41) + "\n").utf8)
        let padding = { (count: Int) in [UInt8](repeating: UInt8(ascii: " "), count: count) }
        for (plaintext, words) in [
            ([], "its size is not one that a vault can have"),
            (rubbish, "its size is not one that a vault can have"),
            (rubbish + padding(4096 - rubbish.count), "the footer is malformed"),
            (
                rubbish + padding(4096 - 64 - rubbish.count) + footer,
                "the index line is malformed, or does not have the 0 blocks of the footer"
            ),
        ] {
            try encrypt(plaintext, [], to: place)
            #expect(throws: VaultError.damaged(words).at(place.path)) { _ = try place.vault.open() }
            #expect(throws: VaultError.damaged(words).at(place.path)) { try place.vault.put(record("b")) }
        }
    }

    /// The header is not signed, and whoever reads the vault could make another one.
    @Test func theContentEncryptedAnewIsTheSameVault() throws {
        let place = try VaultPlace(record("a"))
        let stranger = X25519Identity()
        try encrypt(try decrypted(place), ["-r", "\(stranger.recipient)"], to: place)
        #expect(try place.vault.records() == [record("a")])
        #expect(try place.vault(as: stranger, state: "stranger").records() == [record("a")])
        #expect(throws: VaultError.notAllowed("this identity may read the vault, but not write it")) {
            try place.vault(as: stranger, state: "stranger").put(record("b"))
        }
        // The next write is for the members alone.
        try place.vault.put(record("b"))
        #expect(try place.vault.records() == [record("a"), record("b")])
        #expect(throws: VaultError.noMatch) { _ = try place.vault(as: stranger, state: "stranger").open() }
        try expectSame(place)
    }

    @Test func anArmoredVaultIsNone() throws {
        let place = try VaultPlace(record("a"))
        try encrypt(try decrypted(place), ["-a"], to: place)
        #expect(
            throws: VaultError.damaged("the header is malformed: the first line is not that of an age file").at(
                place.path)
        ) { _ = try place.vault.open() }
    }
}
