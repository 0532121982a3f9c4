/// The lines of a signed text: exactly as the format shows them, each ending in a newline.
package struct TextLines {
    private var rest: Substring
    private let endsInNewline: Bool

    /// The lines of `text`.
    package init(_ text: String) {
        rest = text[...]
        endsInNewline = text.utf8.last == UInt8(ascii: "\n")
    }

    /// Whether all lines were read, and the last one ended.
    package var isAtEnd: Bool { rest.isEmpty && endsInNewline }

    /// Whether the next line is `line`, which is then read.
    package mutating func take(_ line: String) -> Bool { next()?.utf8.elementsEqual(line.utf8) ?? false }

    /// What stands behind `word` and one space on the next line.
    package mutating func value(_ word: String) -> Substring? {
        guard let line = next(), line.utf8.starts(with: (word + " ").utf8) else { return nil }
        return line[line.utf8.index(line.startIndex, offsetBy: word.utf8.count + 1)...]
    }

    private mutating func next() -> Substring? {
        // By bytes: a carriage return and a newline are one Character.
        guard let end = rest.utf8.firstIndex(of: UInt8(ascii: "\n")) else {
            rest = ""
            return nil
        }
        defer { rest = rest[rest.utf8.index(after: end)...] }
        return rest[..<end]
    }
}
