import Sodium
import Testing

@testable import VaultFile

/// The structure of a block whose hash fits, which says that a member made it, and not that it is right.
@Suite struct BlockTests {
    /// What is wrong with a block, and the records found in it.
    private func read(
        _ bytes: [UInt8], first: String = "a", next: String? = nil
    ) throws -> (defect: BlockDefect?, names: [String]) {
        var names: [String] = []
        let span = bytes.span
        let defect = Block.forEachRecord(
            span, first: try RecordName(checking: first), next: try next.map { try RecordName(checking: $0) }
        ) { record, name in
            names.append(span.extracting(name).text)
            #expect(span.extracting(record).text.hasPrefix(#"{"name":"\#(span.extracting(name).text)""#))
            #expect(span.extracting(record).text.hasSuffix("}"))
        }
        return (defect, names)
    }

    private func padded(_ text: String) -> [UInt8] {
        let lines = Array(text.utf8)
        return lines + [UInt8](repeating: UInt8(ascii: " "), count: Block.size - 1 - lines.count) + [UInt8(ascii: "\n")]
    }

    @Test func hasItsRecordsInOrder() throws {
        let block = Draft.block([record("a"), record("a/b"), record("b", size: 1000)])
        let (defect, names) = try read(block, next: "b0")
        #expect(defect == nil)
        #expect(names == ["a", "a/b", "b"])
    }

    /// With no space between the last record and the last byte, with one, and with two.
    @Test(arguments: [65_535, 65_534, 65_533])
    func mayBeFull(_ size: Int) throws {
        let one = Draft.block([record("a", size: size)])
        #expect(one.count == Block.size)
        #expect(try read(one) == (nil, ["a"]))
        let two = Draft.block([record("a", size: 100), record("b", size: size - 101)])
        #expect(try read(two) == (nil, ["a", "b"]))
    }

    @Test func endsWithItsOnlyNewlineInTheLastByte() throws {
        #expect(try read(padded(record("a")).dropLast() + [0x20]).defect == .end)
        #expect(try read(Array(padded(record("a")).dropLast())).defect == .end)
        #expect(try read(padded(record("a")) + [0x0a]).defect == .end)
        #expect(try read(padded(record("a") + "\n")).defect == .end)
        #expect(try read(padded(record("a") + "\n\n")).defect == .record)
        #expect(try read([]).defect == .end)
    }

    @Test func isNeverEmpty() throws {
        #expect(try read(padded("")).defect == .empty)
        #expect(try read([UInt8](repeating: 0x0a, count: Block.size)).defect == .record)
    }

    @Test func beginsWithTheNameOfTheIndex() throws {
        #expect(try read(padded(record("a")), first: "aa").defect == .first)
        #expect(try read(padded(record("aa")), first: "a").defect == .first)
        #expect(try read(padded(record("b")), first: "a").defect == .first)
    }

    @Test func ascendsStrictlyAndStaysBelowTheNext() throws {
        #expect(try read(Draft.block([record("a"), record("a")])).defect == .order)
        #expect(try read(Draft.block([record("a"), record("B")])).defect == .order)
        #expect(try read(Draft.block([record("a"), record("c"), record("b")])).defect == .order)
        #expect(try read(Draft.block([record("a"), record("b")]), next: "b").defect == .order)
        #expect(try read(Draft.block([record("a"), record("b")]), next: "a/z").defect == .order)
        #expect(try read(Draft.block([record("a"), record("b")]), next: "b-").defect == nil)
    }

    @Test(arguments: [
        "x", "{}", "[]", #""name""#, #"{"name":}"#, #"{"name":"a}"#, #"{"name":"a""#, #"{"name":"a"} "#,
        #"{"name":"a"}x"#,
        #" {"name":"a"}"#, #"{ "name":"a"}"#, #"{"name": "a"}"#, #"{"Name":"a"}"#, #"{"name":"a b"}"#,
        #"{"name":"-a"}"#,
        #"{"name":""}"#, #"{"name":"\u0061"}"#, #"{"x":0,"name":"a"}"#, "{\"name\":\"a\"}\r", "\t{\"name\":\"a\"}", "",
        #"{"name":"é"}"#,
    ])
    func holdsNothingButRecords(_ line: String) throws {
        // As the second line, where the first one is right, so that only this one is meant; and as the only one.
        #expect(try read(padded(#"{"name":"A"}"# + "\n" + line + "\n" + record("z")), first: "A").defect == .record)
        if line.last != " " { #expect(try read(padded(line)).defect == (line.isEmpty ? .empty : .record)) }
    }

    @Test func saysWhatIsWrong() {
        #expect(BlockDefect.end.rawValue == "does not end as a block does")
        #expect(BlockDefect.empty.rawValue == "holds no record")
        #expect(BlockDefect.record.rawValue == "holds a line that is no record")
        #expect(BlockDefect.first.rawValue == "does not begin with the name that the index gives")
        #expect(BlockDefect.order.rawValue == "is not in ascending order")
    }
}
