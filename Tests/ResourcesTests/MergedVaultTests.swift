import Age
import Foundation
import Resources
import Sodium
import SystemPackage
import TestSupport
import Testing
import VaultFile

/// Vaults of several blocks, as files, that two sides edited at random.
@Suite struct MergedVaultTests {
    private let folder: TemporaryFolder
    private let owner = X25519Identity()
    private let pin: Pin

    init() throws {
        folder = try TemporaryFolder()
        let path = FilePath(folder.file("base"))
        pin = Pin(
            id: try Vault(path: path, identities: [owner], trust: .init(), ratchet: .init(folder: nil))
                .create(label: "owner").result)
        var random = Generator(seed: 0)
        try vault("base").update { _, changes in
            for number in 0..<600 { try changes.put(Self.record("r\(number)", token: "first", &random)) }
        }
    }

    private func vault(_ name: String) -> Vault {
        Vault(
            path: FilePath(folder.file(name)), identities: [owner], trust: .init(pin: pin), ratchet: .init(folder: nil))
    }

    private static func record(
        _ name: String, token: String, _ random: inout some RandomNumberGenerator
    ) throws -> Record {
        let name = try #require(RecordName(name))
        let resource = Resource(
            name: name, urls: [try ResourceURL("https://\(name).example")],
            note: String(repeating: "n", count: .random(in: 0..<400, using: &random)), now: Timestamp(seconds: 0))
        return try Record(resource, token: SecretBytes(copying: Array("\(token)-\(name)".utf8).span))
    }

    /// A copy of the base after some edits, of which several are of the same records on both sides.
    private func edit(_ name: String, _ random: inout some RandomNumberGenerator) throws {
        try FileManager.default.copyItem(atPath: folder.file("base"), toPath: folder.file(name))
        for write in 1...3 {
            try vault(name).update { reader, changes in
                for edit in 0..<25 {
                    let resource = try #require(RecordName("r\(Int.random(in: 0..<60, using: &random) * 10)"))
                    let now = Timestamp(seconds: write * 1000 + edit)
                    guard let record = try reader.withRecord(named: resource, { try Record($0) }) else { continue }
                    switch Int.random(in: 0..<5, using: &random) {
                    case 0: changes.remove(resource)
                    case 1: try changes.put(Self.record("new\(edit)", token: "\(name)-\(write)", &random))
                    case 2:
                        var edited = record.resource
                        edited.note = "\(name) \(write)"
                        edited.updated = now
                        try changes.put(record.edited(edited))
                    default:
                        let token = SecretBytes(copying: Array("\(name)-\(write)-\(edit)-token".utf8).span)
                        try changes.put(record.rotated(to: token, now: now, expires: nil))
                    }
                }
            }
        }
    }

    /// All records, as they stand there.
    private func records(_ name: String) throws -> [String] {
        var reader = try vault(name).open()
        var records: [String] = []
        try reader.forEachRecord { records.append($0.text) }
        return records
    }

    private func merge(
        _ ours: String, _ theirs: String, into name: String, preferring preference: RecordMerge.Preference?
    ) throws -> RecordMerge {
        try FileManager.default.copyItem(atPath: folder.file(ours), toPath: folder.file(name))
        var merge = RecordMerge(preferring: preference)
        let output = FilePath(folder.file(name))
        let versions = Vault.MergeVersions(
            base: FilePath(folder.file("base")), ours: output, theirs: FilePath(folder.file(theirs)))
        _ = try vault(name).merge(versions, into: output) { differences in
            try differences.resolve { name, base, ours, theirs in
                try merge.merge(name, base: base, ours: ours, theirs: theirs)
            }
        }
        return merge
    }

    /// The tokens of all records and their histories, with the names of the records.
    private func tokens(_ name: String) throws -> Set<String> {
        var tokens: Set<String> = []
        for line in try records(name) {
            let bytes = Array(line.utf8)
            let view = try RecordView(bytes.span)
            view.forEachToken(in: bytes.span) { _, token in tokens.insert("\(view.resource.name) \(token.text)") }
        }
        return tokens
    }

    @Test(arguments: 1...4) func inEitherOrderTheSameComesOfIt(seed: Int) throws {
        var random = Generator(seed: UInt64(seed))
        try edit("ours", &random)
        try edit("theirs", &random)
        let newest = try merge("ours", "theirs", into: "newest", preferring: .newest)
        _ = try merge("theirs", "ours", into: "other-newest", preferring: .newest)
        _ = try merge("ours", "theirs", into: "of-ours", preferring: .ours)
        _ = try merge("theirs", "ours", into: "of-theirs", preferring: .theirs)
        #expect(try records("newest") == records("other-newest"))
        #expect(try records("of-ours") == records("of-theirs"))
        #expect(!newest.settled.isEmpty, "random edits of the same records without one conflict")
        let undecided = try merge("ours", "theirs", into: "undecided", preferring: nil)
        #expect(Set(undecided.conflicts.map(\.name)) == Set(newest.settled.map(\.name)))
        // Nothing is lost but with its record.
        let left = Set(try tokens("newest").map { $0.prefix { $0 != " " } })
        for side in ["ours", "theirs"] {
            let lost = try tokens(side).subtracting(try tokens("newest"))
            #expect(lost.allSatisfy { !left.contains($0.prefix { $0 != " " }) }, "\(lost)")
        }
        // With itself, with its base, and once more, nothing changes.
        let before = try Data(contentsOf: URL(filePath: folder.file("newest")))
        #expect(try merge("newest", "newest", into: "itself", preferring: nil).conflicts.isEmpty)
        #expect(try Data(contentsOf: URL(filePath: folder.file("itself"))) == before)
        _ = try merge("newest", "base", into: "with-base", preferring: nil)
        #expect(try Data(contentsOf: URL(filePath: folder.file("with-base"))) == before)
    }
}

extension RecordChanges {
    fileprivate mutating func put(_ record: borrowing Record) throws {
        try put(record.resource.name) { output in record.withBytes { output.append($0) } }
    }
}
