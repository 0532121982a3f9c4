internal import Sodium

/// What one write does to the records of a vault: new or changed records, and names to remove.
public struct RecordChanges: ~Copyable {
    /// All new records, one behind the other in one guarded region.
    private(set) var arena: SecretBuffer
    private(set) var byName: [RecordName: Range<Int>?] = [:]

    /// No changes yet, with space for `capacity` bytes of records.
    public init(capacity: Int = 4096) { arena = SecretBuffer(capacity: capacity) }

    /// Whether there is nothing to write.
    public var isEmpty: Bool { byName.isEmpty }

    /// Puts a record in the place of the one with that name, or adds it.
    ///
    /// - Parameters:
    ///   - name: The record's name.
    ///   - record: A JSON object that begins with `{"name":"`, the name and a quotation mark; one line.
    /// - Throws: ``VaultError/tooLarge(_:)`` when it does not fit into a block.
    public mutating func put(_ name: RecordName, _ record: Span<UInt8>) throws(VaultError) {
        let start = Array("{\"name\":\"".utf8) + name.bytes + Array("\"".utf8)
        precondition(record.count > start.count && record.extracting(first: start.count).isEqual(to: start.span))
        precondition(record[record.count - 1] == UInt8(ascii: "}") && record.firstIndex(of: UInt8(ascii: "\n")) == nil)
        guard record.count <= Block.maximumRecordSize else {
            throw .tooLarge(
                "the record of \(name) has \(record.count) bytes, and \(Block.maximumRecordSize) is the most")
        }
        let offset = arena.count
        arena.append(record)
        byName[name] = offset..<offset + record.count
    }

    /// Removes the record of that name.
    public mutating func remove(_ name: RecordName) { byName[name] = .some(nil) }
}
