package import Sodium

// A small reader of JSON (RFC 8259) over bytes that may hold secrets: it copies nothing but what it is asked for, so
// that a token never becomes a `String`. It is strict: no repeated members, no control characters, no lone surrogates,
// no invalid UTF-8.

/// Why a text is not JSON, or not the JSON that was expected.
package struct JSONError: Error, Equatable {
    /// What is wrong; never a part of the text.
    package let reason: String
    /// Where, in bytes from the start.
    package let offset: Int

    package init(_ reason: String, at offset: Int) {
        self.reason = reason
        self.offset = offset
    }
}

/// A string in a JSON text: where its characters stand, between the quotation marks.
package struct JSONString {
    package let range: Range<Int>
    package let hasEscapes: Bool

    /// The string, which must be no secret.
    package func text(in bytes: Span<UInt8>) -> String {
        if !hasEscapes { return bytes.extracting(range).text }
        var decoded = [UInt8](repeating: 0, count: range.count)
        var output = decoded.mutableSpan
        let count = decode(bytes, into: &output)
        return String(decoding: decoded[..<count], as: UTF8.self)
    }

    /// The string when it is a secret.
    package func secret(in bytes: Span<UInt8>) -> SecretBytes {
        if !hasEscapes { return SecretBytes(copying: bytes.extracting(range)) }
        var count = 0
        let decoded = SecretBytes(count: range.count) { output in count = decode(bytes, into: &output) }
        return decoded.withBytes { SecretBytes(copying: $0.extracting(first: count)) }
    }

    /// Whether the string is `text`.
    package func equals(_ text: StaticString, in bytes: Span<UInt8>) -> Bool {
        if hasEscapes { return self.text(in: bytes).utf8.elementsEqual(text.description.utf8) }
        return range.count == text.utf8CodeUnitCount && bytes.extracting(range).hasPrefix(text)
    }

    fileprivate func equals(_ other: JSONString, in bytes: Span<UInt8>) -> Bool {
        // By bytes, since Swift holds differently composed characters for equal.
        if hasEscapes || other.hasEscapes { return text(in: bytes).utf8.elementsEqual(other.text(in: bytes).utf8) }
        return range.count == other.range.count
            && range.indices.allSatisfy { bytes[$0] == bytes[other.range.lowerBound + $0 - range.lowerBound] }
    }

    fileprivate func precedes(_ other: JSONString, in bytes: Span<UInt8>) -> Bool {
        if hasEscapes || other.hasEscapes {
            return text(in: bytes).utf8.lexicographicallyPrecedes(other.text(in: bytes).utf8)
        }
        return RecordName.precedes(bytes.extracting(range), bytes.extracting(other.range))
    }

    /// Decodes the escapes, which were checked when the string was read. Never longer than it was.
    private func decode(_ bytes: Span<UInt8>, into output: inout MutableSpan<UInt8>) -> Int {
        var count = 0
        var index = range.lowerBound
        func put(_ byte: UInt8, _ output: inout MutableSpan<UInt8>) {
            output[count] = byte
            count += 1
        }
        while index < range.upperBound {
            guard bytes[index] == UInt8(ascii: "\\") else {
                put(bytes[index], &output)
                index += 1
                continue
            }
            let kind = bytes[index + 1]
            index += 2
            guard kind == UInt8(ascii: "u") else {
                put(JSONCursor.escapes.first { $0.letter == kind }?.byte ?? kind, &output)
                continue
            }
            var scalar = JSONCursor.hexadecimal(bytes, at: index)
            index += 4
            if (0xd800..<0xdc00).contains(scalar) {
                scalar = 0x10000 + (scalar - 0xd800) << 10 + JSONCursor.hexadecimal(bytes, at: index + 2) - 0xdc00
                index += 6
            }
            switch scalar {
            case ..<0x80: put(UInt8(scalar), &output)
            case ..<0x800:
                put(UInt8(0xc0 | scalar >> 6), &output)
                put(UInt8(0x80 | scalar & 63), &output)
            case ..<0x10000:
                put(UInt8(0xe0 | scalar >> 12), &output)
                put(UInt8(0x80 | scalar >> 6 & 63), &output)
                put(UInt8(0x80 | scalar & 63), &output)
            default:
                put(UInt8(0xf0 | scalar >> 18), &output)
                put(UInt8(0x80 | scalar >> 12 & 63), &output)
                put(UInt8(0x80 | scalar >> 6 & 63), &output)
                put(UInt8(0x80 | scalar & 63), &output)
            }
        }
        return count
    }
}

/// A position in a JSON text, and the ways to go on from there. The text is given anew at each step, since a value
/// cannot keep a span.
package struct JSONCursor {
    /// How deep arrays and objects may nest.
    private static let maximumDepth = 32

    fileprivate static let escapes: [(letter: UInt8, byte: UInt8)] = [
        (UInt8(ascii: "n"), 10), (UInt8(ascii: "t"), 9), (UInt8(ascii: "r"), 13), (UInt8(ascii: "b"), 8),
        (UInt8(ascii: "f"), 12), (UInt8(ascii: "/"), 47), (UInt8(ascii: "\\"), 92), (UInt8(ascii: "\""), 34),
    ]

    /// The offset of the next byte.
    package private(set) var position = 0
    private var depth = 0

    package init() {}

    /// Reads an object; `member` gets each name and must read the value.
    package mutating func readObject(
        _ bytes: Span<UInt8>, _ member: (JSONString, inout JSONCursor) throws(JSONError) -> Void
    ) throws(JSONError) {
        try enter("{", bytes)
        var names = MemberNames()
        if !skip(UInt8(ascii: "}"), bytes) {
            repeat {
                skipWhitespace(bytes)
                let name = try readString(bytes)
                guard names.add(name, bytes) else {
                    throw JSONError("a member that stands twice", at: name.range.lowerBound)
                }
                guard skip(UInt8(ascii: ":"), bytes) else { throw JSONError("a colon is missing", at: position) }
                skipWhitespace(bytes)
                try member(name, &self)
            } while skip(UInt8(ascii: ","), bytes)
            guard skip(UInt8(ascii: "}"), bytes) else { throw JSONError("an object that does not end", at: position) }
            if let name = names.repeated(bytes) {
                throw JSONError("a member that stands twice", at: name.range.lowerBound)
            }
        }
        depth -= 1
    }

    /// Reads an array; `element` must read each value.
    package mutating func readArray(
        _ bytes: Span<UInt8>, _ element: (inout JSONCursor) throws(JSONError) -> Void
    ) throws(JSONError) {
        try enter("[", bytes)
        if !skip(UInt8(ascii: "]"), bytes) {
            repeat {
                skipWhitespace(bytes)
                try element(&self)
            } while skip(UInt8(ascii: ","), bytes)
            guard skip(UInt8(ascii: "]"), bytes) else { throw JSONError("an array that does not end", at: position) }
        }
        depth -= 1
    }

    /// Reads a string.
    package mutating func readString(_ bytes: Span<UInt8>) throws(JSONError) -> JSONString {
        guard take(UInt8(ascii: "\""), bytes) else { throw JSONError("a string is missing", at: position) }
        let start = position
        var hasEscapes = false
        while position < bytes.count {
            // Most characters of most strings: visible ASCII, eight at a time.
            var index = position
            while index + 8 <= bytes.count, Self.arePlain(eightAt: index, bytes) { index += 8 }
            while index < bytes.count, Self.isPlain(bytes[index]) { index += 1 }
            position = index
            guard index < bytes.count else { break }
            let byte = bytes[position]
            switch byte {
            case UInt8(ascii: "\""):
                position += 1
                return JSONString(range: start..<position - 1, hasEscapes: hasEscapes)
            case UInt8(ascii: "\\"):
                hasEscapes = true
                try skipEscape(bytes)
            case ..<0x20: throw JSONError("a control character in a string", at: position)
            case 0x7f: position += 1
            default: try skipMultibyte(bytes)
            }
        }
        throw JSONError("a string that does not end", at: start)
    }

    /// Reads a value of any kind and says where it stands.
    @discardableResult
    package mutating func readValue(_ bytes: Span<UInt8>) throws(JSONError) -> Range<Int> {
        let start = position
        guard position < bytes.count else { throw JSONError("a value is missing", at: position) }
        switch bytes[position] {
        case UInt8(ascii: "{"):
            try readObject(bytes) { (_, cursor) throws(JSONError) in try cursor.readValue(bytes) }
        case UInt8(ascii: "["):
            try readArray(bytes) { (cursor) throws(JSONError) in try cursor.readValue(bytes) }
        case UInt8(ascii: "\""): _ = try readString(bytes)
        case UInt8(ascii: "t"): try takeWord("true", bytes)
        case UInt8(ascii: "f"): try takeWord("false", bytes)
        case UInt8(ascii: "n"): try takeWord("null", bytes)
        default: try skipNumber(bytes)
        }
        return start..<position
    }

    /// Whether the next value is `null`, which is then read.
    package mutating func readNull(_ bytes: Span<UInt8>) throws(JSONError) -> Bool {
        guard position < bytes.count, bytes[position] == UInt8(ascii: "n") else { return false }
        try takeWord("null", bytes)
        return true
    }

    /// Makes sure that nothing but white space follows.
    package mutating func readEnd(_ bytes: Span<UInt8>) throws(JSONError) {
        skipWhitespace(bytes)
        guard position == bytes.count else { throw JSONError("something behind the value", at: position) }
    }

    /// Skips white space.
    package mutating func skipWhitespace(_ bytes: Span<UInt8>) {
        while position < bytes.count {
            switch bytes[position] {
            case 0x20, 0x0a, 0x0d, 0x09: position += 1
            default: return
            }
        }
    }

    /// Whether the next bytes are `text`, which are then read.
    package mutating func take(_ text: StaticString, _ bytes: Span<UInt8>) -> Bool {
        guard bytes.extracting(droppingFirst: position).hasPrefix(text) else { return false }
        position += text.utf8CodeUnitCount
        return true
    }

    private mutating func take(_ byte: UInt8, _ bytes: Span<UInt8>) -> Bool {
        guard position < bytes.count, bytes[position] == byte else { return false }
        position += 1
        return true
    }

    private mutating func skip(_ byte: UInt8, _ bytes: Span<UInt8>) -> Bool {
        skipWhitespace(bytes)
        return take(byte, bytes)
    }

    private mutating func enter(_ bracket: Unicode.Scalar, _ bytes: Span<UInt8>) throws(JSONError) {
        guard take(UInt8(ascii: bracket), bytes) else { throw JSONError("\(bracket) is missing", at: position) }
        depth += 1
        guard depth <= Self.maximumDepth else {
            throw JSONError("more than \(Self.maximumDepth) levels", at: position)
        }
    }

    private mutating func takeWord(_ word: StaticString, _ bytes: Span<UInt8>) throws(JSONError) {
        guard take(word, bytes) else { throw JSONError("a value that is not JSON", at: position) }
    }

    private mutating func skipNumber(_ bytes: Span<UInt8>) throws(JSONError) {
        let start = position
        func digits(_ cursor: inout JSONCursor) throws(JSONError) {
            let first = cursor.position
            while cursor.position < bytes.count, Self.digits.contains(bytes[cursor.position]) { cursor.position += 1 }
            if cursor.position == first { throw JSONError("a value that is not JSON", at: start) }
        }
        _ = take(UInt8(ascii: "-"), bytes)
        if !take(UInt8(ascii: "0"), bytes) { try digits(&self) }
        if take(UInt8(ascii: "."), bytes) { try digits(&self) }
        if take(UInt8(ascii: "e"), bytes) || take(UInt8(ascii: "E"), bytes) {
            if !take(UInt8(ascii: "+"), bytes) { _ = take(UInt8(ascii: "-"), bytes) }
            try digits(&self)
        }
    }

    private mutating func skipEscape(_ bytes: Span<UInt8>) throws(JSONError) {
        let start = position
        guard position + 1 < bytes.count else { throw JSONError("a string that does not end", at: start) }
        let kind = bytes[position + 1]
        position += 2
        guard kind == UInt8(ascii: "u") else {
            guard Self.escapes.contains(where: { $0.letter == kind }) else {
                throw JSONError("an unknown escape", at: start)
            }
            return
        }
        let first = try readHexadecimal(bytes)
        if (0xdc00..<0xe000).contains(first) { throw JSONError("half of a surrogate pair", at: start) }
        guard (0xd800..<0xdc00).contains(first) else { return }
        guard take("\\u", bytes), case let second = try readHexadecimal(bytes), (0xdc00..<0xe000).contains(second)
        else { throw JSONError("half of a surrogate pair", at: start) }
    }

    private mutating func readHexadecimal(_ bytes: Span<UInt8>) throws(JSONError) -> UInt32 {
        guard position + 4 <= bytes.count,
            (position..<position + 4).allSatisfy({ Self.hexadecimalDigit(bytes[$0]) != nil })
        else { throw JSONError("an escape without four digits", at: position) }
        position += 4
        return Self.hexadecimal(bytes, at: position - 4)
    }

    /// The value of four hexadecimal digits that were checked.
    fileprivate static func hexadecimal(_ bytes: Span<UInt8>, at offset: Int) -> UInt32 {
        (offset..<offset + 4).reduce(0) { $0 << 4 | UInt32(hexadecimalDigit(bytes[$1]) ?? 0) }
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        byte >= 0x20 && byte < 0x7f && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\")
    }

    /// The same for eight bytes at once: the highest bit of a byte comes out set where it is not plain. What a byte of
    /// 0x80 or more carries into its neighbour does no harm, since it is not plain itself.
    private static func arePlain(eightAt index: Int, _ bytes: Span<UInt8>) -> Bool {
        let word = unsafe bytes.bytes.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self)
        func each(_ byte: UInt64) -> UInt64 { byte &* 0x0101_0101_0101_0101 }
        let isBelowSpace = ~(word &+ each(0x60))
        let isDelete = word &+ each(1)
        let isQuote = ~((word ^ each(0x22)) &+ each(0x7f))
        let isBackslash = ~((word ^ each(0x5c)) &+ each(0x7f))
        return (word | isBelowSpace | isDelete | isQuote | isBackslash) & each(0x80) == 0
    }

    private static let digits = UInt8(ascii: "0")...UInt8(ascii: "9")

    private static func hexadecimalDigit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case digits: byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }

    /// Skips one scalar of two to four bytes (RFC 3629).
    private mutating func skipMultibyte(_ bytes: Span<UInt8>) throws(JSONError) {
        let lead = bytes[position]
        let second: ClosedRange<UInt8>
        let length: Int
        switch lead {
        case 0xc2...0xdf: (second, length) = (0x80...0xbf, 2)
        case 0xe0: (second, length) = (0xa0...0xbf, 3)
        case 0xed: (second, length) = (0x80...0x9f, 3)
        case 0xe1...0xef: (second, length) = (0x80...0xbf, 3)
        case 0xf0: (second, length) = (0x90...0xbf, 4)
        case 0xf1...0xf3: (second, length) = (0x80...0xbf, 4)
        case 0xf4: (second, length) = (0x80...0x8f, 4)
        default: throw JSONError("a string that is not UTF-8", at: position)
        }
        guard position + length <= bytes.count, second.contains(bytes[position + 1]),
            (2..<length).allSatisfy({ (0x80...0xbf).contains(bytes[position + $0]) })
        else { throw JSONError("a string that is not UTF-8", at: position) }
        position += length
    }
}

/// The names of an object's members, none of which may stand twice. The first ones need no memory of their own and are
/// compared with each other as they come, more than that are at the end.
private struct MemberNames {
    private var first = InlineArray<16, JSONString>(repeating: JSONString(range: 0..<0, hasEscapes: false))
    private var count = 0
    private var all: [JSONString] = []

    /// Adds a name; false when it is seen to stand there already.
    mutating func add(_ name: JSONString, _ bytes: Span<UInt8>) -> Bool {
        guard count < first.count else {
            if all.isEmpty { all = first.indices.map { first[$0] } }
            all.append(name)
            return true
        }
        for index in 0..<count where first[index].equals(name, in: bytes) { return false }
        first[count] = name
        count += 1
        return true
    }

    /// A name that stands twice among more than the first ones: they are sorted for that, in place.
    mutating func repeated(_ bytes: Span<UInt8>) -> JSONString? {
        if all.isEmpty { return nil }
        all.sort { $0.precedes($1, in: bytes) }
        return all.indices.dropFirst().first { all[$0].equals(all[$0 - 1], in: bytes) }.map { index in
            let pair = (all[index - 1], all[index])
            return pair.0.range.lowerBound > pair.1.range.lowerBound ? pair.0 : pair.1
        }
    }
}

/// Writing JSON strings.
package enum JSONText {
    /// `text` as a JSON string with its quotation marks, without characters that a terminal would obey.
    package static func quoted(_ text: String) -> [UInt8] {
        var output: [UInt8] = [UInt8(ascii: "\"")]
        let bytes = Array(text.utf8)
        var index = 0
        while index < bytes.count {
            if bytes[index] >= 0x80, let character = obeyed(bytes.span, at: index) {
                output += escape(character.scalar)
                index += character.size
            } else {
                append(bytes[index], to: &output)
                index += 1
            }
        }
        output.append(UInt8(ascii: "\""))
        return output
    }

    /// The character of more than one byte at `index`, and its size, when it is one that a terminal would obey, or by
    /// which it would show what follows in another order. In a JSON text it can only stand in a string.
    package static func obeyed(_ bytes: Span<UInt8>, at index: Int) -> (scalar: UInt32, size: Int)? {
        let lead = bytes[index]
        guard lead == 0xc2 || lead == 0xd8 || lead == 0xe2 else { return nil }
        let size = lead == 0xe2 ? 3 : 2
        guard index + size <= bytes.count else { return nil }
        var scalar = UInt32(lead & (size == 3 ? 0x0f : 0x1f))
        for offset in 1..<size { scalar = scalar << 6 | UInt32(bytes[index + offset] & 0x3f) }
        return isObeyed(scalar) ? (scalar, size) : nil
    }

    /// Whether a character is a control character (U+0080 to U+009F), a line end, or one that changes the direction of
    /// writing.
    package static func isObeyed(_ scalar: UInt32) -> Bool {
        switch scalar {
        case 0x80..<0xa0, 0x61c, 0x200e, 0x200f, 0x2028...0x202e, 0x2066...0x2069: true
        default: false
        }
    }

    /// The escape for a character of the basic plane.
    package static func escape(_ scalar: UInt32) -> [UInt8] {
        let digits = Array("0123456789abcdef".utf8)
        return "\\u".utf8 + [12, 8, 4, 0].map { digits[Int(scalar >> $0 & 15)] }
    }

    /// Appends one byte of a string's characters, escaped where JSON asks for it.
    private static func append(_ byte: UInt8, to output: inout [UInt8]) {
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): output += [UInt8(ascii: "\\"), byte]
        case 10: output += "\\n".utf8
        case 9: output += "\\t".utf8
        case 13: output += "\\r".utf8
        case ..<0x20, 0x7f: output += escape(UInt32(byte))
        default: output.append(byte)
        }
    }
}
