import Testing

@testable import VaultFile

@Suite struct RecordNameTests {
    private func isName(_ bytes: UInt8...) -> Bool { RecordName(bytes: bytes.span) != nil }

    private func precedes(_ left: RecordName, _ right: RecordName) -> Bool {
        RecordName.precedes(left.bytes.span, right.bytes.span)
    }

    @Test func everyCharacterIsTakenOrRefused() {
        let inside = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._/-".utf8)
        let first = inside.subtracting("._/-".utf8)
        for byte in UInt8.min...UInt8.max {
            #expect(isName(byte) == first.contains(byte), "\(byte) alone")
            #expect(isName(0x61, byte) == inside.contains(byte), "\(byte) in second place")
            #expect(isName(0x61, byte, 0x61) == inside.contains(byte), "\(byte) inside")
        }
    }

    @Test func hasUpTo128Bytes() throws {
        for count in [1, 2, 127, 128] {
            let text = String(repeating: "n", count: count)
            #expect(RecordName(text)?.description == text)
        }
        #expect(RecordName(String(repeating: "n", count: 129)) == nil)
        #expect(RecordName("") == nil)
    }

    @Test(arguments: [
        "-a", ".a", "/a", "_a", "a b", " a", "a ", "a\n", "a\"", "a\\", "é", "aé", "a\u{301}", "a:b", "a@b", "a,b",
        "a=b",
        "a\u{0}", "ａ", "a\u{200b}", "@",
    ])
    func refuses(_ text: String) { #expect(RecordName(text) == nil) }

    @Test func isOrderedByItsBytes() throws {
        let names = ["-", ".", "/", "0", "9", "A", "Z", "_", "a", "z"].map { "a\($0)" }
        let sorted = ["a"] + names + ["aa0", "az", "b"]
        let read = try sorted.dropLast(3).map { try RecordName(checking: $0) }
        #expect(read.sorted() == read)
        for (left, right) in zip(read, read.dropFirst()) {
            #expect(left < right && !(right < left))
            #expect(precedes(left, right))
            #expect(!precedes(right, left))
            #expect(!precedes(left, left))
        }
    }
}
