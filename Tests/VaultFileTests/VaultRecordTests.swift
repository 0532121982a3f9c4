import Sodium
import Age
import SystemPackage
import Testing

@testable import VaultFile

/// Records, and the blocks that they are packed into.
@Suite struct VaultRecordTests {
    private func firsts(_ place: VaultPlace) throws -> [String] { try place.vault.open().firsts }

    /// The hash of each block, by its first name.
    private func hashes(_ place: VaultPlace) throws -> [String: Hash] {
        let reader = try place.vault.open()
        return Dictionary(uniqueKeysWithValues: reader.tail.index.entries.map { ("\($0.first)", $0.hash) })
    }

    // MARK: - One block

    @Test(arguments: ["a", "b", "bb", "c", "cc", "d", "dd", "e", "ee", "f"])
    func aRecordGoesWhereItBelongs(_ name: String) throws {
        let before = ["b", "c", "d", "e"].map { record($0, size: 50) }
        let place = try VaultPlace()
        try place.vault.put(before)
        try place.vault.put(record(name, size: 99))
        let expected = (before.filter { !$0.hasPrefix(#"{"name":"\#(name)""#) } + [record(name, size: 99)]).sorted()
        #expect(try place.vault.records() == expected)
        #expect(try place.vault.record(name) == record(name, size: 99))
        #expect(try firsts(place) == [name < "b" ? name : "b"])
        try place.vault.remove(name)
        #expect(try place.vault.records() == expected.filter { $0 != record(name, size: 99) })
        #expect(try place.vault.record(name) == nil)
    }

    @Test func manyChangesAreOneVersion() throws {
        let place = try VaultPlace(record("a"), record("b"), record("c"), record("d"))
        try place.vault.update { reader, changes in
            #expect(try reader.record("b") == record("b"))
            try changes.put(record("b", size: 100))
            changes.remove(try RecordName(checking: "a"))
            changes.remove(try RecordName(checking: "nobody"))
            try changes.put(record("e", size: 40))
            try changes.put(record("0"))
            // The last word counts.
            try changes.put(record("e", size: 60))
            try changes.put(record("f"))
            changes.remove(try RecordName(checking: "f"))
            changes.remove(try RecordName(checking: "c"))
            try changes.put(record("c", size: 70))
        }
        #expect(
            try place.vault.records() == [
                record("0"), record("b", size: 100), record("c", size: 70), record("d"), record("e", size: 60),
            ])
        #expect(try place.vault.generation() == 3)
    }

    @Test func allRecordsCanBeRemoved() throws {
        let place = try VaultPlace(record("a"), record("b"))
        let empty = try VaultPlace()
        try place.vault.remove("a", "b")
        #expect(try place.vault.records() == [])
        #expect(try place.vault.open().blockCount == 0)
        #expect(try place.path.read().count == empty.path.read().count)
        #expect(try place.vault.record("a") == nil)
        try place.vault.remove("a")
        #expect(try place.vault.open().blockCount == 0)
        try place.vault.put(record("c"))
        #expect(try place.vault.records() == [record("c")])
    }

    @Test func theSizeHidesWhatIsInIt() throws {
        let one = try VaultPlace(record("a"))
        let many = try VaultPlace()
        try many.vault.put((0..<500).map { record("record/\($0)", size: 100) })
        #expect(try one.path.read().count == many.path.read().count)
    }

    @Test func namesOfEveryKindAreFoundAgain() throws {
        let place = try VaultPlace()
        let characters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._/-"
        var names = characters.map { "n\($0)" } + characters.filter { !"._/-".contains($0) }.map { "\($0)" }
        names += ["n" + String(repeating: "/", count: 127), String(repeating: "z", count: 128), "a/b/c", "a.b-c_d"]
        try place.vault.put(names.map { record($0) })
        var reader = try place.vault.open()
        for name in names { #expect(try reader.record(name) == record(name)) }
        let sorted = names.sorted { Array($0.utf8).lexicographicallyPrecedes(Array($1.utf8)) }
        #expect(try reader.records() == sorted.map { record($0) })
        for name in ["nn/", "n//", "zz", "0n", "A0"] { #expect(try reader.record(name) == nil) }
    }

    @Test func aRecordIsKeptByteForByte() throws {
        let strange = "{\"name\":\"a\" , \"x\" :\t[1.10, 1e400,{\"é\":\"\\u00e9\\ud83d\\ude00\"} ],\"name2\":null  }"
        let place = try VaultPlace(strange)
        try place.vault.put(record("b"))
        #expect(try place.vault.record("a") == strange)
    }

    @Test func whatTheBodyOfAReaderThrowsIsThrown() throws {
        let place = try VaultPlace(record("a"))
        var reader = try place.vault.open()
        #expect(throws: Unexpected.self) {
            _ = try reader.withRecord(named: try RecordName(checking: "a")) { _ in throw Unexpected(what: "no") }
        }
        #expect(throws: Unexpected.self) { try reader.forEachRecord { _ in throw Unexpected(what: "no") } }
        #expect(try reader.records() == [record("a")])
    }

    // MARK: - Several blocks

    @Test func aFullBlockIsSplit() throws {
        let place = try VaultPlace()
        try place.vault.put(["a", "b", "c", "d"].map { record($0, size: 16_000) })
        #expect(try firsts(place) == ["a"])
        try place.vault.put(record("bb", size: 16_000))
        #expect(try firsts(place) == ["a", "c"])
        #expect(
            try place.vault.records() == ["a", "b", "bb", "c", "d"].map { record($0, size: 16_000) })
    }

    /// As many bytes as a block has, and one more: newlines count.
    @Test func aBlockIsFilledToItsLastByte() throws {
        let place = try VaultPlace()
        try place.vault.put(record("a", size: 30_000), record("b", size: 65_535 - 30_001))
        #expect(try firsts(place) == ["a"])
        try place.vault.put(record("b", size: 65_535 - 30_000))
        #expect(try firsts(place) == ["a", "b"])
        #expect(try place.vault.records().map(\.utf8.count) == [30_000, 35_535])
    }

    @Test func sixTokensOfTheLargestSizeAreKept() throws {
        let token = String(repeating: "t", count: 16 << 10)
        let records = (1...6).map { #"{"name":"api\#($0)","token":{"value":"\#(token)"}}"# }
        let place = try VaultPlace()
        try place.vault.put(records)
        #expect(try place.vault.records() == records)
        #expect(try place.vault.open().blockCount == 2)
        for number in 1...6 { #expect(try place.vault.record("api\(number)") == records[number - 1]) }
        try place.vault.remove("api3")
        try place.vault.put(record("api0"), record("api35"))
        #expect(try place.vault.records().count == 7)
    }

    @Test func recordsOfTheLargestSizeHaveABlockEach() throws {
        let names = ["a", "b", "c", "d", "e", "f"]
        let place = try VaultPlace()
        try place.vault.put(names.map { record($0, size: 65_535) })
        #expect(try firsts(place) == names)
        #expect(try place.vault.records() == names.map { record($0, size: 65_535) })
        // A small one beside a large one takes a block of its own.
        try place.vault.put(record("cc"), record("0"))
        #expect(try firsts(place) == ["0", "a", "b", "c", "cc", "d", "e", "f"])
        try place.vault.put(record("c"))
        #expect(try place.vault.records().map(\.utf8.count).filter { $0 == 65_535 }.count == 5)
    }

    @Test func aLargerRecordIsRefused() throws {
        let place = try VaultPlace(record("a"))
        let before = try place.path.read()
        #expect(throws: VaultError.tooLarge("the record of b has 65536 bytes, and 65535 is the most")) {
            try place.vault.put(record("b", size: 65_536))
        }
        #expect(try place.path.read() == before)
    }

    @Test func onlyWhatChangesIsPackedAnew() throws {
        let names = ["a", "b", "c", "d", "e"]
        let place = try VaultPlace()
        try place.vault.put(names.map { record($0, size: 60_000) })
        let before = try hashes(place)
        #expect(before.keys.sorted() == names)
        try place.vault.put(record("c", size: 59_999))
        var after = try hashes(place)
        #expect(after.keys.sorted() == names)
        #expect(names.filter { after[$0] != before[$0] } == ["c"])
        try place.vault.put(record("dd"))
        after = try hashes(place)
        #expect(names.filter { after[$0] != before[$0] } == ["c", "d"])
        try place.vault.put(record("0"))
        after = try hashes(place)
        #expect(after["0"] != nil && after["a"] == nil)
    }

    @Test func aBlockGoesWithItsLastRecord() throws {
        let place = try VaultPlace()
        try place.vault.put(["a", "c", "e"].map { record($0, size: 60_000) })
        try place.vault.put(record("d"))
        #expect(try firsts(place) == ["a", "c", "e"])
        try place.vault.remove("c")
        #expect(try firsts(place) == ["a", "d", "e"])
        try place.vault.remove("d")
        #expect(try firsts(place) == ["a", "e"])
        try place.vault.remove("a")
        #expect(try firsts(place) == ["e"])
        #expect(try place.vault.records() == [record("e", size: 60_000)])
    }

    @Test func aNameIsLookedForInTheOneBlockThatCouldHaveIt() throws {
        let place = try VaultPlace()
        try place.vault.put(["b", "d", "f"].map { record($0, size: 60_000) })
        try place.vault.put(record("dd"), record("ff"))
        var reader = try place.vault.open()
        for name in ["b", "d", "dd", "f", "ff"] { #expect(try reader.record(name) != nil) }
        for name in ["a", "bb", "c", "ddd", "e", "fff", "z"] { #expect(try reader.record(name) == nil) }
    }

    // MARK: - All blocks at once

    @Test(arguments: [0, 1, 2, 40])
    func everyBlockIsReadOnceAndInOrder(_ blocks: Int) throws {
        let place = try VaultPlace()
        if blocks > 0 {
            try place.vault.put((0..<blocks).map { record("r\(1000 + $0)", size: 65_000) })
            try place.vault.put((0..<blocks).map { record("r\(1000 + $0)/x") })
        }
        var reader = try place.vault.open()
        #expect(reader.blockCount == blocks)
        let found = try reader.mapBlocks { block, records in records.map { block.extracting($0).text } }
        #expect(found.count == blocks)
        #expect(try found.flatMap { $0 } == reader.records())
    }

    @Test func theFirstBlockThatIsWrongIsTheOneThatIsSaid() throws {
        let draft = Draft(blocks: (0..<20).map { [record("r\(10 + $0)")] })
        let place = try VaultPlace(holding: draft)
        var plaintext = draft.plaintext
        for block in [7, 11, 19] { plaintext[block * Block.size + 20] ^= 1 }
        try draft.file(of: plaintext).write(to: place.path)
        let reader = try place.vault.open()
        #expect(throws: VaultError.damaged("block 7 is not the one that the index names").at(place.path)) {
            _ = try reader.mapBlocks { _, _ in 0 }
        }
        #expect(throws: Unexpected.self) {
            _ = try reader.mapBlocks { _, _ in throw Unexpected(what: "no") }
        }
    }

    @Test func aChunkThatIsWrongIsSaid() throws {
        let draft = Draft(blocks: (0..<20).map { [record("r\(10 + $0)")] })
        let place = try VaultPlace(holding: draft)
        var file = draft.file
        file[try Header(readingFrom: file).byteCount + 16 + 7 * (Block.size + 16)] ^= 1
        try file.write(to: place.path)
        let reader = try place.vault.open()
        #expect(
            throws: VaultError.damaged("the content is damaged: chunk 7 of 21 was changed, or the end is missing").at(
                place.path)
        ) { _ = try reader.mapBlocks { _, _ in 0 } }
    }

    // MARK: - Blocks that are not as they were signed

    /// Three blocks, of which the middle one holds something else than what was signed.
    private func tampered() throws -> VaultPlace {
        let draft = Draft(blocks: [[record("a")], [record("c"), record("cc")], [record("e")]])
        let place = try VaultPlace(holding: draft)
        var plaintext = draft.plaintext
        plaintext.replaceSubrange(
            Block.size..<2 * Block.size, with: Draft.block([record("c", size: 50), record("cc")]))
        try draft.file(of: plaintext).write(to: place.path)
        return place
    }

    @Test func aTamperedBlockIsCarriedAndStillFailsAtItsReader() throws {
        let place = try tampered()
        let error = VaultError.damaged("block 1 is not the one that the index names").at(place.path)
        let before = try hashes(place)
        try place.vault.put(record("aa"), record("ee"))
        var reader = try place.vault.open()
        #expect(try reader.record("a") == record("a"))
        #expect(try reader.record("aa") == record("aa"))
        #expect(try reader.record("ee") == record("ee"))
        for name in ["c", "cc", "d"] { #expect(throws: error) { _ = try reader.record(name) } }
        #expect(throws: error) { _ = try reader.records() }
        #expect(try hashes(place)["c"] == before["c"])
    }

    @Test func aTamperedBlockCannotBeChanged() throws {
        let place = try tampered()
        let before = try place.path.read()
        let error = VaultError.damaged("block 1 is not the one that the index names").at(place.path)
        for name in ["c", "cc", "d"] {
            #expect(throws: error) { try place.vault.put(record(name)) }
            #expect(throws: error) { try place.vault.remove(name) }
        }
        #expect(try place.path.read() == before)
        #expect(try place.names() == ["vault.age", "vault.age.lock"])
    }

    /// Somebody who may write signed what is no block: nobody reads it, and nobody packs it anew.
    @Test func aMisorderedBlockThatIsSignedIsRefused() throws {
        let draft = Draft(blocks: [[record("a")], [record("d"), record("c")], [record("e")]])
        let place = try VaultPlace(holding: draft)
        let error = VaultError.damaged("block 1 is not in ascending order").at(place.path)
        var reader = try place.vault.open()
        #expect(try reader.record("a") == record("a"))
        #expect(try reader.record("e") == record("e"))
        for name in ["d", "dd"] { #expect(throws: error) { _ = try reader.record(name) } }
        #expect(throws: error) { _ = try reader.records() }
        #expect(throws: error) { try place.vault.put(record("d")) }
        try place.vault.put(record("a", size: 50))
        #expect(throws: error) { _ = try place.vault.records() }
    }

    // MARK: - What a caller must not do

    @Test func aRecordBeginsWithItsNameAndIsOneLine() async {
        await #expect(processExitsWith: .failure) { try Self.put(#"{"name":"b"}"#) }
        await #expect(processExitsWith: .failure) { try Self.put(#"{"name":"ab"}"#) }
        await #expect(processExitsWith: .failure) { try Self.put(#"{"name": "a"}"#) }
        await #expect(processExitsWith: .failure) { try Self.put(#"{"name":"a""#) }
        await #expect(processExitsWith: .failure) { try Self.put("{\"name\":\"a\",\n\"x\":1}") }
        await #expect(processExitsWith: .failure) { try Self.put("{\"name\":\"a\"}\n") }
        await #expect(processExitsWith: .failure) { try Self.put("") }
        await #expect(processExitsWith: .success) { try Self.put(#"{"name":"a"}"#) }
    }

    private static func put(_ record: String) throws {
        var changes = RecordChanges()
        try changes.put(try RecordName(checking: "a")) { $0.append(Array(record.utf8).span) }
    }
}
