import Age
import SystemPackage
import TestSupport
import Testing

@testable import VaultFile

/// Who may open and write a vault, and how that changes.
@Suite struct MemberTests {
    private let bob = X25519Identity()
    private let runner = X25519Identity()

    private let mayNotChangeMembers = VaultError.notAllowed("only the vault's owner changes its members")
    private let mayNotWrite = VaultError.notAllowed("this identity may read the vault, but not write it")

    /// A vault with one record, a writer and a reader.
    private func place() throws -> VaultPlace {
        let place = try VaultPlace(record("github"))
        try place.vault.add(Member(.writer, bob, label: "bob"))
        try place.vault.add(Member(.reader, runner, label: "runner"))
        return place
    }

    @Test func whoIsAddedOpensIt() throws {
        let place = try VaultPlace(record("github"))
        #expect(throws: VaultError.noMatch) { _ = try place.vault(as: runner, state: "runner").open() }
        let pin = try place.vault.add(Member(.reader, runner, label: "runner"))
        #expect(pin == Pin(id: place.pin.id, minimumRosterVersion: 2))
        let vault = place.vault(as: runner, state: "runner") { $0.pin = pin }
        #expect(try vault.records() == [record("github")])
        let reader = try vault.open()
        #expect(reader.members.map(\.label) == ["owner", "runner"])
        #expect(reader.members.map(vault.isOwn) == [false, true])
        #expect(reader.manifest.generation == 1)
    }

    @Test func aWriterWritesAndAReaderDoesNot() throws {
        let place = try place()
        try place.vault(as: bob, state: "bob").put(record("gitlab"))
        let before = try place.path.read()
        #expect(throws: mayNotWrite) { try place.vault(as: runner, state: "runner").put(record("x")) }
        #expect(try place.path.read() == before)
        #expect(try place.vault(as: runner, state: "runner").records() == [record("github"), record("gitlab")])
    }

    /// Refused before anybody is asked what to change.
    @Test func nobodyButTheOwnerChangesMembers() throws {
        let place = try place()
        let before = try place.path.read()
        for identity in [bob, runner] {
            #expect(throws: mayNotChangeMembers) {
                _ = try place.vault(as: identity, state: "other").updateMembers { _, members in
                    Issue.record("asked")
                    members.removeLast()
                }
            }
        }
        #expect(try place.path.read() == before)
        // Among several identities the owner's signs.
        try place.vault(as: bob, place.owner).drop("runner")
        #expect(try Independent.read(place.path, as: bob, pin: place.pin).report.members.count == 2)
    }

    @Test func whoIsRemovedOpensOnlyWhatWasThereBefore() throws {
        let place = try place()
        let old = try place.path.read()
        let pin = try place.vault.drop("bob")
        #expect(pin.minimumRosterVersion == 4)
        #expect(throws: VaultError.noMatch) { _ = try place.vault(as: bob, state: "bob").open() }
        #expect(try place.vault.records() == [record("github")])
        #expect(try place.vault(as: runner, state: "runner").records() == [record("github")])
        // Not by the old file's key either.
        let opened = try Header(readingFrom: old).unwrap(with: [bob])
        let header = try Header(readingFrom: place.path.read())
        let isSameKey = header.isAuthentic(under: opened.fileKey)
        #expect(header.stanzas.count == 2 && !isSameKey)
        // What was copied before is no secret from bob, which the manual says.
        #expect(try place.backup.read() == old)
        let copy = Vault(
            path: place.backup, identities: [bob], trust: .init(pin: place.pin), ratchet: .init(folder: nil))
        #expect(try copy.records() == [record("github")])
    }

    @Test func theRosterCountsOnFromTheHighestSeen() throws {
        let place = try VaultPlace(record("github"))
        let old = try place.path.read()
        try place.vault.add(Member(.writer, bob, label: "bob"))
        try place.vault.drop("bob")
        let newest = try place.vault(state: "witness").state()
        #expect(newest.rosterVersion == 3)
        try old.write(to: place.path)
        let pin = try place.vault { $0.acceptsOlder = true }.add(Member(.reader, runner, label: "runner"))
        #expect(pin.minimumRosterVersion == 4)
        for state in ["state", "witness", "never"] {
            let reader = try place.vault(state: state).open()
            #expect(reader.members.map(\.label) == ["owner", "runner"])
            #expect(reader.manifest.previous.contains(newest.manifest) && reader.manifest.previous.count == 2)
        }
    }

    @Test func thereAreAtMost1024() throws {
        let place = try VaultPlace(record("github"))
        let many = (2...1024).map { Member(.reader, X25519Identity(), label: "member-\($0)") }
        let last = X25519Identity()
        _ = try place.vault.updateMembers { _, members in
            members += many.dropLast() + [Member(.writer, last, label: "last")]
        }
        try place.vault(as: last, state: "last").put(record("gitlab"))
        #expect(try place.vault.records() == [record("github"), record("gitlab")])
        #expect(try Independent.check(place.path, as: last, pin: place.pin).status == 0)
        let before = try place.path.read()
        #expect(throws: VaultError.tooLarge("a vault has at most 1024 members")) {
            try place.vault.add(Member(.reader, runner, label: "one-more"))
        }
        #expect(try place.path.read() == before)
    }

    @Test func membersThatBreakARuleAreRefused() throws {
        let place = try place()
        let before = try place.path.read()
        let changes: [(inout [Member]) -> Void] = [
            { $0.removeFirst() }, { $0.append($0[1]) },
            { $0.append(Member(.owner, X25519Identity(), label: "second")) },
            { $0.append(Member(.reader, X25519Identity(), label: "bob")) },
            { $0.append(Member(.reader, X25519Identity(), label: "-")) },
        ]
        for change in changes {
            #expect(throws: VaultError.notAllowed("these cannot be the members of a vault")) {
                _ = try place.vault.updateMembers { _, members in change(&members) }
            }
        }
        #expect(throws: Unexpected.self) {
            _ = try place.vault.updateMembers { _, _ in throw Unexpected(what: "a change of mind") }
        }
        #expect(try place.path.read() == before)
    }

    /// Nothing can be encrypted to such a member, so that it has to be possible to remove it.
    @Test func aMemberOfLowOrderCanBeRemoved() throws {
        let place = try VaultPlace(of: X25519Identity())
        _ = try Independent.write(place.path, people: [place.owner], ["--nonce", place.nonce, "--low-order"])
        #expect(throws: VaultError.self) { try place.vault.put(record("github")) }
        try place.vault.drop("low-order")
        try place.vault.put(record("github"))
    }

    /// A block that somebody changed is carried over as it is, under the hash that was signed.
    @Test func aDamagedBlockStaysDamaged() throws {
        let place = try damagedPlace()
        try place.vault.add(Member(.reader, runner, label: "runner"))
        #expect(throws: wrongBlock.at(place.path)) { try place.vault.records() }
        #expect(throws: wrongBlock.at(place.path)) { try place.vault(as: runner, state: "runner").records() }
    }

    private let wrongBlock = VaultError.damaged("block 0 is not the one that the index names")

    /// A vault one of whose blocks was exchanged.
    private func damagedPlace() throws -> VaultPlace {
        let draft = Draft(blocks: [[record("github")], [record("gitlab")]])
        let place = try VaultPlace(of: draft.owner)
        let bytes = Draft.block([record("github", size: 100)]) + draft.plaintext.dropFirst(Block.size)
        try draft.file(of: bytes).write(to: place.path)
        return place
    }

    // MARK: - A new vault of the records

    @Test func theOwnerMakesANewVault() throws {
        let place = try place()
        let old = try place.path.read()
        let members = try place.vault.open().members
        let rekeyed = try place.vault.rekey().result
        #expect(rekeyed.before == place.pin.id && rekeyed.id != place.pin.id && rekeyed.formerOwner == nil)
        let error = VaultError.otherVault(found: rekeyed.id, pinned: place.pin.id).at(place.path)
        #expect(throws: error) { _ = try place.vault.open() }
        #expect(try place.backup.read() == old)
        #expect(try place.ratchet.state(of: rekeyed.id)?.generation == 1)
        for identity in [place.owner, bob, runner] {
            let vault = place.vault(as: identity) { $0.pin = Pin(id: rekeyed.id) }
            #expect(try vault.records() == [record("github")])
            let reader = try vault.open()
            #expect(reader.members == members)
            #expect(reader.roster.version == 1 && reader.manifest.generation == 1 && reader.manifest.previous.isEmpty)
        }
    }

    @Test func aWriterMakesANewVaultAndOwnsIt() throws {
        let place = try place()
        let rekeyed = try place.vault(as: bob, state: "bob").rekey().result
        #expect(rekeyed.formerOwner?.label == "owner")
        let pin = Pin(id: rekeyed.id)
        let bobs = place.vault(as: bob, state: "bob") { $0.pin = pin }
        let reader = try bobs.open()
        #expect(reader.members.map(\.role) == [.writer, .owner, .reader])
        #expect(reader.members.map(\.recipient) == [place.owner, bob, runner].map(\.recipient))
        #expect(reader.roster.root == SigningKey(of: bob).verificationKey)
        // Whoever owned it writes on, and is not the owner.
        try place.vault { $0.pin = pin }.put(record("gitlab"))
        #expect(throws: mayNotChangeMembers) { try place.vault { $0.pin = pin }.drop("bob") }
        try bobs.drop("owner")
        #expect(throws: VaultError.noMatch) { _ = try place.vault { $0.pin = pin }.open() }
        #expect(try Independent.read(place.path, as: bob, pin: pin).report.rosterVersion == 2)
    }

    @Test func aReaderMakesNone() throws {
        let place = try place()
        let before = try place.path.read()
        let error = VaultError.notAllowed("this identity may read the vault, but not make a new one of it")
        #expect(throws: error) { _ = try place.vault(as: runner, state: "runner").rekey() }
        #expect(try place.path.read() == before)
    }

    @Test func nothingIsSignedAnewThatDoesNotCheck() throws {
        let place = try damagedPlace()
        let before = try place.path.read()
        #expect(throws: wrongBlock.at(place.path)) { _ = try place.vault.rekey() }
        #expect(try place.path.read() == before)
    }

    /// The owner before could have put anything beside a writer's key.
    @Test func theNewOwnerIsWhoeverMadeIt() throws {
        var draft = Draft(blocks: [[record("github")]])
        let thief = X25519Identity()
        let key = SigningKey(of: bob).verificationKey
        draft.others = [Member(role: .writer, recipient: thief.recipient, key: key, label: "bob")]
        let place = try VaultPlace(holding: draft)
        // The owner's identity opens it for both.
        let rekeyed = try place.vault(as: bob, place.owner).rekey().result
        let vault = place.vault(as: bob) { $0.pin = Pin(id: rekeyed.id) }
        #expect(try vault.open().members.map(\.recipient) == [draft.owner.recipient, bob.recipient])

        draft.others.append(Member(role: .reader, recipient: bob.recipient, key: nil, label: "shadow"))
        try draft.file.write(to: place.path)
        let error = VaultError.damaged("the roster has this identity's recipient as another's").at(place.path)
        #expect(throws: error) { _ = try place.vault(as: bob, state: "bob").rekey() }
    }

    @Test func behindTheHighestRosterVersionThereIsANewVault() throws {
        let place = try VaultPlace(holding: Draft(version: Number.maximum, blocks: [[record("github")]]))
        #expect(throws: VaultError.notAllowed("the roster has the highest version there is; a new vault is needed")) {
            try place.vault.add(Member(.reader, runner, label: "runner"))
        }
        let id = try place.vault.rekey().result.id
        try place.vault { $0.pin = Pin(id: id) }.add(Member(.reader, runner, label: "runner"))
    }
}

extension Vault {
    @discardableResult
    func add(_ member: Member) throws -> Pin {
        try updateMembers { _, members in members.append(member) }.result
    }

    @discardableResult
    func drop(_ label: String) throws -> Pin {
        try updateMembers { _, members in members.removeAll { $0.label == label } }.result
    }
}
