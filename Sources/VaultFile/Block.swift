internal import Age
internal import Sodium

/// A data block: records, one a line, in ascending order of their names, padded with spaces to one STREAM chunk.
enum Block {
    /// 65,536 bytes.
    static let size = Stream.chunkSize
    /// The most bytes of a record: a block without its final newline.
    static let maximumRecordSize = size - 1

    static let recordStart: StaticString = "{\"name\":\""

    /// The name of a record, or nil when it has none.
    static func name(of record: Span<UInt8>) -> RecordName? {
        let start = recordStart.utf8CodeUnitCount
        guard let end = record.firstIndex(of: UInt8(ascii: "\""), from: start, before: record.count) else { return nil }
        return RecordName(bytes: record.extracting(start..<end))
    }

    /// Goes through the records of a block and checks its structure.
    ///
    /// - Parameters:
    ///   - bytes: The whole block.
    ///   - first: The name that the index gives.
    ///   - next: The name that the index gives for the following block.
    ///   - body: Gets where each record stands, and where its name.
    /// - Returns: What is wrong with the block, or nil.
    /// - Throws: What `body` throws.
    static func forEachRecord<E: Error>(
        _ bytes: Span<UInt8>, first: RecordName, next: RecordName?,
        _ body: (_ record: Range<Int>, _ name: Range<Int>) throws(E) -> Void
    ) throws(E) -> BlockDefect? {
        guard bytes.count == size, bytes[size - 1] == UInt8(ascii: "\n") else { return .end }
        // What follows the last record is spaces up to the final newline.
        var end = size - 1
        while end > 0, bytes[end - 1] == UInt8(ascii: " ") { end -= 1 }
        var previous = 0..<0
        var start = 0
        while start < end {
            let lineEnd = bytes.firstIndex(of: UInt8(ascii: "\n"), from: start, before: end) ?? end
            let nameStart = start + recordStart.utf8CodeUnitCount
            guard bytes.extracting(start..<lineEnd).hasPrefix(recordStart),
                let nameEnd = bytes.firstIndex(of: UInt8(ascii: "\""), from: nameStart, before: lineEnd),
                RecordName.isName(bytes.extracting(nameStart..<nameEnd)), bytes[lineEnd - 1] == UInt8(ascii: "}")
            else { return .record }
            let name = nameStart..<nameEnd
            if start == 0 {
                guard bytes.extracting(name).isEqual(to: first.bytes.span) else { return .first }
            } else {
                guard RecordName.precedes(bytes.extracting(previous), bytes.extracting(name)) else { return .order }
            }
            try body(start..<lineEnd, name)
            previous = name
            start = lineEnd + 1
        }
        // A newline directly in front of the padding would be a blank line.
        guard start == end + 1 else { return start == 0 ? .empty : .end }
        if let next, !RecordName.precedes(bytes.extracting(previous), next.bytes.span) { return .order }
        return nil
    }
}

/// What is wrong with a block whose hash fits.
enum BlockDefect: String {
    case empty = "holds no record"
    case end = "does not end as a block does"
    case record = "holds a line that is no record"
    case first = "does not begin with the name that the index gives"
    case order = "is not in ascending order"
}

extension Span<UInt8> {
    package func isEqual(to other: Span<UInt8>) -> Bool {
        guard count == other.count else { return false }
        for index in indices where self[index] != other[index] { return false }
        return true
    }
}
