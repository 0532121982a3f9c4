internal import Age
internal import Glibc
internal import Sodium
internal import Synchronization
internal import SystemPackage

/// A vault that was opened and whose tail holds together, but of which nobody has said yet that it is the right one.
struct UnverifiedVault: ~Copyable {
    private let path: FilePath
    private let payload: StreamReader<FileSource>
    private let tail: Tail
    private let roster: Roster
    private let manifest: Manifest
    private let stanza: Int
    private let chunk: SecretBytes

    /// The vault's id, as its roster proves it. The rest of what it says is anybody's word until ``verify``.
    var id: VaultID { roster.id }

    /// Who can open it.
    var members: [Member] { roster.members }

    /// Opens the file at `path` and checks the header, the end, and the tail with its signatures.
    ///
    /// - Parameters:
    ///   - path: The vault.
    ///   - identities: Tried in their order.
    ///   - hint: The number of the stanza to try first.
    /// - Throws: ``VaultError``.
    init(opening path: FilePath, with identities: [any Identity], hint: Int = 0) throws(VaultError) {
        let source: FileSource
        do {
            source = try FileSource(opening: path)
        } catch {
            if error.errno == ENOENT || error.errno == ENOTDIR { throw .noSuchFile(path.string) }
            throw .system(operation: .opening, path: path.string, errno: error.errno)
        }
        var stanza = 0
        let payload = try VaultError.mapping(path) { () throws(AgeError) in
            let header = try Header(readingFrom: source)
            if header.stanzas.contains(where: { $0.type == ScryptIdentity.stanzaType }) {
                throw .header("a passphrase stanza, which a vault does not have")
            }
            let opened = try header.unwrap(with: identities, startingAt: hint)
            stanza = opened.stanza
            return try StreamReader(source, at: header.byteCount, fileKey: opened.fileKey)
        }
        var chunk = SecretBytes(zeros: Block.size)
        (tail, roster, manifest) = try Self.readTail(payload, &chunk, path)
        self.chunk = chunk
        self.path = path
        self.payload = payload
        self.stanza = stanza
    }

    /// Says which vault it has to be, and checks that.
    ///
    /// - Parameters:
    ///   - pin: The vault that is trusted.
    ///   - origin: Where the pin comes from, for errors.
    ///   - seen: The newest version seen here, if any was and it matters.
    ///   - followsGit: Whether generations may go back.
    /// - Returns: The vault, of which everything may be used.
    /// - Throws: ``VaultError/otherVault(path:found:pinned:origin:)``,
    ///   ``VaultError/belowPin(path:version:minimum:origin:)``, ``VaultError/older(path:_:)``.
    consuming func verify(
        pin: Pin, origin: String = "", seen: Ratchet.State?, followsGit: Bool
    ) throws(VaultError) -> VaultReader {
        guard pin.id == roster.id else {
            throw .otherVault(path: path.string, found: roster.id, pinned: pin.id, origin: origin)
        }
        guard roster.version >= pin.minimumRosterVersion else {
            throw .belowPin(
                path: path.string, version: roster.version, minimum: pin.minimumRosterVersion, origin: origin)
        }
        let state = Ratchet.State(
            rosterVersion: roster.version, roster: manifest.roster, generation: manifest.generation,
            manifest: Hash.manifest(tail.manifest.text), stanza: stanza)
        if let objection = seen?.objection(to: state, previous: manifest.previous, followsGit: followsGit) {
            throw .older(path: path.string, objection)
        }
        return VaultReader(
            path: path, payload: payload, chunk: chunk, tail: tail, roster: roster, manifest: manifest, state: state)
    }

    private static func readTail(
        _ payload: borrowing StreamReader<FileSource>, _ chunk: inout SecretBytes, _ path: FilePath
    ) throws(VaultError) -> (Tail, Roster, Manifest) {
        func damaged(_ what: String) -> VaultError { .damaged(path: path.string, what) }
        let last = payload.chunkCount - 1
        try chunk.read(last, of: payload, path)
        let total = payload.byteCount
        guard total >= Tail.unit, total % Tail.unit == 0 else {
            throw damaged("its size is not one that a vault can have")
        }
        let lastSize = payload.size(ofChunk: last)
        let blocks = chunk.withBytes { bytes in
            Tail.blocks(inFooter: bytes.extracting(first: lastSize).extracting(last: Tail.footerSize))
        }
        guard let blocks else { throw damaged("the footer is malformed") }
        let tailSize = total - blocks * Block.size
        guard tailSize >= Tail.unit, tailSize <= Tail.maximumSize else {
            throw damaged("the footer gives \(blocks) blocks, which the size contradicts")
        }
        // Names and hashes, no secrets: from here on in ordinary memory.
        var bytes: [UInt8] = []
        bytes.reserveCapacity(tailSize)
        for index in blocks...last {
            // A tail of one chunk, which most are, is there already.
            if last > blocks { try chunk.read(index, of: payload, path) }
            chunk.withBytes { bytes += $0.extracting(first: payload.size(ofChunk: index)).publicCopy }
        }
        var defect = ""
        guard let tail = Tail(bytes.span, blocks: blocks, defect: &defect) else { throw damaged(defect) }
        guard tail.roster.isValid else { throw damaged("the roster's signature does not fit") }
        guard let roster = Roster(text: tail.roster.text) else { throw damaged("the roster is malformed") }
        guard tail.roster.by == roster.root else { throw damaged("the roster is not signed by its root") }
        guard tail.manifest.isValid else { throw damaged("the manifest's signature does not fit") }
        guard let manifest = Manifest(text: tail.manifest.text) else { throw damaged("the manifest is malformed") }
        guard roster.mayWrite(tail.manifest.by) else {
            throw damaged("the manifest is signed by somebody who may not write")
        }
        guard manifest.id == roster.id else { throw damaged("the manifest is another vault's") }
        guard manifest.roster == Hash.roster(tail.roster.text) else {
            throw damaged("the manifest was made under another roster")
        }
        guard manifest.index == tail.indexHash else {
            throw damaged("the index is not the one that the manifest names")
        }
        return (tail, roster, manifest)
    }
}

/// A vault whose id, signatures and freshness were checked, and whose records can be read.
///
/// The file stays open: a writer that replaces it does not disturb a reader.
public struct VaultReader: ~Copyable {
    let path: FilePath
    private let payload: StreamReader<FileSource>
    let tail: Tail
    /// Who may open and write it.
    let roster: Roster
    /// What it holds.
    let manifest: Manifest
    /// What to remember of it.
    let state: Ratchet.State

    /// One block at a time.
    private var chunk: SecretBytes
    /// The block in the chunk, where it was checked.
    private var held: Int?

    init(
        path: FilePath, payload: consuming StreamReader<FileSource>, chunk: consuming SecretBytes, tail: Tail,
        roster: Roster, manifest: Manifest, state: Ratchet.State
    ) {
        self.path = path
        self.payload = payload
        self.chunk = chunk
        self.tail = tail
        self.roster = roster
        self.manifest = manifest
        self.state = state
    }

    /// The vault's id.
    public var id: VaultID { roster.id }

    /// Who may open and write it, in the order of the roster.
    public var members: [Member] { roster.members }

    /// The version of the list of members: one more with each change of it.
    public var rosterVersion: Int { roster.version }

    /// One more with each write, and 1 again with each change of members.
    public var generation: Int { manifest.generation }

    /// The member who wrote it.
    public var writer: Member? {
        let key = tail.manifest.by
        return members.first { $0.key == key }
    }

    /// When it was written, as its writer says; nil when that is no moment.
    public var written: Timestamp? { Timestamp(manifest.written) }

    /// The number of blocks; the number of records is not written down anywhere.
    var blockCount: Int { tail.index.entries.count }

    /// Lends the record of that name, after checking the block that it is in.
    ///
    /// - Returns: What `body` returns, or nil when there is no such record.
    /// - Throws: ``VaultError``, or what `body` throws.
    public mutating func withRecord<R: ~Copyable>(
        named name: RecordName, _ body: (Span<UInt8>) throws -> R
    ) throws -> R? {
        guard let block = tail.index.block(for: name) else { return nil }
        var found: Range<Int>?
        try forEachRange(inBlock: block) { bytes, record, nameRange in
            if bytes.extracting(nameRange).isEqual(to: name.bytes.span) { found = record }
        }
        guard let found else { return nil }
        return try chunk.withBytes { try body($0.extracting(found)) }
    }

    /// Lends every record, in the order of the names. A block is checked before its first record is lent.
    ///
    /// - Throws: ``VaultError``, or what `body` throws.
    public mutating func forEachRecord(_ body: (Span<UInt8>) throws -> Void) throws {
        for block in 0..<blockCount {
            var ranges: [Range<Int>] = []
            try forEachRange(inBlock: block) { _, record, _ in ranges.append(record) }
            try chunk.withBytes { bytes in
                for range in ranges { try body(bytes.extracting(range)) }
            }
        }
    }

    /// The names of all records, in their order. The rest of a record may be what it likes.
    ///
    /// - Throws: ``VaultError``.
    public borrowing func names() throws -> [RecordName] {
        try mapBlocks { [path] block, records in
            try records.map { record in
                guard let name = Block.name(of: block.extracting(record)) else {
                    throw VaultError.damaged(path: path.string, "a record has no name")
                }
                return name
            }
        }.flatMap { $0 }
    }

    /// Whether there is a record of that name, whatever else is in it.
    ///
    /// - Throws: ``VaultError``.
    public mutating func hasRecord(named name: RecordName) throws -> Bool {
        try withRecord(named: name) { _ in true } ?? false
    }

    /// Makes something of each block, on all processors, after checking it.
    ///
    /// - Parameter body: Gets a block and where its records stand in it. Called from several threads at once.
    /// - Returns: What `body` made, in the order of the blocks.
    /// - Throws: ``VaultError``, or what `body` throws; of several the first in the order of the blocks.
    public borrowing func mapBlocks<T: Sendable>(
        _ body: @Sendable (_ block: Span<UInt8>, _ records: [Range<Int>]) throws -> T
    ) throws -> [T] {
        try mapEachBlock(body).map { try $0.get() }
    }

    /// Makes something of each block as ``mapBlocks(_:)`` does, whatever becomes of others.
    ///
    /// - Parameter body: Gets a block and where its records stand in it. Called from several threads at once.
    /// - Returns: What `body` made of each block, in their order, or why there is nothing.
    public borrowing func mapEachBlock<T: Sendable>(
        _ body: @Sendable (_ block: Span<UInt8>, _ records: [Range<Int>]) throws -> T
    ) -> [Result<T, any Error>] {
        let count = blockCount
        var results = [Result<T, any Error>?](repeating: nil, count: count)
        let next = Mutex(0)
        unsafe results.withUnsafeMutableBufferPointer { results in
            let slots = unsafe Slots(results)
            Threads.run(min(Threads.count, count)) { _ in
                var chunk = SecretBytes(zeros: Block.size)
                while true {
                    let block = next.withLock { next in
                        defer { next += 1 }
                        return next
                    }
                    guard block < count else { return }
                    let result = Result {
                        try VaultError.mapping(path) { () throws(AgeError) in
                            try chunk.withMutableBytes { (bytes) throws(AgeError) in
                                try payload.readChunk(block, into: &bytes)
                            }
                        }
                        return try chunk.withBytes { bytes in
                            var records: [Range<Int>] = []
                            try check(block, bytes) { record, _ in records.append(record) }
                            return try body(bytes, records)
                        }
                    }
                    slots.set(block, result)
                }
            }
        }
        return results.map { result in
            guard let result else { fatalError("a block that no thread took") }
            return result
        }
    }

    /// Decrypts and checks a block, whole, and says where its records stand. The block then stays in the chunk.
    mutating func forEachRange(
        inBlock block: Int, _ body: (Span<UInt8>, _ record: Range<Int>, _ name: Range<Int>) -> Void
    ) throws(VaultError) {
        let isHeld = held == block
        if !isHeld {
            held = nil
            try chunk.read(block, of: payload, path)
        }
        try chunk.withBytes { (bytes) throws(VaultError) in
            try check(block, bytes, hash: !isHeld) { record, name in body(bytes, record, name) }
        }
        held = block
    }

    /// Checks a block against the index, unless that was done, and in itself, and says where its records stand.
    private borrowing func check(
        _ block: Int, _ bytes: Span<UInt8>, hash: Bool = true,
        _ body: (_ record: Range<Int>, _ name: Range<Int>) -> Void
    ) throws(VaultError) {
        let entries = tail.index.entries
        let next = block + 1 < entries.count ? entries[block + 1].first : nil
        guard !hash || Hash.block(bytes) == entries[block].hash else {
            throw damaged("block \(block) is not the one that the index names")
        }
        if let defect = Block.forEachRecord(bytes, first: entries[block].first, next: next, body) {
            throw damaged("block \(block) \(defect.rawValue)")
        }
    }

    private borrowing func damaged(_ what: String) -> VaultError { .damaged(path: path.string, what) }

    /// Lends a block as it decrypts, unchecked: for carrying it into the next version with its signed hash.
    mutating func withUncheckedBlock(
        _ block: Int, _ body: (Span<UInt8>) throws(VaultError) -> Void
    ) throws(VaultError) {
        held = nil
        try chunk.read(block, of: payload, path)
        try chunk.withBytes(body)
    }

    /// Lends what ``forEachRange(inBlock:_:)`` left.
    func withChunk<E: Error>(_ body: (Span<UInt8>) throws(E) -> Void) throws(E) { try chunk.withBytes(body) }
}

/// Places for results that several threads fill, each its own.
@safe
private struct Slots<T>: @unchecked Sendable {
    private let buffer: UnsafeMutableBufferPointer<T?>

    init(_ buffer: UnsafeMutableBufferPointer<T?>) { unsafe self.buffer = buffer }

    func set(_ index: Int, _ value: T) { unsafe buffer[index] = value }
}

extension SecretBytes {
    /// Decrypts a chunk of a vault into the first bytes.
    fileprivate mutating func read(
        _ index: Int, of payload: borrowing StreamReader<FileSource>, _ path: FilePath
    ) throws(VaultError) {
        try VaultError.mapping(path) { () throws(AgeError) in
            try withMutableBytes { (bytes) throws(AgeError) in try payload.readChunk(index, into: &bytes) }
        }
    }
}

extension VaultError {
    /// Runs `body`, and says of an age file's trouble what it means for a vault.
    static func mapping<R: ~Copyable>(
        _ path: FilePath, _ body: () throws(AgeError) -> R
    ) throws(VaultError) -> R {
        do throws(AgeError) { return try body() } catch { throw VaultError(error, path: path) }
    }

    /// What an age file's trouble means for a vault.
    init(_ error: AgeError, path: FilePath) {
        self =
            switch error {
            case .noMatch: .noMatch
            case .header(let reason): .damaged(path: path.string, "the header is malformed: \(reason)")
            case .headerMAC: .damaged(path: path.string, "the header was changed")
            case .armor(let reason): .damaged(path: path.string, "the armor is malformed: \(reason)")
            case .payload(let reason): .damaged(path: path.string, "the content is damaged: \(reason)")
            case .workFactor, .outOfMemory: .damaged(path: path.string, "the header asks for a passphrase")
            case .noAnswer(let reason): .noAnswer(reason)
            case .unreadable(let number): .system(operation: .reading, path: path.string, errno: number)
            }
    }
}
