import Age
import TestSupport
import Testing

@Suite struct Bech32Tests {
    // BIP 173, "Test vectors", with what they stand for.
    @Test func `The valid vectors of BIP 173 are encoded and decoded`() {
        func check(
            _ text: String, _ prefix: StaticString, _ hex: String, sourceLocation: SourceLocation = #_sourceLocation
        ) {
            let bytes = [UInt8](hex: hex)
            #expect(Bech32.encode(bytes.span, prefix: prefix) == text, sourceLocation: sourceLocation)
            #expect(decode(text, prefix, count: bytes.count) == bytes, sourceLocation: sourceLocation)
        }
        check("a12uel5l", "a", "")
        check("?1ezyfcl", "?", "")
        check(
            "an83characterlonghumanreadablepartthatcontainsthenumber1andtheexcludedcharactersbio1tt5tgs",
            "an83characterlonghumanreadablepartthatcontainsthenumber1andtheexcludedcharactersbio", "")
        check(
            "abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw", "abcdef", "00443214c74254b635cf84653a56d7c675be77df")
        check(
            "split1checkupstagehandshakeupstreamerranterredcaperred2y9e3w", "split",
            "c5f38b70305f519bf66d85fb6cf03058f3dde463ecd7918f2dc743918f2d")
        check(
            "11qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqc8247j", "1",
            String(repeating: "00", count: 51))
    }

    @Test func `Upper case is read under a prefix in upper case, and written for secrets`() {
        #expect(decode("A12UEL5L", "A", count: 0) == [])
        let bytes = [UInt8](hex: "00443214c74254b635cf84653a56d7c675be77df")
        let text = "ABCDEF1QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7LMQQQXW"
        #expect(decode(text, "ABCDEF", count: 20) == bytes)
        #expect(Bech32.encodeSecret(bytes.span, prefix: "ABCDEF").bytes == Array(text.utf8))
    }

    @Test func `A key of age is written as age writes it`() {
        // What age-keygen 1.1.1 says of the identity whose bytes are all 0x42.
        let key = [UInt8](repeating: 0x42, count: 32)
        #expect(
            Bech32.encodeSecret(key.span, prefix: "AGE-SECRET-KEY-").bytes
                == Array("AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX".utf8))
    }

    @Test func `Every size is written as the specification says, and read again`() {
        for count in 0...70 {
            let bytes = pattern(count).map { $0 &* 151 }
            let text = Bech32.encode(bytes.span, prefix: "age")
            #expect(text == Reference.encode("age", Reference.groups(bytes)))
            #expect(text.utf8.count == Bech32.encodedCount(count, prefix: "age"))
            #expect(decode(text, "age", count: count) == bytes)
            #expect(decode(text, "age", count: count + 1) == nil)
            if count > 0 { #expect(decode(text, "age", count: count - 1) == nil) }
        }
    }

    @Test func `Every character that is replaced is noticed`() {
        let text = Array(Bech32.encode(pattern(32).span, prefix: "age").utf8)
        for index in text.indices {
            for character in UInt8(0x20)...0x7e where character != text[index] {
                var changed = text
                changed[index] = character
                #expect(decode(changed, "age", count: 32) == nil)
            }
        }
    }

    @Test func `Two characters that changed places are noticed`() {
        let text = Array(Bech32.encode(pattern(32).span, prefix: "age").utf8)
        for index in text.indices.dropLast() where text[index] != text[index + 1] {
            var changed = text
            changed.swapAt(index, index + 1)
            #expect(decode(changed, "age", count: 32) == nil)
        }
    }

    @Test func `A text that is cut or longer is refused`() {
        let text = Array(Bech32.encode(pattern(32).span, prefix: "age").utf8)
        for count in text.indices { #expect(decode(Array(text.prefix(count)), "age", count: 32) == nil) }
        for more in ["q", " ", "\n", "\0"] {
            #expect(decode(text + Array(more.utf8), "age", count: 32) == nil)
            #expect(decode(Array(more.utf8) + text, "age", count: 32) == nil)
        }
    }

    @Test func `Cases are not mixed`() {
        let text = Bech32.encode(pattern(32).span, prefix: "age")
        let upper = text.uppercased()
        #expect(decode(upper, "AGE", count: 32) == pattern(32))
        #expect(decode(upper, "age", count: 32) == nil)
        #expect(decode(text, "AGE", count: 32) == nil)
        #expect(decode("age" + upper.dropFirst(3), "age", count: 32) == nil)
        #expect(decode("AGE" + text.dropFirst(3), "AGE", count: 32) == nil)
        #expect(decode(text.dropLast() + upper.suffix(1), "age", count: 32) == nil)
    }

    @Test func `The checksum covers the prefix`() {
        let groups = Reference.groups(pattern(32))
        #expect(decode(Reference.encode("age", groups), "agf", count: 32) == nil)
        // With the other prefix's checksum behind the right one.
        let other = Reference.encode("agf", groups)
        #expect(decode("age" + other.dropFirst(3), "age", count: 32) == nil)
        // BIP 173 shows this one: its checksum is that of the prefix in upper case.
        #expect(decode("A1G7SGD8", "A", count: 0) == nil)
    }

    @Test func `A checksum of Bech32m is refused`() {
        let groups = Reference.groups(pattern(32))
        #expect(decode(Reference.encode("age", groups), "age", count: 32) != nil)
        #expect(decode(Reference.encode("age", groups, constant: 0x2bc8_30a3), "age", count: 32) == nil)
        // BIP 350, "Test vectors".
        #expect(decode("a1lqfn3a", "a", count: 0) == nil)
        #expect(decode("?1v759aa", "?", count: 0) == nil)
    }

    @Test func `Bits of padding that are not zero are refused`() throws {
        // 32 bytes are 51 groups of five bits and one bit more, behind which four bits of padding stand.
        let groups = Reference.groups(pattern(32))
        let last = try #require(groups.last)
        for padding in UInt8(1)...15 {
            let text = Reference.encode("age", groups.dropLast() + [last | padding])
            #expect(decode(text, "age", count: 32) == nil, "padding \(padding)")
        }
    }

    @Test func `A group too much is refused, even of zeros`() {
        let groups = Reference.groups(pattern(32))
        #expect(decode(Reference.encode("age", groups + [0]), "age", count: 32) == nil)
        // 30 bytes fill 48 groups, behind which one more is all padding.
        #expect(decode(Reference.encode("age", Reference.groups(pattern(30)) + [0]), "age", count: 30) == nil)
    }

    private func decode(_ text: some StringProtocol, _ prefix: StaticString, count: Int) -> [UInt8]? {
        decode(Array(text.utf8), prefix, count: count)
    }

    private func decode(_ text: [UInt8], _ prefix: StaticString, count: Int) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: count)
        var output = bytes.mutableSpan
        return Bech32.decode(text.span, prefix: prefix, into: &output) ? bytes : nil
    }
}

/// BIP 173 word for word, which can also write what must not be read.
private enum Reference {
    /// `bytes` in groups of five bits, with padding of zeros.
    static func groups(_ bytes: [UInt8]) -> [UInt8] {
        let bits = bytes.flatMap { byte in (0..<8).map { byte >> (7 - $0) & 1 } }
        return stride(from: 0, to: bits.count, by: 5).map { start in
            (start..<start + 5).reduce(0) { $0 << 1 | ($1 < bits.count ? bits[$1] : 0) }
        }
    }

    static func encode(_ prefix: String, _ groups: [UInt8], constant: UInt32 = 1) -> String {
        let expanded = prefix.utf8.map { $0 >> 5 } + [0] + prefix.utf8.map { $0 & 31 }
        let sum = polymod(expanded + groups + [0, 0, 0, 0, 0, 0]) ^ constant
        let checksum = (0..<6).map { UInt8(sum >> (5 * (5 - $0)) & 31) }
        let alphabet = Array("qpzry9x8gf2tvdw0s3jn54khce6mua7l")
        return prefix + "1" + String((groups + checksum).map { alphabet[Int($0)] })
    }

    private static func polymod(_ values: [UInt8]) -> UInt32 {
        let generators: [UInt32] = [0x3b6a_57b2, 0x2650_8e6d, 0x1ea1_19fa, 0x3d42_33dd, 0x2a14_62b3]
        return values.reduce(1) { sum, value in
            let top = sum >> 25
            let shifted = (sum & 0x1ff_ffff) << 5 ^ UInt32(value)
            return (0..<5).reduce(shifted) { top >> $1 & 1 == 1 ? $0 ^ generators[$1] : $0 }
        }
    }
}
