internal import Sodium
internal import SystemPackage

/// Two versions of a vault and, where there is one, the version that both came from; and what is decided about the records
/// that they disagree on.
public struct VersionDifferences: ~Copyable {
    /// One of two versions.
    public enum Side: Sendable {
        /// The one that is here.
        case ours
        /// The one that is to be merged into it.
        case theirs
    }

    private var base: VaultReader?
    private(set) var ours: VaultReader
    private(set) var theirs: VaultReader

    /// The records that are neither side's, and the names of those for which one side was taken.
    private var merged = RecordChanges()
    private var taken: [(name: RecordName, side: Side)] = []
    private var hasMerged = false

    init(base: consuming VaultReader?, ours: consuming VaultReader, theirs: consuming VaultReader) {
        self.base = base
        self.ours = ours
        self.theirs = theirs
    }

    /// Lets `body` decide about each record that the two versions disagree on, in the order of the names. All blocks of
    /// all versions are checked before.
    ///
    /// - Parameter body: Gets the name, and the record in the base, in ours and in theirs; nil where there is none.
    /// - Throws: ``VaultError``, or what `body` throws.
    public mutating func resolve(
        _ body: (RecordName, _ base: Span<UInt8>?, _ ours: Span<UInt8>?, _ theirs: Span<UInt8>?) throws -> MergedRecord
    ) throws {
        for name in try names() {
            let before = CopiedRecord(try base?.copy(of: name))
            let our = CopiedRecord(try ours.copy(of: name))
            let their = CopiedRecord(try theirs.copy(of: name))
            let result = try before.withSpan { before in
                try our.withSpan { our in
                    try their.withSpan { their in try body(name, before, our, their) }
                }
            }
            switch consume result {
            case .ours: taken.append((name, .ours))
            case .theirs: taken.append((name, .theirs))
            case .new(let record):
                hasMerged = true
                try merged.put(name) { output in record.withBytes { output.append($0) } }
            }
        }
    }

    /// The names of records that the two versions disagree on, in their order.
    private borrowing func names() throws -> [RecordName] {
        _ = try base?.mapBlocks { _, _ in }
        let (our, their) = (try ours.recordHashes(), try theirs.recordHashes())
        var names = our.filter { their[$0.key] != $0.value }.map(\.key)
        names += their.keys.filter { our[$0] == nil }
        return names.sorted()
    }

    /// Whether the result is one side's records, all of them.
    func equals(_ side: Side) -> Bool { !hasMerged && taken.allSatisfy { $0.side == side } }

    /// What turns the records of one side into the result.
    consuming func changes(to side: Side) throws -> Outcome {
        for (name, taken) in taken where taken != side {
            let record = CopiedRecord(taken == .ours ? try ours.copy(of: name) : try theirs.copy(of: name))
            try record.withSpan { record in
                guard let record else { return merged.remove(name) }
                try merged.put(name) { $0.append(record) }
            }
        }
        return Outcome(changes: merged, reader: side == .ours ? ours : theirs)
    }

    /// The changes, and the version that they are to be made to.
    struct Outcome: ~Copyable {
        let changes: RecordChanges
        var reader: VaultReader
    }
}

/// A record that was copied out of a block, if there was one.
private struct CopiedRecord: ~Copyable {
    private let bytes: SecretBytes
    private let isThere: Bool

    init(_ record: consuming SecretBytes?) {
        isThere = record != nil
        bytes = record ?? SecretBytes(zeros: 0)
    }

    func withSpan<R: ~Copyable>(_ body: (Span<UInt8>?) throws -> R) throws -> R {
        if !isThere { return try body(nil) }
        return try bytes.withBytes { try body($0) }
    }
}

extension VaultReader {
    fileprivate mutating func copy(of name: RecordName) throws -> SecretBytes? {
        try withRecord(named: name) { SecretBytes(copying: $0) }
    }

    /// A hash of each record.
    fileprivate borrowing func recordHashes() throws -> [RecordName: Hash] {
        let hashes = try mapBlocks { [path] block, records in
            try records.map { record in
                let line = block.extracting(record)
                guard let name = Block.name(of: line) else {
                    throw VaultError.damaged(path: path.string, "a record has no name")
                }
                return (name, Hash.record(line))
            }
        }
        var all: [RecordName: Hash] = [:]
        for (name, hash) in hashes.joined() { all[name] = hash }
        return all
    }
}
