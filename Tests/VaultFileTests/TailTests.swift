import Sodium
import Testing

@testable import VaultFile

@Suite struct TailTests {
    private func index(_ firsts: [String]) throws -> BlockIndex {
        BlockIndex(
            entries: try firsts.map {
                .init(first: try RecordName(checking: $0), hash: Hash.block(Array($0.utf8).span))
            })
    }

    private func signed(_ text: String) -> Signed { SigningKey(of: Draft().owner).sign(text) }

    /// Reads a tail; the text is what is wrong with it.
    private func read(_ bytes: [UInt8], blocks: Int) -> (tail: Tail?, defect: String) {
        var defect = ""
        let tail = Tail(bytes.span, blocks: blocks, defect: &defect)
        return (tail, defect)
    }

    private func blocks(inFooter text: String) -> Int? { Tail.blocks(inFooter: Array(text.utf8).span) }

    private func footer(_ text: String, size: Int = 64) -> String {
        text + String(repeating: " ", count: size - 1 - text.utf8.count) + "\n"
    }

    @Test func consistsOfFourLinesInOneSpelling() throws {
        let draft = Draft()
        let tail = Tail(index: try index(["a", "b/c"]), roster: draft.roster, manifest: draft.manifest)
        let text = String(decoding: tail.bytes, as: UTF8.self)
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        try #require(lines.count == 5)
        let (first, second) = (tail.index.entries[0].hash, tail.index.entries[1].hash)
        #expect(lines[0] == #"{"index":[{"first":"a","hash":"\#(first)"},{"first":"b/c","hash":"\#(second)"}]}"#)
        func line(_ name: String, _ signed: Signed) -> String {
            let text = signed.text.split(separator: "\n", omittingEmptySubsequences: false).joined(separator: "\\n")
            return
                #"{"\#(name)":{"text":"\#(text)","by":"\#(signed.by)","sig":"\#(Hash.encodeBase64(signed.signature))"}}"#
        }
        #expect(lines[1] == line("roster", draft.roster))
        #expect(lines[2].hasPrefix(line("manifest", draft.manifest) + " "))
        #expect(Set(lines[2].dropFirst(line("manifest", draft.manifest).count)) == [" "])
        #expect(lines[3] + "\n" == footer(#"{"vault":1,"blocks":2}"#))
        #expect(lines[4] == "")
    }

    /// The manifest's padding has every size from none to one below the unit.
    @Test func isAMultipleOfItsUnitWhateverItHolds() throws {
        let index = try index(["github"])
        let manifest = signed("manifest")
        let sample = signed("")
        var wrong: [Int] = []
        var paddings: Set<Int> = []
        for count in 0..<Tail.unit {
            let roster = Signed(text: String(repeating: "r", count: count), by: sample.by, signature: sample.signature)
            let tail = Tail(index: index, roster: roster, manifest: manifest)
            let bytes = tail.bytes
            let padding = bytes.dropLast(65).reversed().prefix { $0 == UInt8(ascii: " ") }.count
            paddings.insert(padding)
            let again = read(bytes, blocks: 1).tail
            if bytes.count % Tail.unit != 0 || bytes.count > 2 * Tail.unit || padding >= Tail.unit
                || Tail.blocks(inFooter: bytes.span.extracting(last: 64)) != 1 || again?.index != index
                || again?.roster != roster || again?.manifest != manifest || again?.indexHash != tail.indexHash
            {
                wrong.append(count)
            }
        }
        #expect(wrong.prefix(20) == [])
        #expect(paddings.count == Tail.unit)
    }

    @Test func takesMorePaddingThanItNeeds() throws {
        let draft = Draft()
        let bytes = Tail(index: try index([]), roster: draft.roster, manifest: draft.manifest).bytes
        let longer = bytes.dropLast(65) + [UInt8](repeating: UInt8(ascii: " "), count: 3 * Tail.unit) + bytes.suffix(65)
        #expect(read(Array(longer), blocks: 0).tail?.manifest == draft.manifest)
    }

    @Test func takesEscapesInItsStringsAndNothingElse() throws {
        let draft = Draft()
        let tail = Tail(index: try index(["a"]), roster: draft.roster, manifest: draft.manifest)
        func changed(_ old: String, _ new: String) throws -> (tail: Tail?, defect: String) {
            let text = String(decoding: tail.bytes, as: UTF8.self)
            return read(Array(try text.replacing(first: old, with: new).utf8), blocks: 1)
        }
        // Escapes are longer than what they stand for, and the length is not looked at here.
        #expect(try changed(#""first":"a""#, #""first":"\u0061""#).tail?.index == tail.index)
        #expect(try changed("vault/v1 roster", #"vault\/v1\u0020roster"#).tail?.roster == tail.roster)
        let index = "the index line is malformed, or does not have the 1 blocks of the footer"
        #expect(try changed(#""first""#, #""\u0066irst""#).defect == index)
        #expect(try changed(#""first":"a","#, #""first":"a", "#).defect == index)
        #expect(try changed(#""hash""#, #""hush""#).defect == index)
        #expect(try changed(#"{"roster""#, #"{"\u0072oster""#).defect == "the roster line is malformed")
        #expect(try changed(#""by""#, #""sig""#).defect == "the roster line is malformed")
        #expect(try changed(#"}}"#, #"} }"#).defect == "the roster line is malformed")
        #expect(
            try changed("\n{\"manifest\"", "\r\n{\"manifest\"").defect == "the roster line does not end where it should"
        )
        #expect(try changed("\n{\"vault\"", "\n\n{\"vault\"").defect == Self.otherLines)
        #expect(try changed("\n{\"vault\"", "\n{}\n{\"vault\"").defect == Self.otherLines)
    }

    private static let otherLines = "the tail has other lines than index, roster, manifest and footer"

    @Test func theIndexLineHasAsManyBlocksAsTheFooter() throws {
        let draft = Draft()
        let bytes = Tail(index: try index(["a", "b"]), roster: draft.roster, manifest: draft.manifest).bytes
        #expect(read(bytes, blocks: 2).tail != nil)
        for blocks in [0, 1, 3] {
            #expect(
                read(bytes, blocks: blocks).defect
                    == "the index line is malformed, or does not have the \(blocks) blocks of the footer")
        }
    }

    @Test func theNamesOfTheIndexAscend() throws {
        let draft = Draft()
        for firsts in [["b", "a"], ["a", "a"], ["a", "c", "b"], ["a", "B"]] {
            let bytes = Tail(index: try index(firsts), roster: draft.roster, manifest: draft.manifest).bytes
            #expect(read(bytes, blocks: firsts.count).defect == "the names of the index are not in ascending order")
        }
    }

    @Test func aFooterHas64BytesInOneSpelling() {
        for count in [0, 1, 9, 10, 65_535, 65_536] {
            #expect(blocks(inFooter: footer(#"{"vault":1,"blocks":\#(count)}"#)) == count)
        }
    }

    @Test(arguments: [
        #"{"vault":1,"blocks":65537}"#, #"{"vault":1,"blocks":-1}"#, #"{"vault":1,"blocks":00}"#,
        #"{"vault":1,"blocks":01}"#,
        #"{"vault":1,"blocks":+1}"#, #"{"vault":1,"blocks":1.0}"#, #"{"vault":1,"blocks":1e0}"#,
        #"{"vault":1,"blocks":}"#,
        #"{"vault":1,"blocks":"1"}"#, #"{"vault":2,"blocks":1}"#, #"{"vault":1,"blocks":1,"x":1}"#,
        #"{"blocks":1,"vault":1}"#,
        #"{"vault":1, "blocks":1}"#, #"{"vault":1,"blocks":1} x"#, #"{"vault":1,"blocks":9223372036854775808}"#, "",
        "}",
        #"{"vault":1,"blocks":1"#, #"{"vault":1,"blocks":1}}"#, #"{"vault":1,"blocks":١}"#,
    ])
    func aFooterInAnotherSpellingIsNone(_ text: String) { #expect(blocks(inFooter: footer(text)) == nil) }

    @Test func aFooterOfAnotherSizeOrEndIsNone() {
        let text = #"{"vault":1,"blocks":1}"#
        #expect(blocks(inFooter: footer(text, size: 63)) == nil)
        #expect(blocks(inFooter: footer(text, size: 65)) == nil)
        #expect(blocks(inFooter: String(footer(text).dropLast()) + " ") == nil)
        #expect(blocks(inFooter: "") == nil)
        #expect(blocks(inFooter: text) == nil)
        #expect(blocks(inFooter: text + String(repeating: "\t", count: 41) + "\n") == nil)
    }
}

@Suite struct BlockIndexTests {
    @Test func theBlockOfANameIsTheLastThatDoesNotBeginBehindIt() throws {
        let hash = Draft().state.manifest
        func index(_ firsts: [String]) throws -> BlockIndex {
            BlockIndex(entries: try firsts.map { .init(first: try RecordName(checking: $0), hash: hash) })
        }
        for count in 0..<9 {
            let firsts = (0..<count).map { "n\($0)" }
            let index = try index(firsts)
            #expect(index.block(for: try RecordName(checking: "n")) == nil)
            for block in 0..<count {
                #expect(index.block(for: try RecordName(checking: "n\(block)")) == block)
                #expect(index.block(for: try RecordName(checking: "n\(block)/x")) == block)
            }
            #expect(index.block(for: try RecordName(checking: "z")) == (count == 0 ? nil : count - 1))
        }
    }
}
