import Age
import Dispatch
import Foundation
import Synchronization
import SystemPackage
import TestSupport
import Testing

@testable import VaultFile

/// A new vault.
@Suite struct VaultCreationTests {
    private let folder: TemporaryFolder
    private let owner = X25519Identity()

    init() throws { folder = try TemporaryFolder() }

    private func vault(_ name: String = "vault.age", _ identities: X25519Identity...) -> Vault {
        Vault(
            path: FilePath(folder.file(name)), identities: identities.isEmpty ? [owner] : identities, trust: .init(),
            ratchet: Ratchet(folder: FilePath(folder.file("state"))))
    }

    private func names() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
    }

    @Test func isEmptyAndItsOwners() throws {
        let id = try vault().create(label: "alice").result
        #expect(try names() == ["state", "vault.age", "vault.age.lock"])
        let path = FilePath(folder.file("vault.age"))
        #expect(try path.permissions() == 0o600)
        var reader = try Vault(
            path: path, identities: [owner], trust: .init(pin: Pin(id: id)), ratchet: Ratchet(folder: "/dev/null")
        ).open()
        #expect(reader.id == id && reader.blockCount == 0)
        #expect(try reader.records() == [])
        #expect(try reader.record("github") == nil)
        #expect(reader.manifest.generation == 1 && reader.manifest.previous == [])
        #expect(reader.roster.version == 1 && reader.roster.root == SigningKey(of: owner).verificationKey)
        #expect(reader.roster.members == [Member(.owner, owner, label: "alice")])
        let written = try #require(Timestamp(reader.manifest.written))
        #expect((Timestamp.now.seconds - 100...Timestamp.now.seconds).contains(written.seconds))
        // Header, nonce, one chunk with a tail of the least size, tag.
        #expect(try path.read().count == Header(readingFrom: path.read()).byteCount + 16 + 4096 + 16)
    }

    @Test func isRememberedAsSeen() throws {
        let id = try vault().create(label: "alice").result
        let state = try #require(try Ratchet(folder: FilePath(folder.file("state"))).state(of: id))
        #expect(state.rosterVersion == 1 && state.generation == 1 && state.stanza == 0)
    }

    @Test func isAnotherOneEachTime() throws {
        let one = try vault("one.age").create(label: "alice").result
        let two = try vault("two.age").create(label: "alice").result
        #expect(one != two)
    }

    @Test func needsFoldersThatItMakes() throws {
        _ = try vault("a/b/vault.age").create(label: "alice")
        #expect(try FilePath(folder.file("a")).permissions() == 0o700)
        #expect(try FilePath(folder.file("a/b")).permissions() == 0o700)
    }

    @Test func neverReplacesAFile() throws {
        let path = FilePath(folder.file("vault.age"))
        for content in [Array("something else".utf8), []] {
            try content.write(to: path)
            #expect(throws: VaultError.exists(path.string)) { _ = try vault().create(label: "alice") }
            #expect(try path.read() == content)
        }
        #expect(try names() == ["vault.age", "vault.age.lock"])
    }

    @Test func neverReplacesAnythingElse() throws {
        let path = folder.file("vault.age")
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        #expect(throws: VaultError.exists(path)) { _ = try vault().create(label: "alice") }
        try FileManager.default.removeItem(atPath: path)
        try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: "nowhere")
        #expect(throws: VaultError.exists(path)) { _ = try vault().create(label: "alice") }
        #expect(try names() == ["vault.age", "vault.age.lock"])
    }

    @Test func isMadeOnceWhenSeveralMakeIt() {
        let results = Mutex<[String]>([])
        DispatchQueue.concurrentPerform(iterations: 6) { _ in
            do {
                _ = try vault().create(label: "alice")
                results.withLock { $0.append("made") }
            } catch {
                results.withLock { $0.append("\(error)") }
            }
        }
        let exists = "\(VaultError.exists(folder.file("vault.age")))"
        #expect(results.withLock { $0.sorted() } == (["made"] + [String](repeating: exists, count: 5)).sorted())
    }

    @Test(arguments: ["", "-x", "a b", "é", String(repeating: "l", count: 65)])
    func refusesALabelThatIsNone(_ label: String) throws {
        #expect(throws: VaultError.notAllowed("this cannot be a label")) {
            _ = try vault().create(label: label)
        }
        #expect(try names() == ["vault.age.lock"])
    }

    @Test func needsAnIdentity() throws {
        let vault = Vault(
            path: FilePath(folder.file("vault.age")), identities: [], trust: .init(),
            ratchet: Ratchet(folder: "/dev/null"))
        #expect(throws: VaultError.noMatch) { _ = try vault.create(label: "alice") }
        #expect(try names() == [])
    }

    @Test func aFolderThatCannotBeMadeIsAnErrorOfTheSystem() throws {
        try Array("x".utf8).write(to: FilePath(folder.file("file")))
        let error = VaultError.system(operation: .creatingFolder, path: folder.file("file"), errno: ENOTDIR)
        #expect(throws: error) { _ = try vault("file/vault.age").create(label: "alice") }
    }
}

/// What a path may lead to, and what is trusted.
@Suite struct VaultOpeningTests {
    private let place: VaultPlace

    init() throws { place = try VaultPlace(record("github")) }

    private func vault(at path: FilePath) -> Vault {
        Vault(path: path, identities: [place.owner], trust: .init(pin: place.pin), ratchet: place.ratchet)
    }

    @Test(arguments: ["missing.age", "missing/vault.age", "vault.age/vault.age"])
    func aMissingFileIsSaidToBeMissing(_ name: String) throws {
        let path = FilePath(place.folder.file(name))
        #expect(throws: VaultError.noSuchFile(path.string)) { _ = try vault(at: path).open() }
        #expect(throws: VaultError.noSuchFile(path.string)) { try vault(at: path).put(record("x")) }
        #expect(try place.names() == ["state", "vault.age", "vault.age.bak", "vault.age.lock"])
    }

    @Test func whatIsNoRegularFileIsRefusedAndNotWaitedFor() throws {
        let (folder, pipe, loop) = (place.folder.file("folder"), place.folder.file("pipe"), place.folder.file("loop"))
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        #expect(mkfifo(pipe, 0o600) == 0)
        try FileManager.default.createSymbolicLink(atPath: loop, withDestinationPath: "loop")
        for (path, number) in [(folder, EISDIR), (pipe, EINVAL), (loop, ELOOP)] {
            let error = VaultError.system(operation: .opening, path: path, errno: number)
            #expect(throws: error) { _ = try vault(at: FilePath(path)).open() }
            #expect(throws: error) { try vault(at: FilePath(path)).put(record("x")) }
        }
        #expect(throws: VaultError.system(operation: .opening, path: "/dev/null", errno: EINVAL)) {
            _ = try vault(at: "/dev/null").open()
        }
    }

    @Test func aLinkIsFollowed() throws {
        let link = FilePath(place.folder.file("link.age"))
        try FileManager.default.createSymbolicLink(atPath: link.string, withDestinationPath: "vault.age")
        #expect(try vault(at: link).records() == [record("github")])
    }

    @Test func anIdentityThatIsNoMemberOpensNothing() {
        #expect(throws: VaultError.noMatch) { _ = try place.vault(as: X25519Identity()).open() }
        #expect(throws: VaultError.noMatch) { try place.vault(as: X25519Identity()).put(record("x")) }
        let vault = Vault(path: place.path, identities: [], trust: .init(pin: place.pin), ratchet: place.ratchet)
        #expect(throws: VaultError.noMatch) { _ = try vault.open() }
    }

    @Test func anyOfSeveralIdentitiesOpens() throws {
        #expect(try place.vault(as: X25519Identity(), place.owner).records() == [record("github")])
        #expect(try place.vault(as: place.owner, X25519Identity()).records() == [record("github")])
    }

    @Test func anotherVaultThanThePinnedOneIsRefused() throws {
        let other = try VaultPlace()
        let vault = place.vault { $0.pin = other.pin }
        #expect(throws: VaultError.otherVault(found: place.pin.id, pinned: other.pin.id).at(place.path)) {
            _ = try vault.open()
        }
        #expect(throws: VaultError.otherVault(found: place.pin.id, pinned: other.pin.id).at(place.path)) {
            try vault.put(record("x"))
        }
        // Not even who accepts older ones accepts another one.
        let accepting = place.vault {
            $0.pin = other.pin
            $0.acceptsOlder = true
            $0.followsGit = true
            $0.confirm = { Pin(id: $0) }
        }
        #expect(throws: VaultError.otherVault(found: place.pin.id, pinned: other.pin.id).at(place.path)) {
            _ = try accepting.open()
        }
    }

    @Test func aVaultWithoutAPinNeedsSomebodyWhoTrustsIt() throws {
        let asked = Mutex<[VaultID]>([])
        func vault(_ answer: Bool) -> Vault {
            place.vault(state: "other") {
                $0.pin = nil
                $0.confirm = { id in
                    asked.withLock { $0.append(id) }
                    return answer ? Pin(id: id) : nil
                }
            }
        }
        #expect(throws: VaultError.unknownVault(place.pin.id)) { _ = try place.vault { $0.pin = nil }.open() }
        #expect(throws: VaultError.unknownVault(place.pin.id)) { _ = try vault(false).open() }
        #expect(throws: VaultError.unknownVault(place.pin.id)) { try vault(false).put(record("x")) }
        #expect(try Ratchet(folder: FilePath(place.folder.file("other"))).state(of: place.pin.id) == nil)
        #expect(asked.withLock { $0 } == [place.pin.id, place.pin.id])
        #expect(try vault(true).records() == [record("github")])
        try vault(true).put(record("gitlab"))
        #expect(try place.vault.records() == [record("github"), record("gitlab")])
        #expect(asked.withLock { $0 } == [VaultID](repeating: place.pin.id, count: 4))
    }

    @Test func whatTheQuestionThrowsIsThrown() {
        let vault = place.vault {
            $0.pin = nil
            $0.confirm = { _ in throw Unexpected(what: "nobody there") }
        }
        #expect(throws: Unexpected.self) { _ = try vault.open() }
        #expect(throws: Unexpected.self) { try vault.put(record("x")) }
    }

    /// Somebody who thinks about it for a while must not keep the writers waiting.
    @Test func nobodyIsAskedWhileTheLockIsHeld() throws {
        let path = place.path
        let vault = place.vault {
            $0.pin = nil
            $0.confirm = { id in try VaultLock.hold(path, patience: 0) { Pin(id: id) } }
        }
        try vault.put(record("gitlab"))
        #expect(try place.vault.records() == [record("github"), record("gitlab")])
    }

    /// The one that was trusted is the one that is opened.
    @Test func aVaultThatIsExchangedBehindTheQuestionIsRefused() throws {
        let other = Draft(owner: place.owner, nonce: [UInt8](repeating: 3, count: 16))
        let (path, file) = (place.path, other.file)
        let vault = place.vault {
            $0.pin = nil
            $0.confirm = { id in
                try file.write(to: path)
                return Pin(id: id)
            }
        }
        #expect(throws: VaultError.otherVault(found: other.id, pinned: place.pin.id).at(place.path)) {
            _ = try vault.open()
        }
    }

    @Test func aStateFolderThatCannotBeWrittenFailsNothing() throws {
        #expect(try place.forgetful.records() == [record("github")])
        try place.forgetful.put(record("gitlab"))
        #expect(try place.forgetful.records() == [record("github"), record("gitlab")])
        let new = Vault(
            path: FilePath(place.folder.file("new.age")), identities: [place.owner], trust: .init(),
            ratchet: Ratchet(folder: place.path))
        _ = try new.create(label: "owner")
    }

    @Test func aDamagedRatchetFileFailsUntilItIsRemoved() throws {
        let file = FilePath(place.folder.file("state/\(place.pin.id)"))
        try Array("rubbish".utf8).write(to: file)
        let error = VaultError.damagedState(path: file.string)
        #expect(throws: error) { _ = try place.vault.open() }
        #expect(throws: error) { try place.vault.put(record("x")) }
        #expect(throws: error) { _ = try place.vault { $0.acceptsOlder = true }.open() }
        try FileManager.default.removeItem(atPath: file.string)
        #expect(try place.vault.records() == [record("github")])
        #expect(file.exists)
    }

    @Test func aReaderIsNotDisturbedByAWriter() throws {
        let seen = try #require(try place.ratchet.state(of: place.pin.id))
        let opened = try UnverifiedVault(opening: place.path, with: [place.owner])
        let old = FilePath(place.folder.file("old.age"))
        try place.path.read().write(to: old)
        var reader = try place.vault.open()
        try place.vault.put(record("github", size: 500), record("gitlab"))
        try place.vault.remove("gitlab")
        // Of what was open already, the version that it was.
        #expect(try reader.records() == [record("github")])
        var verified = try opened.verify(pin: place.pin, seen: seen, followsGit: false)
        #expect(verified.id == place.pin.id)
        #expect(try verified.records() == [record("github")])
        #expect(try place.vault.records() == [record("github", size: 500)])
        // That is why what was seen is read first: what the writer remembers now would make this one an old one.
        let later = try #require(try place.ratchet.state(of: place.pin.id))
        #expect(throws: VaultError.older("it has generation 2, but generation 4 was seen here").at(old)) {
            let opened = try UnverifiedVault(opening: old, with: [place.owner])
            _ = try opened.verify(pin: place.pin, seen: later, followsGit: false)
        }
    }

    @Test func theStanzaThatOpenedIsTriedFirstNextTime() throws {
        let reader = X25519Identity()
        var draft = Draft(blocks: [[record("github")]])
        draft.others = (0..<5).map { Member(.reader, $0 == 3 ? reader : X25519Identity(), label: "r\($0)") }
        let place = try VaultPlace(holding: draft)
        let vault = place.vault(as: reader)
        #expect(try vault.state().stanza == 4)
        #expect(try place.ratchet.state(of: draft.id)?.stanza == 4)
        #expect(try vault.records() == [record("github")])
        // A hint that leads nowhere is only a hint.
        try place.ratchet.raise(draft.id, to: draft.state(stanza: 77))
        #expect(try vault.state().stanza == 4)
    }
}
