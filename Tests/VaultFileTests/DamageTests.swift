import Age
import Sodium
import SystemPackage
import Testing

@testable import VaultFile

/// What is done to a whole file: bits that flip, ends that are missing, and parts of one version in another.
@Suite struct DamageTests {
    private let empty = Draft()
    private let small = Draft(blocks: [[record("github", size: 100), record("gitlab", size: 100)]])

    /// The size of a file's header, in bytes.
    private func headerSize(_ file: [UInt8]) throws -> Int { try Header(readingFrom: file).byteCount }

    /// What happens when the vault is opened and all of its records are read; straight, since it happens so often here.
    private func error(at place: VaultPlace) throws -> VaultError? {
        do {
            let opened = try UnverifiedVault(opening: place.path, with: [place.owner])
            var reader = try opened.verify(pin: place.pin, seen: nil, followsGit: false)
            try reader.forEachRecord { _ in }
            return nil
        } catch let error as VaultError {
            #expect(error == error.at(place.path))
            return error.at("")
        }
    }

    private func error(_ file: [UInt8], at place: VaultPlace) throws -> VaultError? {
        try file.write(to: place.path, inPlace: true)
        return try error(at: place)
    }

    /// Does something with each of `positions` while the byte there is another one in the file.
    private func flip(
        _ positions: some Sequence<Int>, of file: [UInt8], at place: VaultPlace, bit: (Int) -> Int = { $0 % 8 },
        _ body: (Int) throws -> Void
    ) throws {
        let descriptor = try FileDescriptor.open(place.path, .writeOnly)
        defer { try? descriptor.close() }
        for position in positions {
            try descriptor.writeAll(toAbsoluteOffset: Int64(position), [file[position] ^ 1 << UInt8(bit(position))])
            try body(position)
            try descriptor.writeAll(toAbsoluteOffset: Int64(position), [file[position]])
        }
        #expect(try error(at: place) == nil)
    }

    // MARK: - Bits

    @Test func aFlippedBitAnywhereInAnEmptyVaultIsRefused() throws {
        let file = empty.file
        let headerSize = try headerSize(file)
        let place = try VaultPlace(holding: empty)
        var wrong: [String] = []
        try file.write(to: place.path, inPlace: true)
        try flip(file.indices, of: file, at: place) { position in
            let error = try error(at: place)
            let isRefused =
                switch error {
                // A changed share or body is one for somebody else.
                case .noMatch: position < headerSize
                case .damaged(_, let words):
                    position < headerSize
                        ? words.hasPrefix("the header was changed") || words.hasPrefix("the header is malformed: ")
                        : words == "the content is damaged: chunk 0 of 1 was changed, or the end is missing"
                default: false
                }
            if !isRefused { wrong.append("\(position): \(error.map { "\($0)" } ?? "accepted")") }
        }
        #expect(wrong.prefix(20) == [])
    }

    @Test func everyBitOfAHeaderMatters() throws {
        let file = empty.file
        let place = try VaultPlace(holding: empty)
        var accepted: [Int] = []
        try file.write(to: place.path, inPlace: true)
        for bit in 0..<8 {
            try flip(0..<(try headerSize(file)), of: file, at: place, bit: { _ in bit }) { position in
                if try error(at: place) == nil { accepted.append(position) }
            }
        }
        #expect(accepted.prefix(20) == [])
    }

    @Test func aFlippedBitInABlockIsRefusedOnlyWhereTheBlockIsRead() throws {
        let file = small.file
        let place = try VaultPlace(holding: small)
        let start = try headerSize(file) + 16
        let sealedSize = Block.size + 16
        var wrong: [String] = []
        let ends = Array(start..<start + 300) + Array(start + sealedSize - 100..<start + sealedSize)
        try file.write(to: place.path, inPlace: true)
        try flip(ends + stride(from: start, to: start + sealedSize, by: 97), of: file, at: place) { position in
            let opened = try UnverifiedVault(opening: place.path, with: [place.owner])
            var reader = try opened.verify(pin: place.pin, seen: nil, followsGit: false)
            do {
                _ = try reader.record("github")
                wrong.append("\(position): accepted")
            } catch VaultError.damaged(_, "the content is damaged: chunk 0 of 2 was changed, or the end is missing") {}
        }
        #expect(wrong.prefix(20) == [])
    }

    /// Somebody who can read the vault can encrypt, too; what he cannot do is sign.
    @Test func aFlippedBitAnywhereInsideAnEmptyVaultIsRefused() throws {
        let plaintext = empty.plaintext
        let place = try VaultPlace(holding: empty)
        var wrong: [String] = []
        // Of the padding a part: each space stands for its neighbours.
        for position in plaintext.indices where plaintext[position] != 0x20 || position % 13 == 0 {
            var flipped = plaintext
            flipped[position] ^= 1 << UInt8(position % 8)
            guard case .damaged(_, let words) = try error(empty.file(of: flipped), at: place),
                !words.contains("content")
            else {
                wrong.append("\(position)")
                continue
            }
        }
        #expect(wrong.prefix(20) == [])
    }

    @Test func aFlippedBitInsideABlockIsRefused() throws {
        let plaintext = small.plaintext
        let place = try VaultPlace(holding: small)
        var wrong: [String] = []
        let ends = Array(0..<260) + Array(Block.size - 40..<Block.size)
        for position in ends + stride(from: 0, to: Block.size, by: 211) {
            var flipped = plaintext
            flipped[position] ^= 1 << UInt8(position % 8)
            let error = try error(small.file(of: flipped), at: place)
            if error != .damaged("block 0 is not the one that the index names") {
                wrong.append("\(position): \(error.map { "\($0)" } ?? "accepted")")
            }
        }
        #expect(wrong.prefix(20) == [])
    }

    // MARK: - Ends

    @Test func anEmptyVaultCutOffAnywhereIsRefused() throws {
        let file = empty.file
        let headerSize = try headerSize(file)
        let place = try VaultPlace(holding: empty)
        var wrong: [String] = []
        try file.write(to: place.path, inPlace: true)
        for length in file.indices.reversed() {
            try FileDescriptor.truncate(place.path, length)
            let expected: VaultError =
                switch length {
                case ..<headerSize:
                    .damaged("the header is malformed: it ends within a line, or is longer than 1048576 bytes")
                case ..<(headerSize + 16): .damaged("the header is malformed: the payload's nonce is cut short")
                case headerSize + 16: .damaged("the content is damaged: it is empty")
                case ..<(headerSize + 32): .damaged("the content is damaged: the last chunk is cut short or empty")
                default: .damaged("the content is damaged: chunk 0 of 1 was changed, or the end is missing")
                }
            let error = try error(at: place)
            if error != expected { wrong.append("\(length): \(error.map { "\($0)" } ?? "accepted")") }
        }
        #expect(wrong.prefix(20) == [])
    }

    @Test func aVaultCutOffAnywhereIsRefused() throws {
        let file = small.file
        let place = try VaultPlace(holding: small)
        let start = try headerSize(file) + 16
        let borders = [start, start + Block.size, start + Block.size + 16, start + Block.size + 16 + 4096, file.count]
        let near = borders.flatMap { $0 - 20...$0 + 20 }.filter { $0 < file.count }
        var wrong: [String] = []
        for length in near + stride(from: 0, to: file.count, by: 997) {
            let error = try error(Array(file[..<length]), at: place)
            guard case .damaged(_, let words) = error, words.hasPrefix(length < start ? "the header" : "the content")
            else {
                wrong.append("\(length): \(error.map { "\($0)" } ?? "accepted")")
                continue
            }
        }
        #expect(wrong.prefix(20) == [])
    }

    @Test(arguments: [1, 15, 16, 17, 64, 4096, 4112, 61_440, 61_441, 65_552])
    func bytesBehindTheEndAreRefused(_ count: Int) throws {
        let place = try VaultPlace(holding: empty)
        let error = try error(empty.file + [UInt8](repeating: 0, count: count), at: place)
        guard case .damaged(_, let words) = error else {
            Issue.record("\(error.map { "\($0)" } ?? "accepted")")
            return
        }
        #expect(words.hasPrefix("the content is damaged: "))
    }

    @Test func anEmptyFileIsRefused() throws {
        let place = try VaultPlace(holding: empty)
        #expect(
            try error([], at: place)
                == .damaged("the header is malformed: it ends within a line, or is longer than 1048576 bytes"))
    }

    @Test func aFileThatShrinksWhileItIsReadIsDamage() throws {
        let place = try VaultPlace(holding: small)
        var reader = try place.vault.open()
        try Array(small.file.prefix(1000)).write(to: place.path, inPlace: true)
        #expect(
            throws: VaultError.damaged("the content is damaged: the file became shorter while it was read").at(
                place.path)
        ) {
            try reader.records()
        }
    }

    // MARK: - Parts of another version

    @Test func anOldManifestOnNewBlocksIsRefused() throws {
        var new = small
        new.generation = 2
        new.blocks[0].append(record("zulip"))
        let place = try VaultPlace(holding: new)
        // The blocks of the new version before the tail of the old one.
        let mixed = Array(new.plaintext.prefix(Block.size)) + small.plaintext.dropFirst(Block.size)
        #expect(
            try error(new.file(of: mixed), at: place) == .damaged("block 0 is not the one that the index names"))
        // The old manifest beside the new index.
        let tail = Tail(index: new.index, roster: new.roster, manifest: small.manifest)
        let renewed = Array(new.plaintext.prefix(Block.size)) + tail.bytes
        #expect(
            try error(new.file(of: renewed), at: place)
                == .damaged("the index is not the one that the manifest names"))
    }

    @Test func blocksOfOneVaultAreNoneOfAnother() throws {
        var other = Draft(nonce: [UInt8](repeating: 8, count: 16), blocks: small.blocks)
        other.owner = small.owner
        let place = try VaultPlace(holding: small)
        let tail = Tail(index: small.index, roster: small.roster, manifest: other.manifest)
        #expect(
            try error(small.file(of: Array(small.plaintext.prefix(Block.size)) + tail.bytes), at: place)
                == .damaged("the manifest is another vault's"))
        #expect(throws: VaultError.otherVault(found: other.id, pinned: small.id).at(place.path)) {
            try other.file.write(to: place.path)
            _ = try place.vault.open()
        }
    }

    @Test func aMemberWithoutASigningKeyCannotChangeABlock() throws {
        let reader = X25519Identity()
        let writer = X25519Identity()
        var draft = small
        draft.others = [Member(.writer, writer), Member(.reader, reader)]
        let place = try VaultPlace(holding: draft)
        var forged = draft
        forged.blocks[0][0] = record("github", size: 101)
        // The block alone; with its index; with a manifest of the forger's; with one that claims to be the owner's.
        let block = Draft.block(forged.blocks[0])
        #expect(
            try error(draft.file(of: block + draft.plaintext.dropFirst(Block.size)), at: place)
                == .damaged("block 0 is not the one that the index names"))
        func file(_ manifest: Signed) -> [UInt8] {
            draft.file(of: block + Tail(index: forged.index, roster: draft.roster, manifest: manifest).bytes)
        }
        #expect(
            try error(file(draft.manifest), at: place) == .damaged("the index is not the one that the manifest names"))
        forged.writer = reader
        #expect(
            try error(file(forged.manifest), at: place)
                == .damaged("the manifest is signed by somebody who may not write"))
        let claimed = Signed(text: forged.manifest.text, by: draft.root, signature: forged.manifest.signature)
        #expect(try error(file(claimed), at: place) == .damaged("the manifest's signature does not fit"))
        // Whereas a writer can.
        forged.writer = writer
        #expect(try error(file(forged.manifest), at: place) == nil)
    }

    @Test func aFormerWriterCannotWriteUnderANewRoster() throws {
        let writer = X25519Identity()
        var old = small
        old.others = [Member(.writer, writer)]
        var new = small
        new.version = 2
        old.writer = writer
        let place = try VaultPlace(holding: new)
        let tail = Tail(index: small.index, roster: new.roster, manifest: old.manifest)
        #expect(
            try error(new.file(of: Array(small.plaintext.prefix(Block.size)) + tail.bytes), at: place)
                == .damaged("the manifest is signed by somebody who may not write"))
        // The owner's own manifest of the old roster is no better.
        old.writer = nil
        let owners = Tail(index: small.index, roster: new.roster, manifest: old.manifest)
        #expect(
            try error(new.file(of: Array(small.plaintext.prefix(Block.size)) + owners.bytes), at: place)
                == .damaged("the manifest was made under another roster"))
    }
}
