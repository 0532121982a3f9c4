internal import Age
internal import Glibc
internal import Sodium
internal import SystemPackage

/// Makes the next version of a vault, or the first.
struct VaultWriter {
    /// The version that was just written.
    struct Version {
        let id: VaultID
        let state: Ratchet.State
        /// Why it may not outlast a power cut; nil when it will.
        let doubt: VaultError?
    }

    private let signer: any MemberIdentity
    private let written: String

    init(signer: any MemberIdentity, written: Timestamp = .now) {
        self.signer = signer
        self.written = written.description
    }

    /// Writes a vault without records, whose owner is the signer.
    func create(at path: FilePath, owner: X25519Recipient, label: String) throws(VaultError) -> Version {
        let root = signer.verificationKey
        guard
            let roster = Roster(
                nonce: Random.bytes(Roster.nonceSize), root: root, version: 1,
                members: [Member(role: .owner, recipient: owner, key: root, label: label)])
        else { throw .notAllowed("this cannot be a label") }
        let fileKey = FileKey()
        return try finish(
            path, signedRoster: try signer.sign(roster.text), roster: roster, generation: 1, previous: [],
            fileKey: fileKey, replacing: false
        ) { (_) throws(VaultError) in BlockIndex(entries: []) }
    }

    /// Writes `changes` into the vault that `reader` has open, in its place.
    ///
    /// - Parameters:
    ///   - changes: What to do to the records.
    ///   - reader: The current version, read under the lock. The signer may write it, and issue its roster where that
    ///     is needed.
    ///   - succession: How the new version follows it.
    ///   - path: The file, not a symbolic link.
    ///   - keepsBackup: Whether the version before stays beside it.
    /// - Returns: The new version.
    /// - Throws: ``VaultError``; the vault is then as it was.
    func write(
        _ changes: borrowing RecordChanges, to reader: inout VaultReader, as succession: Succession, path: FilePath,
        keepsBackup: Bool = true
    ) throws(VaultError) -> Version {
        var roster = reader.roster
        var signedRoster = reader.tail.roster
        var generation = succession.generation
        if let members = succession.members {
            guard succession.rosterVersion < Number.maximum else {
                throw .notAllowed("the roster has the highest version there is; a new vault is needed")
            }
            guard members.count <= Roster.maximumCount else {
                throw .tooLarge("a vault has at most \(Roster.maximumCount) members")
            }
            guard
                let next = Roster(
                    nonce: roster.nonce, root: roster.root, version: succession.rosterVersion + 1, members: members)
            else { throw .notAllowed("these cannot be the members of a vault") }
            roster = next
            signedRoster = try signer.sign(next.text)
            generation = 0
        }
        let fileKey = FileKey()
        return try finish(
            path, signedRoster: signedRoster, roster: roster, generation: generation + 1,
            previous: succession.previous, fileKey: fileKey, replacing: true, keepsBackup: keepsBackup
        ) { (output) throws(VaultError) in try Self.writeBlocks(changes, reader: &reader, to: &output) }
    }

    /// Writes the records of the vault that `reader` has open as a new vault, whose owner is the signer, in its place.
    ///
    /// - Throws: ``VaultError``, and nothing is written when one of the blocks does not check: none is signed unseen.
    func rekey(_ reader: inout VaultReader, path: FilePath) throws -> Version {
        _ = try reader.mapBlocks { _, _ in }
        let root = signer.verificationKey
        let members = reader.roster.members.map { member in
            if member.key == root {
                return Member(role: .owner, recipient: signer.recipient, key: root, label: member.label)
            }
            // Who hands over stays, as somebody whom the new owner can remove.
            let role = member.role == .owner ? .writer : member.role
            return Member(role: role, recipient: member.recipient, key: member.key, label: member.label)
        }
        guard let roster = Roster(nonce: Random.bytes(Roster.nonceSize), root: root, version: 1, members: members)
        else { throw VaultError.damaged(path: path.string, "the roster has this identity's recipient as another's") }
        let fileKey = FileKey()
        return try finish(
            path, signedRoster: try signer.sign(roster.text), roster: roster, generation: 1, previous: [],
            fileKey: fileKey, replacing: true
        ) { (output) throws(VaultError) in
            try Self.writeBlocks(RecordChanges(), reader: &reader, to: &output)
        }
    }

    /// Writes header, blocks and tail to a new file, reads it back, and puts it in place.
    private func finish(
        _ path: FilePath, signedRoster: Signed, roster: Roster, generation: Int, previous: [Hash],
        fileKey: borrowing FileKey, replacing: Bool, keepsBackup: Bool = true,
        blocks: (inout BlockOutput) throws(VaultError) -> BlockIndex
    ) throws(VaultError) -> Version {
        // Who adds a member refuses such a point; somebody else's roster may have one all the same.
        for member in roster.members where X25519Recipient(parsing: "\(member.recipient)") == nil {
            throw .damaged(
                path: path.string,
                "the recipient of \(member.label) is a point of low order, which everybody could open")
        }
        let header = Header(recipients: roster.members.map(\.recipient), fileKey: fileKey)
        var tailBytes: [UInt8] = []
        var index = BlockIndex(entries: [])
        var changed: [Int] = []
        var manifestHash: Hash?
        let mode = replacing ? try Self.mode(of: path) : [.ownerReadWrite]
        var doubt: VaultError?
        do throws(VaultError) {
            try DurableFile.write(
                path, backup: replacing && keepsBackup ? path.withSuffix(".bak") : nil, mode: mode,
                replacing: replacing,
                // What git has made for a merge is no place in which somebody would look for remains.
                making: keepsBackup ? .named : .unnamed
            ) { (descriptor) throws(VaultError) in
                if replacing { Self.keepOwner(of: path, on: descriptor) }
                var output = BlockOutput(descriptor: descriptor, path: path, fileKey: fileKey)
                try output.begin(header)
                index = try blocks(&output)
                changed = output.changed
                let manifest = Manifest(
                    id: roster.id, roster: Hash.roster(signedRoster.text), generation: generation, previous: previous,
                    index: Hash.index(index.line.span), written: written)
                let signedManifest = try signer.sign(manifest.text)
                manifestHash = Hash.manifest(manifest.text)
                let tail = Tail(index: index, roster: signedRoster, manifest: signedManifest)
                tailBytes = tail.bytes
                guard tailBytes.count <= Tail.maximumSize else {
                    throw .tooLarge("the vault has more blocks or members than its tail of 16 MiB can name")
                }
                try output.end(tailBytes)
            } check: { (temporary) throws(VaultError) in
                try Self.check(temporary, of: path, fileKey: fileKey, tail: tailBytes, index: index, changed: changed)
            }
        } catch {
            guard case .durabilityUnknown = error else { throw error }
            doubt = error
        }
        guard let manifestHash else { fatalError("a vault was written without a manifest") }
        let state = Ratchet.State(
            rosterVersion: roster.version, roster: Hash.roster(signedRoster.text), generation: generation,
            manifest: manifestHash, stanza: roster.members.firstIndex { $0.key == signer.verificationKey } ?? 0)
        return Version(id: roster.id, state: state, doubt: doubt)
    }

    /// Reads back what was written for the file at `path`: header, tail, and the blocks that are new.
    static func check(
        _ temporary: FilePath, of path: FilePath, fileKey: borrowing FileKey, tail: [UInt8], index: BlockIndex,
        changed: [Int]
    ) throws(VaultError) {
        do throws(AgeError) {
            let source: FileSource
            do throws(FileSource.Failure) { source = try FileSource(opening: temporary) } catch {
                throw .unreadable(errno: error.errno)
            }
            let header = try Header(readingFrom: source)
            guard header.isAuthentic(under: fileKey) else { throw .headerMAC }
            let payload = try StreamReader(source, at: header.byteCount, fileKey: fileKey)
            let blocks = index.entries.count
            guard payload.chunkCount > blocks else { throw .payload("the tail is missing") }
            var chunk = SecretBytes(zeros: Block.size)
            var written: [UInt8] = []
            for number in blocks..<payload.chunkCount {
                try chunk.withMutableBytes { (bytes) throws(AgeError) in try payload.readChunk(number, into: &bytes) }
                chunk.withBytes { written += $0.extracting(first: payload.size(ofChunk: number)).publicCopy }
            }
            guard written == tail else { throw .payload("the tail is another one") }
            for number in changed {
                try chunk.withMutableBytes { (bytes) throws(AgeError) in try payload.readChunk(number, into: &bytes) }
                guard chunk.withBytes({ Hash.block($0) }) == index.entries[number].hash else {
                    throw .payload("block \(number) is another one")
                }
            }
        } catch {
            // Of the new file: the vault itself is neither damaged nor touched.
            switch VaultError(error, path: path) {
            case .damaged(let path, let what): throw .notAsWritten(path: path, what)
            case .system(_, let path, let number): throw .system(operation: .readingBack, path: path, errno: number)
            case let other: throw other
            }
        }
    }

    /// Gives the new file to the owner of the old one, since root may change a vault that others must still read; or at
    /// least to its group, whose members may share it.
    static func keepOwner(of path: FilePath, on descriptor: FileDescriptor) {
        guard let status = DurableFile.status(of: path), status.st_uid != geteuid() || status.st_gid != getegid() else {
            return
        }
        if fchown(descriptor.rawValue, status.st_uid, status.st_gid) != 0 {
            _ = fchown(descriptor.rawValue, uid_t.max, status.st_gid)
        }
    }

    private static func mode(of path: FilePath) throws(VaultError) -> FilePermissions {
        guard let status = DurableFile.status(of: path) else {
            throw .system(operation: .opening, path: path.string, errno: errno)
        }
        return FilePermissions(rawValue: status.st_mode & 0o777)
    }

    // MARK: - Blocks

    private static func writeBlocks(
        _ changes: borrowing RecordChanges, reader: inout VaultReader, to output: inout BlockOutput
    ) throws(VaultError) -> BlockIndex {
        let old = reader.tail.index.entries
        let sorted = changes.byName.map { (name: $0.key, record: $0.value) }.sorted { $0.name < $1.name }
        var index = BlockIndex(entries: [])
        var next = 0
        if old.isEmpty {
            let lines = sorted.compactMap { change in change.record.map { Line(change.name, .new($0)) } }
            try output.write(lines, block: nil, changes: changes, to: &index)
        }
        for number in old.indices {
            // A block takes the changes up to the next block's first name; the first block those before it as well.
            let first = next
            while next < sorted.count, number + 1 == old.count || sorted[next].name < old[number + 1].first {
                next += 1
            }
            if first == next {
                try reader.withUncheckedBlock(number) { (bytes) throws(VaultError) in try output.carry(bytes) }
                index.entries.append(old[number])
                continue
            }
            let merged = try merge(sorted[first..<next], into: number, of: &reader)
            var failure: VaultError?
            reader.withChunk { block in
                do throws(VaultError) {
                    try output.write(merged, block: block, changes: changes, to: &index)
                } catch {
                    failure = error
                }
            }
            if let failure { throw failure }
        }
        guard index.entries.count <= BlockIndex.maximumCount else {
            throw .tooLarge("a vault has at most \(BlockIndex.maximumCount) blocks")
        }
        return index
    }

    /// The lines of a block after the changes, in order. The block stays in the reader's chunk.
    private static func merge(
        _ changes: ArraySlice<(name: RecordName, record: Range<Int>?)>, into number: Int, of reader: inout VaultReader
    ) throws(VaultError) -> [Line] {
        var lines: [Line] = []
        var rest = changes
        try reader.forEachRange(inBlock: number) { bytes, record, nameRange in
            guard let name = RecordName(bytes: bytes.extracting(nameRange)) else {
                fatalError("a name that is none got past the check of its block")
            }
            while let change = rest.first, change.name < name {
                if let record = change.record { lines.append(Line(change.name, .new(record))) }
                rest.removeFirst()
            }
            if let change = rest.first, change.name == name {
                if let record = change.record { lines.append(Line(name, .new(record))) }
                rest.removeFirst()
            } else {
                lines.append(Line(name, .old(record)))
            }
        }
        for change in rest {
            if let record = change.record { lines.append(Line(change.name, .new(record))) }
        }
        return lines
    }
}

/// A record on its way into a block, and where its bytes are.
private struct Line {
    enum Place {
        /// In the block that is being changed.
        case old(Range<Int>)
        /// Among the changes.
        case new(Range<Int>)
    }

    let name: RecordName
    let place: Place

    init(_ name: RecordName, _ place: Place) {
        self.name = name
        self.place = place
    }

    /// With the newline or the padding behind it.
    var size: Int {
        switch place {
        case .old(let range), .new(let range): range.count + 1
        }
    }
}

/// The file that is being written, block by block.
private struct BlockOutput: ~Copyable {
    private let descriptor: FileDescriptor
    private let path: FilePath
    private var stream: StreamWriter
    private var block = SecretBytes(zeros: Block.size)
    private var count = 0

    /// The numbers of the blocks that were put together anew.
    private(set) var changed: [Int] = []

    init(descriptor: FileDescriptor, path: FilePath, fileKey: borrowing FileKey) {
        self.descriptor = descriptor
        self.path = path
        stream = StreamWriter(fileKey: fileKey)
    }

    func begin(_ header: Header) throws(VaultError) {
        let start = header.bytes + stream.nonce
        try DurableFile.write(start.span, to: descriptor, at: path)
    }

    /// Writes a block as it is.
    mutating func carry(_ bytes: Span<UInt8>) throws(VaultError) {
        let (descriptor, path) = (self.descriptor, self.path)
        try stream.seal(bytes, isLast: false) { (sealed) throws(VaultError) in
            try DurableFile.write(sealed, to: descriptor, at: path)
        }
        count += 1
    }

    /// Writes as many blocks as `lines` need, evenly filled, and notes them in `index`.
    mutating func write(
        _ lines: [Line], block old: Span<UInt8>?, changes: borrowing RecordChanges, to index: inout BlockIndex
    ) throws(VaultError) {
        let total = lines.reduce(0) { $0 + $1.size }
        let parts = (total + Block.size - 1) / Block.size
        let share = parts == 0 ? 0 : total / parts
        var start = 0
        while start < lines.count {
            var end = start
            var used = 0
            while end < lines.count, used + lines[end].size <= Block.size, end == start || used < share {
                used += lines[end].size
                end += 1
            }
            try write(lines[start..<end], block: old, changes: changes, to: &index)
            start = end
        }
    }

    private mutating func write(
        _ lines: ArraySlice<Line>, block old: Span<UInt8>?, changes: borrowing RecordChanges, to index: inout BlockIndex
    ) throws(VaultError) {
        guard let first = lines.first else { return }
        block.withMutableBytes { output in
            var position = 0
            func put(_ bytes: Span<UInt8>, _ output: inout MutableSpan<UInt8>) {
                for index in bytes.indices { output[position + index] = bytes[index] }
                position += bytes.count
                output[position] = UInt8(ascii: "\n")
                position += 1
            }
            for line in lines {
                switch line.place {
                case .old(let range): if let old { put(old.extracting(range), &output) }
                case .new(let range): changes.arena.withBytes { put($0.extracting(range), &output) }
                }
            }
            for index in (position - 1)..<(Block.size - 1) { output[index] = UInt8(ascii: " ") }
            output[Block.size - 1] = UInt8(ascii: "\n")
        }
        changed.append(count)
        index.entries.append(.init(first: first.name, hash: block.withBytes { Hash.block($0) }))
        // Out of `self` while `self` writes it.
        var full = SecretBytes(zeros: 0)
        swap(&full, &block)
        defer { swap(&full, &block) }
        try full.withBytes { (bytes) throws(VaultError) in try carry(bytes) }
    }

    /// Writes the tail, which ends the file.
    mutating func end(_ tail: [UInt8]) throws(VaultError) {
        let (descriptor, path) = (self.descriptor, self.path)
        for start in stride(from: 0, to: tail.count, by: Block.size) {
            let end = min(start + Block.size, tail.count)
            try stream.seal(tail.span.extracting(start..<end), isLast: end == tail.count) {
                (sealed) throws(VaultError) in
                try DurableFile.write(sealed, to: descriptor, at: path)
            }
        }
    }
}
