import Age
import Dispatch
import Foundation
import Synchronization
import SystemPackage
import TestSupport
import Testing

@testable import VaultFile

/// What a write does to the file and to what stands around it.
@Suite struct VaultUpdateTests {
    private let place: VaultPlace

    init() throws { place = try VaultPlace(record("github")) }

    /// The records of the vault at `path`, whatever was seen.
    private func records(_ path: FilePath) throws -> [String] {
        try Vault(
            path: path, identities: [place.owner], trust: .init(pin: place.pin), ratchet: Ratchet(folder: "/dev/null")
        ).records()
    }

    @Test func theBackupIsTheVersionBefore() throws {
        var before = try place.path.read()
        for number in 1...3 {
            try place.vault.put(record("gitlab", size: 100 * number))
            #expect(try place.backup.read() == before)
            #expect(try place.backup.permissions() == 0o600)
            before = try place.path.read()
        }
        #expect(try records(place.path) == [record("github"), record("gitlab", size: 300)])
        #expect(try records(place.backup) == [record("github"), record("gitlab", size: 200)])
        #expect(try place.names() == ["state", "vault.age", "vault.age.bak", "vault.age.lock"])
    }

    @Test func eachVersionNamesTheOneBefore() throws {
        var before = try place.vault.state()
        #expect(before.generation == 2)
        for generation in 3...6 {
            try place.vault.put(record("gitlab", size: 100 * generation))
            let reader = try place.vault.open()
            #expect(reader.manifest.generation == generation)
            #expect(reader.manifest.previous == [before.manifest])
            #expect(reader.state.rosterVersion == 1 && reader.state.roster == before.roster)
            #expect(try place.ratchet.state(of: place.pin.id) == reader.state)
            before = reader.state
        }
    }

    /// Two machines, of which one has missed what the other one wrote.
    @Test func aVersionThatWasMissedIsNoPredecessor() throws {
        try place.vault(state: "other").put(record("gitlab"))
        try place.vault(state: "other").put(record("gitlab", size: 100))
        let latest = try place.vault(state: "other").state()
        try place.vault.put(record("zulip"))
        let reader = try place.vault.open()
        #expect(reader.manifest.generation == latest.generation + 1)
        #expect(reader.manifest.previous == [latest.manifest])
        _ = try place.vault(state: "other").open()
    }

    @Test func everyKeyIsNewEachTime() throws {
        let before = try place.path.read()
        try place.vault.put(record("github"))
        let after = try place.path.read()
        try #require(before.count == after.count)
        let (old, new) = (try Header(readingFrom: before), try Header(readingFrom: after))
        #expect(old.stanzas[0].arguments != new.stanzas[0].arguments)
        #expect(old.stanzas[0].body != new.stanzas[0].body)
        let start = old.byteCount
        #expect(before[start..<start + 16] != after[start..<start + 16])
        // As good as no byte of the first chunk is the same: one in 256.
        let equal = (start + 16..<start + 16 + Block.size).count { before[$0] == after[$0] }
        #expect(equal < Block.size / 100)
    }

    @Test func nothingIsWrittenWhereNothingChanges() throws {
        let before = try place.path.read()
        try place.vault.update { reader, _ in _ = try reader.records() }
        #expect(try place.path.read() == before)
        #expect(try place.vault.generation() == 2)
    }

    @Test func whatTheBodyThrowsLeavesTheVaultAsItWas() throws {
        let before = try place.path.read()
        #expect(throws: Unexpected.self) {
            try place.vault.update { _, changes in
                try changes.put(record("gitlab"))
                throw Unexpected(what: "no more")
            }
        }
        #expect(try place.path.read() == before)
        #expect(try place.names() == ["state", "vault.age", "vault.age.bak", "vault.age.lock"])
    }

    @Test func aRehearsalWritesNothing() throws {
        let before = try place.path.read()
        let names = try place.names()
        var seen: [String] = []
        try place.vault.rehearse { reader, changes in
            seen = try reader.records()
            try changes.put(record("gitlab"))
        }
        #expect(seen == [record("github")])
        #expect(throws: Unexpected.self) { try place.vault.rehearse { _, _ in throw Unexpected(what: "no more") } }
        #expect(try place.path.read() == before)
        #expect(try place.names() == names)
    }

    @Test func theModeIsKept() throws {
        try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: place.path.string)
        try place.vault.put(record("gitlab"))
        #expect(try place.path.permissions() == 0o640)
        #expect(try place.backup.permissions() == 0o640)
    }

    @Test func aLinkStaysAndWhatItLeadsToIsReplaced() throws {
        let folder = place.folder.file("links")
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        let link = FilePath(folder + "/link.age")
        try FileManager.default.createSymbolicLink(atPath: link.string, withDestinationPath: "../vault.age")
        let vault = Vault(path: link, identities: [place.owner], trust: .init(pin: place.pin), ratchet: place.ratchet)
        try vault.put(record("gitlab"))
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link.string) == "../vault.age")
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["link.age"])
        #expect(try place.vault.records() == [record("github"), record("gitlab")])
        #expect(try records(place.backup) == [record("github")])
    }

    @Test func leftoversOfAKilledWriterAreRemoved() throws {
        let leftover = FilePath(place.folder.file(".vault.age.1a2b3c4d5e6f7081.tmp"))
        let foreign = FilePath(place.folder.file(".vault.age.swp"))
        for path in [leftover, foreign] { try Array("half".utf8).write(to: path) }
        _ = try place.vault.open()
        #expect(leftover.exists, "readers take no lock, so they touch nothing")
        try place.vault.put(record("gitlab"))
        #expect(!leftover.exists && foreign.exists)
    }

    // MARK: - What goes wrong

    @Test func aFolderThatVanishedIsAnErrorOfTheSystem() throws {
        let folder = try TemporaryFolder()
        let inner = folder.file("inner")
        let vault = Vault(
            path: FilePath(inner + "/vault.age"), identities: [place.owner], trust: .init(), ratchet: place.ratchet)
        let pin = Pin(id: try vault.create(label: "owner").result)
        let pinned = Vault(
            path: vault.path, identities: [place.owner], trust: .init(pin: pin), ratchet: place.ratchet)
        #expect {
            try pinned.update { _, changes in
                try changes.put(record("x"))
                try FileManager.default.removeItem(atPath: inner)
            }
        } throws: { error in
            guard case VaultError.system(.opening, inner + "/vault.age", ENOENT) = error else { return false }
            return true
        }
        #expect(throws: VaultError.noSuchFile(inner + "/vault.age")) { _ = try pinned.open() }
        #expect(throws: VaultError.noSuchFile(inner + "/vault.age")) { try pinned.put(record("x")) }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == [])
    }

    @Test func aBackupThatCannotBeMadeLeavesTheVaultAsItWas() throws {
        try FileManager.default.removeItem(atPath: place.backup.string)
        try FileManager.default.createDirectory(atPath: place.backup.string, withIntermediateDirectories: false)
        let before = try place.path.read()
        #expect(
            throws: VaultError.system(operation: .keepingAs, path: place.backup.string, errno: EISDIR)
        ) { try place.vault.put(record("gitlab")) }
        #expect(try place.path.read() == before)
        #expect(try place.names() == ["state", "vault.age", "vault.age.bak", "vault.age.lock"])
        #expect(try place.vault.generation() == 2)
    }

    @Test(.enabled(if: Self.canMount, "it takes root to mount a file system"))
    func aFullDiskLeavesTheVaultAsItWas() throws {
        let folder = try TemporaryFolder()
        try #require(try Command.run("mount", ["-t", "tmpfs", "-o", "size=512k", "none", folder.path]).status == 0)
        defer { _ = try? Command.run("umount", [folder.path]) }
        func vault(_ name: String, _ pin: Pin? = nil) -> Vault {
            Vault(
                path: FilePath(folder.file(name)), identities: [place.owner], trust: .init(pin: pin),
                ratchet: Ratchet(folder: "/dev/null"))
        }
        let pinned = vault("vault.age", Pin(id: try vault("vault.age").create(label: "owner").result))
        try pinned.put(record("a", size: 60_000))
        #expect(try Command.run("dd", ["if=/dev/zero", "of=\(folder.file("ballast"))", "bs=4k"]).status == 1)
        try Array("".utf8).write(to: FilePath(folder.file("other.age.lock")))
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
        let files = ["vault.age", "vault.age.bak"].map { FilePath(folder.file($0)) }
        let before = try files.map { try $0.read() }
        #expect(throws: VaultError.system(operation: .writing, path: pinned.path.string, errno: ENOSPC)) {
            try pinned.put(record("b"))
        }
        let other = vault("other.age")
        #expect(throws: VaultError.system(operation: .writing, path: other.path.string, errno: ENOSPC)) {
            _ = try other.create(label: "owner")
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() == names)
        #expect(try files.map { try $0.read() } == before)
        #expect(try pinned.records() == [record("a", size: 60_000)])
        // And when there is space again, all goes on.
        try FileManager.default.removeItem(atPath: folder.file("ballast"))
        try pinned.put(record("b"))
        #expect(try pinned.records() == [record("a", size: 60_000), record("b")])
    }

    private static let canMount: Bool = {
        guard let folder = try? TemporaryFolder() else { return false }
        guard (try? Command.run("mount", ["-t", "tmpfs", "none", folder.path]))?.status == 0 else { return false }
        return (try? Command.run("umount", [folder.path]))?.status == 0
    }()

    // MARK: - Several writers

    @Test func aSecondWriterWaitsForTheFirst() throws {
        let entered = DispatchSemaphore(value: 0)
        let done = DispatchSemaphore(value: 0)
        let errors = Mutex<[String]>([])
        let place = place
        DispatchQueue.global().async {
            do {
                try place.vault.update { _, changes in
                    entered.signal()
                    usleep(200_000)
                    try changes.put(record("first"))
                }
            } catch {
                errors.withLock { $0.append("\(error)") }
            }
            done.signal()
        }
        entered.wait()
        let start = ContinuousClock.now
        try place.vault.put(record("second"))
        #expect(ContinuousClock.now - start > .milliseconds(150))
        done.wait()
        #expect(errors.withLock { $0 } == [])
        #expect(try place.vault.records() == [record("first"), record("github"), record("second")])
    }

    @Test func noneOfManyWritersIsLost() throws {
        let errors = Mutex<[String]>([])
        let place = place
        DispatchQueue.concurrentPerform(iterations: 8) { number in
            do {
                for turn in 0..<3 { try place.vault(state: "state\(number)").put(record("w\(number)/\(turn)")) }
            } catch {
                errors.withLock { $0.append("\(error)") }
            }
        }
        #expect(errors.withLock { $0 } == [])
        #expect(try place.vault.records().count == 25)
        #expect(try place.vault.generation() == 26)
    }

    // MARK: - Who may write

    private func shared() throws -> (place: VaultPlace, writer: X25519Identity, reader: X25519Identity) {
        let (writer, reader) = (X25519Identity(), X25519Identity())
        var draft = Draft(blocks: [[record("github")]])
        draft.others = [Member(.writer, writer), Member(.reader, reader)]
        return (try VaultPlace(holding: draft), writer, reader)
    }

    private let refusal = VaultError.notAllowed("this identity may read the vault, but not write it")

    @Test func aWriterWritesForAllMembers() throws {
        let (place, writer, reader) = try shared()
        try place.vault(as: writer, state: "writer").put(record("gitlab"))
        for (number, identity) in [place.owner, writer, reader].enumerated() {
            let vault = place.vault(as: identity, state: "state\(number)")
            #expect(try vault.records() == [record("github"), record("gitlab")])
            #expect(try vault.state().stanza == number)
        }
        let opened = try place.vault.open()
        #expect(opened.tail.manifest.by == SigningKey(of: writer).verificationKey)
        #expect(opened.roster.members.map(\.label) == ["owner", "writer", "reader"])
        try place.vault.put(record("zulip"))
        #expect(try place.vault(as: reader, state: "state2").records().count == 3)
    }

    /// So that the next read need not try the others' stanzas, and need not write it down.
    @Test func aWriterRemembersItsStanza() throws {
        let (place, writer, _) = try shared()
        let vault = place.vault(as: writer)
        #expect(try vault.state().stanza == 1)
        try vault.put(record("gitlab"))
        #expect(try place.ratchet.state(of: place.pin.id)?.stanza == 1)
        #expect(try place.ratchet.state(of: place.pin.id) == vault.state())
    }

    @Test func aReaderWritesNothing() throws {
        let (place, _, reader) = try shared()
        let before = try place.path.read()
        #expect(throws: refusal) { try place.vault(as: reader).put(record("x")) }
        #expect(throws: refusal) { try place.vault(as: reader).remove("github") }
        #expect(throws: refusal) { try place.vault(as: reader).rehearse { try $1.put(record("x")) } }
        #expect(try place.path.read() == before)
    }

    @Test func aReaderWithAKeyWritesNothing() throws {
        let reader = X25519Identity()
        var draft = Draft(blocks: [[record("github")]])
        let key = SigningKey(of: reader).verificationKey
        draft.others = [Member(role: .reader, recipient: reader.recipient, key: key, label: "reader")]
        let place = try VaultPlace(holding: draft)
        #expect(throws: refusal) { try place.vault(as: reader).put(record("x")) }
    }

    @Test func theFirstIdentityThatMayWriteSigns() throws {
        let (place, writer, reader) = try shared()
        try place.vault(as: reader, X25519Identity(), writer, place.owner).put(record("gitlab"))
        #expect(try place.vault.open().tail.manifest.by == SigningKey(of: writer).verificationKey)
        try place.vault(as: reader, place.owner, writer).put(record("gitlab"))
        #expect(try place.vault.open().tail.manifest.by == SigningKey(of: place.owner).verificationKey)
    }

    /// A roster with such a point is one that only a careless owner signs, and everybody could read the vault.
    @Test func aRecipientOfLowOrderIsNotWrittenFor() throws {
        let folder = try TemporaryFolder()
        let owner = X25519Identity()
        let path = FilePath(folder.file("vault.age"))
        let pin = try Independent.write(path, people: [owner], ["--low-order"])
        let vault = Vault(
            path: path, identities: [owner], trust: .init(pin: pin), ratchet: Ratchet(folder: "/dev/null"))
        #expect(try vault.record("cc") != nil)
        let before = try path.read()
        #expect(
            throws: VaultError.damaged("the recipient of low-order is a point of low order, which everybody could open")
                .at(path)
        ) { try vault.put(record("x")) }
        #expect(try path.read() == before)
    }

    /// The names of files are bytes.
    @Test func aPathNeedNotBeText() throws {
        let folder = try TemporaryFolder()
        let path = FilePath(folder.path).appending(bytes: [0xff]).appending(bytes: Array("vault".utf8) + [0xfe])
        let owner = X25519Identity()
        let ratchet = Ratchet(folder: FilePath(folder.path).appending(bytes: [0xfd]))
        var trust = Vault.Trust()
        let new = Vault(path: path, identities: [owner], trust: trust, ratchet: ratchet)
        trust.pin = Pin(id: try new.create(label: "owner").result)
        let vault = Vault(path: path, identities: [owner], trust: trust, ratchet: ratchet)
        // What a killed writer left goes.
        let name = Array(".vault".utf8) + [0xfe] + Array(".0123456789abcdef.tmp".utf8)
        let left = path.removingLastComponent().appending(bytes: name)
        try FileDescriptor.open(left, .writeOnly, options: .create, permissions: .ownerReadWrite).close()
        try vault.put(record("github"))
        #expect(try vault.records() == [record("github")])
        let names = try FileDescriptor.names(in: path.removingLastComponent())
        #expect(names == ["", ".bak", ".lock"].map { Array("vault".utf8) + [0xfe] + Array($0.utf8) })
    }
}

extension FileDescriptor {
    /// The names in a folder, sorted.
    fileprivate static func names(in folder: FilePath) throws -> [[UInt8]] {
        guard let opened = folder.withPlatformString({ opendir($0) }) else { throw Errno(rawValue: errno) }
        defer { closedir(opened) }
        var names: [[UInt8]] = []
        while let entry = readdir(opened) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
            if name.first != UInt8(ascii: ".") || name.count > 2 { names.append(name) }
        }
        return names.sorted { $0.lexicographicallyPrecedes($1) }
    }
}
