public import Sodium
internal import VaultFile

/// Records that were made of a file of another kind: one line of JSON each, of which the file's own line is known.
///
/// They are what a file of records would have held: ``Resource/check(allowsHTTP:)`` is the caller's business here too.
public struct ConvertedRecords: ~Copyable {
    /// A record.
    public struct Entry: Sendable {
        /// The line of the file, from 1, that it was made of.
        public let line: Int
        /// Where its JSON stands.
        public let range: Range<Int>
    }

    /// What was left out.
    public struct Note: Sendable, Equatable {
        /// The line of the file, from 1.
        public let line: Int
        /// What, and why; never a part of the file.
        public let text: String
    }

    private var json = SecretBuffer()

    /// The records, in the order of the file.
    public private(set) var entries: [Entry] = []

    /// What was left out, in the order of the file.
    public internal(set) var notes: [Note] = []

    /// All of the JSON, one record behind the other.
    public consuming func finish() -> SecretBuffer { json }

    mutating func append(_ resource: Resource, token: Span<UInt8>, line: Int) throws(ConversionError) {
        try ConversionError.at(line) { () throws(ResourceError) in try TokenRules.check(token, for: resource.headers) }
        let start = json.count
        RecordLayout.write(resource, into: &json) { (_, json) in
            json.append("\"value\":")
            json.appendQuoted(token)
        }
        entries.append(Entry(line: line, range: start..<json.count))
        json.append("\n")
    }
}

/// Why no records can be made of a file. Never holds a part of the file: that may be a token in a wrong place.
public struct ConversionError: Error, Equatable {
    /// The lines that are at fault, from 1.
    public let lines: [Int]
    /// What is wrong with them.
    public let reason: ResourceError

    init(_ line: Int, _ reason: String) { self.init(lines: [line], reason: .invalid(reason)) }

    init(lines: [Int], reason: ResourceError) {
        self.lines = lines
        self.reason = reason
    }

    /// Does something of which it is known on which line it fails.
    static func at<R>(_ line: Int, _ body: () throws(ResourceError) -> R) throws(ConversionError) -> R {
        do throws(ResourceError) { return try body() } catch { throw ConversionError(lines: [line], reason: error) }
    }
}

/// A position in a file of text, and the line that it is on. The text is given anew at each step, since a value cannot
/// keep a span.
struct TextCursor {
    private(set) var position: Int
    private(set) var line = 1

    /// The start of a text, behind a byte order mark.
    ///
    /// - Throws: ``ConversionError`` for what is no text at all: the first line with a zero byte is named.
    init(_ text: Span<UInt8>) throws(ConversionError) {
        if let zero = text.firstIndex(of: 0, from: 0, before: text.count) {
            let line = (0..<zero).count { text[$0] == UInt8(ascii: "\n") } + 1
            throw ConversionError(line, "a zero byte; this is no text in UTF-8")
        }
        position = text.hasPrefix("\u{feff}") ? 3 : 0
    }

    /// The byte at the position; nil at the end.
    func byte(_ text: Span<UInt8>) -> UInt8? { position < text.count ? text[position] : nil }

    /// Whether the position is at the end of a line or of the text.
    func isAtLineEnd(_ text: Span<UInt8>) -> Bool {
        guard let byte = byte(text) else { return true }
        if byte == UInt8(ascii: "\r") {
            return position + 1 == text.count || text[position + 1] == UInt8(ascii: "\n")
        }
        return byte == UInt8(ascii: "\n")
    }

    mutating func advance(_ text: Span<UInt8>) {
        if text[position] == UInt8(ascii: "\n") { line += 1 }
        position += 1
    }

    mutating func skipBlanks(_ text: Span<UInt8>) {
        while let byte = byte(text), byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") { position += 1 }
    }

    /// Goes on to the start of the next line.
    mutating func skipLine(_ text: Span<UInt8>) {
        position = text.firstIndex(of: UInt8(ascii: "\n"), from: position, before: text.count) ?? text.count
        if position < text.count { advance(text) }
    }

    /// Where the rest of the line stands, without its end.
    func restOfLine(_ text: Span<UInt8>) -> Range<Int> {
        var end = text.firstIndex(of: UInt8(ascii: "\n"), from: position, before: text.count) ?? text.count
        if end > position, text[end - 1] == UInt8(ascii: "\r") { end -= 1 }
        return position..<end
    }
}
