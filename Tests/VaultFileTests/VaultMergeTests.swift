import Age
import Foundation
import Sodium
import SystemPackage
import TestSupport
import Testing

@testable import VaultFile

/// Two versions of a vault that come from one.
@Suite struct VaultMergeTests {
    private let bob = X25519Identity()

    /// The versions that a test makes of one vault, each a file of its own.
    private struct Versions {
        let place: VaultPlace
        let base: FilePath

        init(_ place: VaultPlace) throws {
            self.place = place
            base = FilePath(place.folder.file("base.age"))
            try place.path.read().write(to: base)
        }

        /// The version that comes of the base when `change` is made to it by somebody who knows nothing else.
        func version(
            _ name: String, as identity: X25519Identity? = nil, from: FilePath? = nil,
            _ change: (Vault) throws -> Void
        ) throws -> FilePath {
            let path = FilePath(place.folder.file(name))
            try (from ?? base).read().write(to: path)
            try change(vault(at: path, as: identity))
            return path
        }

        func vault(
            at path: FilePath, as identity: X25519Identity? = nil, ratchet: Ratchet = .init(folder: nil)
        ) -> Vault {
            Vault(path: path, identities: [identity ?? place.owner], trust: .init(pin: place.pin), ratchet: ratchet)
        }
    }

    private func versions(_ records: String...) throws -> Versions {
        let place = try VaultPlace()
        try place.vault.add(Member(.writer, bob, label: "bob"))
        try place.vault.put(records)
        return try Versions(place)
    }

    /// What one side alone changed, by whole records; of what both did, ours.
    private func byRecord(_ differences: inout VersionDifferences) throws {
        try differences.resolve { _, base, ours, theirs in
            let isOurs = base?.text == theirs?.text || base?.text != ours?.text
            return isOurs ? .ours : .theirs
        }
    }

    @Test func bothSidesChangesAreInTheResult() throws {
        let versions = try versions(record("a"), record("b"), record("c"))
        let ours = try versions.version("ours") {
            try $0.put(record("a", size: 100))
            try $0.remove("c")
        }
        let theirs = try versions.version("theirs", as: bob) { try $0.put(record("b", size: 100), record("d")) }
        let (our, their) = (try versions.vault(at: ours).open().version, try versions.vault(at: theirs).open().version)
        let vault = versions.vault(at: ours)
        for suffix in [".bak", ".lock"] { try FileManager.default.removeItem(atPath: ours.string + suffix) }
        #expect(
            try vault.merge(.init(base: versions.base, ours: ours, theirs: theirs), into: ours, byRecord) == .merged)
        #expect(try vault.records() == [record("a", size: 100), record("b", size: 100), record("d")])
        let merged = try vault.open().version
        #expect(merged.follows(our) && merged.follows(their))
        // Two writes on our side, one on theirs.
        #expect(merged.generation == their.generation + 2)
        // Neither a lock nor a copy of it stays.
        #expect(try versions.place.names().filter { $0.hasPrefix("ours") } == ["ours"])
        let other = try Independent.read(ours, as: bob, pin: versions.place.pin)
        #expect(other.records.contains(record("b", size: 100)) && other.records.contains(record("d")))
    }

    @Test func aSideThatIsTheResultStaysAsItIs() throws {
        let versions = try versions(record("a"))
        let changed = try versions.version("changed", as: bob) { try $0.put(record("b")) }
        let bytes = try changed.read()
        let vault = versions.vault(at: changed)
        #expect(
            try vault.merge(.init(base: versions.base, ours: changed, theirs: versions.base), into: changed, byRecord)
                == .ours)
        #expect(try changed.read() == bytes)
        let copy = try versions.version("copy") { _ in }
        #expect(
            try vault.merge(.init(base: versions.base, ours: copy, theirs: changed), into: copy, byRecord) == .theirs)
        #expect(try copy.read() == bytes)
        #expect(try vault.merge(.init(base: nil, ours: changed, theirs: changed), into: changed, byRecord) == .ours)
    }

    @Test func thePinAsksForTheListThatIsKept() throws {
        let versions = try versions(record("a"))
        let theirs = try versions.version("theirs", as: bob) { try $0.put(record("b")) }
        let ours = try versions.version("ours") { try $0.add(Member(.reader, X25519Identity(), label: "runner")) }
        let files = Vault.MergeVersions(base: versions.base, ours: ours, theirs: theirs)
        func vault(_ minimum: Int) -> Vault {
            let pin = Pin(id: versions.place.pin.id, minimumRosterVersion: minimum)
            return Vault(
                path: ours, identities: [versions.place.owner], trust: .init(pin: pin), ratchet: .init(folder: nil))
        }
        let bytes = try ours.read()
        #expect { try vault(4).merge(files, into: ours, byRecord) } throws: { error in
            guard case VaultError.belowPin(_, 3, 4, _) = error else { return false }
            return true
        }
        #expect(try ours.read() == bytes)
        #expect(try vault(3).merge(files, into: ours, byRecord) == .merged)
        #expect(try vault(3).records() == [record("a"), record("b")])
    }

    @Test func whatGitStoppedAtIsSettledInPlace() throws {
        let versions = try versions(record("a"))
        let path = versions.place.path
        let ours = try versions.version("ours") { try $0.put(record("b")) }
        let theirs = try versions.version("theirs", as: bob) { try $0.put(record("c")) }
        struct Refused: Error {}
        let files = Vault.MergeVersions(base: versions.base, ours: ours, theirs: theirs)
        let vault = versions.vault(at: path)
        let before = try path.read()
        #expect(throws: Refused.self) {
            _ = try vault.settle(files, replacing: { _ in throw Refused() }, byRecord)
        }
        #expect(try path.read() == before)
        let written = try vault.settle(files, replacing: { #expect($0 == DurableFile.target(of: path)) }, byRecord)
        #expect(written.result == .merged)
        #expect(try vault.records() == [record("a"), record("b"), record("c")])
        #expect(try vault.backup.read() == before)
        // One side as it is, in the place of the other.
        let same = Vault.MergeVersions(base: nil, ours: ours, theirs: versions.base)
        #expect(
            try vault.settle(same, replacing: { _ in }) { differences in
                try differences.resolve { _, _, _, _ in .ours }
            }.result == .ours)
        #expect(try path.read() == ours.read())
    }

    @Test func aVersionIsLookedAtWithoutRegardToTime() throws {
        let versions = try versions(record("a"))
        let later = try versions.version("later") { try $0.add(Member(.reader, X25519Identity(), label: "runner")) }
        let folder = try TemporaryFolder()
        let ratchet = Ratchet(folder: FilePath(folder.path))
        let pin = Pin(id: versions.place.pin.id, minimumRosterVersion: 3)
        let vault = Vault(
            path: later, identities: [versions.place.owner], trust: .init(pin: pin), ratchet: ratchet)
        let version = try vault.open().version
        let reader = try vault.look(at: versions.base)
        let (rosterVersion, writer) = (reader.rosterVersion, reader.writer?.label)
        #expect(rosterVersion == 2)
        #expect(writer == "owner")
        #expect(try ratchet.state(of: pin.id) == version.state)
        let other = try VaultPlace()
        let stranger = Vault(path: later, identities: [other.owner], trust: .init(pin: pin), ratchet: ratchet)
        #expect {
            _ = try stranger.look(at: other.path)
        } throws: { error in
            guard case VaultError.otherVault(_, other.pin.id, pin.id, _) = error else { return false }
            return true
        }
    }

    @Test func theHigherListOfMembersWins() throws {
        let versions = try versions(record("a"))
        let runner = X25519Identity()
        let ours = try versions.version("ours", as: bob) { try $0.put(record("b")) }
        let theirs = try versions.version("theirs") { try $0.add(Member(.reader, runner, label: "runner")) }
        let vault = versions.vault(at: ours, as: bob)
        #expect(
            try vault.merge(.init(base: versions.base, ours: ours, theirs: theirs), into: ours, byRecord) == .merged)
        let reader = try versions.vault(at: ours, as: runner).open()
        #expect(reader.members.map(\.label) == ["owner", "bob", "runner"])
        #expect(reader.generation == 2)
        #expect(try vault.records() == [record("a"), record("b")])
    }

    @Test func aBranchOfSomebodyRemovedIsRefused() throws {
        let versions = try versions(record("a"))
        let removed = try versions.version("removed") { try $0.drop("bob") }
        let branch = try versions.version("branch", as: bob) { try $0.put(record("evil")) }
        let refusal = VaultError.writerRemoved(path: branch.string, label: "bob", version: 3)
        for (ours, theirs) in [(removed, branch), (branch, removed)] {
            let bytes = try ours.read()
            #expect(throws: refusal) {
                _ = try versions.vault(at: ours).merge(
                    .init(base: versions.base, ours: ours, theirs: theirs), into: ours, byRecord)
            }
            #expect(try ours.read() == bytes)
        }
        // What was theirs before somebody who may write went on from it has been accepted by them.
        let accepted = try versions.version("accepted", from: branch) { try $0.put(record("fine")) }
        let outcome = try versions.vault(at: removed).merge(
            .init(base: versions.base, ours: removed, theirs: accepted), into: removed, byRecord)
        #expect(outcome == .merged)
    }

    @Test func twoListsOfOneVersionAreForTheOwnerToSettle() throws {
        let versions = try versions(record("a"))
        let (eve, runner) = (X25519Identity(), X25519Identity())
        let ours = try versions.version("ours") { try $0.add(Member(.reader, runner, label: "runner")) }
        let theirs = try versions.version("theirs") { try $0.add(Member(.reader, eve, label: "eve")) }
        let sides = Vault.MergeVersions(base: versions.base, ours: ours, theirs: theirs)
        #expect(throws: VaultError.membersConflict(version: 3)) {
            _ = try versions.vault(at: ours).merge(sides, into: ours, byRecord)
        }
        #expect(throws: VaultError.membersConflict(version: 3)) {
            _ = try versions.vault(at: ours, as: bob).merge(sides, into: ours, takingMembersOf: .theirs, byRecord)
        }
        _ = try versions.vault(at: ours).merge(sides, into: ours, takingMembersOf: .theirs, byRecord)
        let reader = try versions.vault(at: ours, as: eve).open()
        #expect(reader.members.map(\.label) == ["owner", "bob", "eve"])
        #expect(reader.rosterVersion == 4 && reader.generation == 1)
    }

    @Test func aReaderDoesNotMerge() throws {
        let versions = try versions(record("a"))
        let runner = X25519Identity()
        let base = try versions.version("with-runner") { try $0.add(Member(.reader, runner, label: "runner")) }
        let ours = try versions.version("ours", from: base) { try $0.put(record("b")) }
        let theirs = try versions.version("theirs", from: base) { try $0.put(record("c")) }
        #expect(throws: VaultError.notAllowed("this identity may read the vault, but not write it")) {
            _ = try versions.vault(at: ours, as: runner).merge(
                .init(base: base, ours: ours, theirs: theirs), into: ours, byRecord)
        }
    }

    /// Each input on its own, whichever of the three it is.
    @Test(arguments: ["base", "ours", "theirs"]) func whatDoesNotCheckIsNotMerged(input: String) throws {
        let versions = try versions(record("a"))
        let ours = try versions.version("ours") { try $0.put(record("b")) }
        let theirs = try versions.version("theirs") { try $0.put(record("c")) }
        let path = FilePath(versions.place.folder.file(input == "base" ? "base.age" : input))
        // The first block's last byte but the authentication tag of its chunk.
        var bytes = try path.read()
        let tail = bytes.count - (4096 + 16)
        bytes[tail - 20] ^= 1
        try bytes.write(to: path)
        let before = try ours.read()
        #expect(throws: VaultError.self) {
            _ = try versions.vault(at: ours).merge(
                .init(base: versions.base, ours: ours, theirs: theirs), into: ours, byRecord)
        }
        #expect(try ours.read() == before)
    }

    @Test func anotherVaultIsNotMerged() throws {
        let versions = try versions(record("a"))
        let other = try VaultPlace(record("evil"))
        let ours = try versions.version("ours") { try $0.put(record("b")) }
        let vault = Vault(
            path: ours, identities: [versions.place.owner, other.owner], trust: .init(pin: versions.place.pin),
            ratchet: .init(folder: nil))
        #expect(throws: VaultError.self) {
            _ = try vault.merge(.init(base: versions.base, ours: ours, theirs: other.path), into: ours, byRecord)
        }
    }

    // MARK: - A shared store

    /// Somebody who has the base and, in a folder of their own, remembers what they saw.
    private func machine(_ versions: Versions, _ name: String, as identity: X25519Identity? = nil) throws -> Vault {
        let path = try versions.version(name) { _ in }
        let ratchet = Ratchet(folder: FilePath(versions.place.folder.file("\(name)-state")))
        let vault = versions.vault(at: path, as: identity, ratchet: ratchet)
        _ = try vault.open()
        return vault
    }

    @Test func theNextVersionIsAdopted() throws {
        let versions = try versions(record("a"))
        let next = try versions.version("next", as: bob) { try $0.put(record("b")) }
        let vault = try machine(versions, "machine")
        let version = try vault.open().version
        let adopted = try #require(try vault.adopt(next, expecting: version))
        let found = try vault.open().version
        #expect(adopted.result == found && found.follows(version))
        #expect(try vault.path.read() == next.read())
        #expect(try vault.backup.read() == versions.base.read())
        // The one before is older now, wherever it comes from.
        #expect(throws: VaultError.self) { _ = try vault.adopt(versions.base, expecting: found) }
        #expect(try vault.path.read() == next.read())
        #expect(try vault.adopt(next, expecting: version) == nil, "the vault is no longer what it was")
    }

    @Test func aMachineWithoutTheVaultGetsIt() throws {
        let versions = try versions(record("a"))
        let path = FilePath(versions.place.folder.file("new/vault.age"))
        let vault = versions.vault(at: path, as: bob)
        #expect(try vault.adopt(versions.base, expecting: nil) != nil)
        #expect(try vault.records() == [record("a")])
        #expect(try vault.adopt(versions.base, expecting: nil) == nil, "there is one now")
    }

    /// Where a block is only read when somebody asks for its records, all of them are before a copy is adopted.
    @Test func aCopyWithADamagedBlockIsNotAdopted() throws {
        let versions = try versions()
        let next = try versions.version("next") { vault in
            try vault.put((0..<3).map { record("r\($0)", size: 40_000) })
        }
        let vault = try machine(versions, "machine")
        let before = try vault.path.read()
        var bytes = try next.read()
        bytes[bytes.count / 2] ^= 1
        try bytes.write(to: next)
        let version = try vault.open().version
        #expect(throws: VaultError.self) { _ = try vault.adopt(next, expecting: version) }
        #expect(try vault.path.read() == before)
        #expect(try versions.place.names().filter { $0.hasPrefix(".machine") }.isEmpty)
    }

    /// Though git's history may go back, a store's does not.
    @Test func aStoreDoesNotBringBackWhatGitWould() throws {
        let versions = try versions(record("a"))
        let next = try versions.version("next") { try $0.put(record("b")) }
        var vault = try machine(versions, "machine")
        let version = try vault.open().version
        _ = try vault.adopt(next, expecting: version)
        vault = Vault(
            path: vault.path, identities: vault.identities,
            trust: {
                var trust = Vault.Trust(pin: versions.place.pin)
                trust.followsGit = true
                return trust
            }(), ratchet: vault.ratchet)
        let current = try vault.open().version
        #expect(throws: VaultError.self) { _ = try vault.adopt(versions.base, expecting: current) }
    }

    @Test func theMergeWithAStoreIsLaterForEverybody() throws {
        let versions = try versions(record("a"))
        let (ours, theirs) = (try machine(versions, "ours"), try machine(versions, "theirs", as: bob))
        try ours.put(record("b"))
        try theirs.put(record("c"))
        let version = try ours.open().version
        let merge = try #require(
            try ours.merge(theirs.path, base: versions.base, expecting: version, byRecord))
        #expect(merge.result == .merged)
        #expect(try ours.records() == [record("a"), record("b"), record("c")])
        let seen = try theirs.open().version
        #expect(try theirs.adopt(ours.path, expecting: seen) != nil)
        #expect(try ours.merge(theirs.path, base: nil, expecting: version, byRecord) == nil, "it is another one by now")
    }

    /// The same change on both sides: each has a version of its own, and a third one has to come that both accept.
    @Test func equalRecordsOfTwoVersionsStillBecomeAThird() throws {
        let versions = try versions(record("a"))
        let (ours, theirs) = (try machine(versions, "ours"), try machine(versions, "theirs", as: bob))
        try ours.put(record("x"))
        try ours.remove("x")
        for vault in [ours, theirs] { try vault.put(record("b")) }
        let (version, seen) = (try ours.open().version, try theirs.open().version)
        let merge = try ours.merge(theirs.path, base: versions.base, expecting: version, byRecord)
        #expect(merge?.result == .merged)
        #expect(try theirs.adopt(ours.path, expecting: seen) != nil)
    }

    /// Taken for a change, an older version would bring back what was changed since.
    @Test func aVersionBeforeTheBaseIsNotMerged() throws {
        let versions = try versions(record("a"))
        let base = try versions.version("rotated") { try $0.put(record("a", size: 100)) }
        let vault = try machine(versions, "machine")
        let version = try vault.open().version
        _ = try vault.adopt(base, expecting: version)
        try vault.put(record("b"))
        let current = try vault.open().version
        let before = try vault.path.read()
        #expect(throws: VaultError.self) {
            _ = try vault.merge(versions.base, base: base, expecting: current, byRecord)
        }
        #expect(try vault.path.read() == before)
        #expect(try vault.record("a") == record("a", size: 100))
    }
}
