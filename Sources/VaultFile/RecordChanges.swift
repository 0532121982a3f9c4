public import Sodium

/// The sizes that a vault sets to its records.
public enum VaultLimits {
    /// 65,535 bytes: a block without its final newline.
    public static let recordSize = Block.maximumRecordSize
}

/// What one write does to the records of a vault: new or changed records, and names to remove.
public struct RecordChanges: ~Copyable {
    /// All new records, one behind the other in one guarded region.
    private(set) var arena: SecretBuffer
    private(set) var byName: [RecordName: Range<Int>?] = [:]

    /// No changes yet.
    public init() { arena = SecretBuffer() }

    /// No changes yet, with space for `capacity` bytes of records.
    public init(capacity: Int) { arena = SecretBuffer(capacity: capacity) }

    /// Whether there is nothing to write.
    public var isEmpty: Bool { byName.isEmpty }

    /// Puts a record in the place of the one with that name, or adds it.
    ///
    /// - Parameters:
    ///   - name: The record's name.
    ///   - write: Appends a JSON object that begins with `{"name":"`, the name and a quotation mark; one line.
    /// - Throws: ``VaultError/tooLarge(_:)`` when it does not fit into a block.
    public mutating func put(_ name: RecordName, _ write: (inout SecretBuffer) -> Void) throws(VaultError) {
        let start = arena.count
        write(&arena)
        let range = start..<arena.count
        guard range.count <= Block.maximumRecordSize else {
            throw .tooLarge(
                "the record of \(name) has \(range.count) bytes, and \(Block.maximumRecordSize) is the most")
        }
        let prefix = Array("{\"name\":\"\(name)\"".utf8)
        arena.withBytes { bytes in
            let record = bytes.extracting(range)
            precondition(record.count > prefix.count && record.extracting(first: prefix.count).isEqual(to: prefix.span))
            precondition(record[record.count - 1] == UInt8(ascii: "}"))
            precondition(record.firstIndex(of: UInt8(ascii: "\n"), from: 0, before: record.count) == nil)
        }
        byName[name] = range
    }

    /// Removes the record of that name.
    public mutating func remove(_ name: RecordName) { byName[name] = .some(nil) }
}
