internal import Resources
internal import Sodium
internal import VaultFile

/// The table of `list`. It may have 100,000 rows, so it is made of bytes, block by block, and never of strings.
enum ResourceTable {
    /// The rows of one block.
    struct Part: Sendable {
        struct Row: Sendable {
            let name: Range<Int>
            let url: Range<Int>
            let moreURLs: Int
            let added: Timestamp?
            let expires: Timestamp?
        }

        /// The names and URLs, one behind the other.
        private(set) var text: [UInt8] = []
        private(set) var rows: [Row] = []

        /// Takes the rows from a block.
        ///
        /// - Parameters:
        ///   - block: The block.
        ///   - records: Where its records stand.
        ///   - isWanted: Whether a record of that name is shown.
        /// - Throws: ``ResourceError`` for a record that is malformed.
        init(_ block: Span<UInt8>, _ records: [Range<Int>], where isWanted: (Span<UInt8>) -> Bool) throws {
            text.reserveCapacity(block.count / 2)
            rows.reserveCapacity(records.count)
            for record in records {
                let line = block.extracting(record)
                let summary = try RecordSummary(line)
                guard isWanted(line.extracting(summary.name)) else { continue }
                rows.append(
                    Row(
                        name: append(line.extracting(summary.name)), url: append(line.extracting(summary.url)),
                        moreURLs: max(summary.urlCount - 1, 0), added: summary.added, expires: summary.expires))
            }
        }

        private mutating func append(_ bytes: Span<UInt8>) -> Range<Int> {
            let start = text.count
            unsafe bytes.withUnsafeBufferPointer { unsafe text.append(contentsOf: $0) }
            return start..<text.count
        }
    }

    /// Writes the table to standard output.
    static func print(_ parts: [Part]) throws {
        let isColoured = Output.isColoured
        var words = Words()
        var widths = titles.map(\.count)
        for part in parts {
            for row in part.rows {
                widths[0] = max(widths[0], row.name.count)
                widths[1] = max(widths[1], row.url.count + more(row.moreURLs).count)
                widths[2] = max(widths[2], words.age(row.added).count)
            }
        }
        var output: [UInt8] = []
        output.reserveCapacity(1 << 17)
        func cell(_ text: Span<UInt8>, _ column: Int, more: [UInt8] = []) {
            unsafe text.withUnsafeBufferPointer { unsafe output.append(contentsOf: $0) }
            output += more
            if column < 3 { for _ in text.count + more.count..<widths[column] + 2 { output.append(UInt8(ascii: " ")) } }
        }
        if isColoured { output += "\u{1b}[1m".utf8 }
        for (column, title) in titles.enumerated() { cell(title.span, column) }
        if isColoured { output += "\u{1b}[0m".utf8 }
        output.append(UInt8(ascii: "\n"))
        for part in parts {
            let text = part.text.span
            for row in part.rows {
                cell(text.extracting(row.name), 0)
                cell(text.extracting(row.url), 1, more: more(row.moreURLs))
                cell(words.age(row.added).span, 2)
                let expiry = words.expiry(row.expires)
                let isStyled = isColoured && expiry.style != .plain
                if isStyled { output += "\u{1b}[\(expiry.style.rawValue)m".utf8 }
                output += expiry.text
                if isStyled { output += "\u{1b}[0m".utf8 }
                output.append(UInt8(ascii: "\n"))
            }
            if output.count > 100_000 {
                try Output.write(output.span)
                output.removeAll(keepingCapacity: true)
            }
        }
        try Output.write(output.span)
    }

    private static let titles = ["NAME", "URL", "TOKEN AGE", "EXPIRES"].map { Array($0.utf8) }

    private static func more(_ count: Int) -> [UInt8] { count == 0 ? [] : Array(" +\(count)".utf8) }

    /// Dates in words; the same date often comes many times in a row.
    private struct Words {
        private var lastAge: (moment: Timestamp?, text: [UInt8]) = (nil, Array(DateWords.age(nil).utf8))
        private var lastExpiry: (moment: Timestamp?, text: [UInt8], style: Table.Style) = (nil, Array("-".utf8), .plain)
        private let now = Timestamp.now

        mutating func age(_ moment: Timestamp?) -> [UInt8] {
            if moment != lastAge.moment { lastAge = (moment, Array(DateWords.age(moment, now: now).utf8)) }
            return lastAge.text
        }

        mutating func expiry(_ moment: Timestamp?) -> (text: [UInt8], style: Table.Style) {
            if moment != lastExpiry.moment {
                let words = DateWords.expiry(moment, now: now)
                lastExpiry = (moment, Array(words.text.utf8), words.style)
            }
            return (lastExpiry.text, lastExpiry.style)
        }
    }
}
