import Age
import Foundation
import SystemPackage
import TestSupport
import Testing

@testable import VaultFile

/// Vaults that somebody puts in the place of the right one, made by a program that is not this one and holds to no
/// rules, and what everybody else makes of them.
@Suite struct AttackTests {
    private let alice: X25519Identity
    private let bob = X25519Identity()
    private let runner = X25519Identity()
    private let place: VaultPlace

    /// Alice's vault, with bob as a writer and a runner as a reader, all of whom have seen it.
    init() throws {
        place = try VaultPlace(record("github", size: 100), label: "alice")
        alice = place.owner
        try place.vault.add(Member(.writer, bob, label: "bob"))
        try place.vault.add(Member(.reader, runner, label: "runner"))
        try expectAccepted([record("github", size: 100)])
    }

    private var everybody: [(name: String, identity: X25519Identity)] {
        [("alice", alice), ("bob", bob), ("runner", runner)]
    }

    private func vault(
        _ name: String, _ identity: X25519Identity, trusting change: (inout Vault.Trust) -> Void = { _ in }
    ) -> Vault {
        place.vault(as: identity, state: name, trusting: change)
    }

    private func expectAccepted(_ records: [String], _ comment: Comment? = nil) throws {
        for (name, identity) in everybody {
            #expect(try vault(name, identity).records() == records, comment)
        }
    }

    /// Everybody refuses to read, and whoever may write refuses that as well.
    private func expectRefused(_ error: VaultError, _ comment: Comment? = nil) throws {
        let found = try place.path.read()
        for (name, identity) in everybody {
            #expect(throws: error.at(place.path), comment) { _ = try vault(name, identity).records() }
            #expect(throws: error.at(place.path), comment) { try vault(name, identity).put(record("x")) }
            #expect(throws: error.at(place.path), comment) { _ = try vault(name, identity).rekey() }
        }
        #expect(throws: error.at(place.path), comment) { try vault("alice", alice).drop("bob") }
        #expect(try place.path.read() == found)
    }

    /// What makes a writer of the runner.
    private var promotion: [String] {
        let key = SigningKey(of: runner).verificationKey
        return ["--remove", "runner", "--add", "writer \(runner.recipient) \(key) runner"]
    }

    private func recordFile(_ records: String...) throws -> [String] {
        let file = place.folder.file("records")
        try Array(records.joined(separator: "\n").utf8).write(to: FilePath(file))
        return ["--records", file]
    }

    // MARK: - Without a key

    @Test func whoKnowsAllRecipientsCannotRebuildIt() throws {
        let outsider = X25519Identity()
        let members = everybody.flatMap { ["--add", "reader \($0.identity.recipient) - \($0.name)"] }
        let pin = try Independent.write(place.path, people: [outsider], members + recordFile(record("github")))
        try expectRefused(.otherVault(found: pin.id, pinned: place.pin.id))
        // Nor where nothing is known of it: the question shows nothing but the id.
        let unknown = vault("alice", alice) { $0.pin = nil }
        #expect(throws: VaultError.unknownVault(pin.id)) { _ = try unknown.open() }
    }

    @Test func anOldCopyIsRefused() throws {
        let old = try place.path.read()
        try vault("alice", alice).put(record("gitlab"))
        try expectAccepted([record("github", size: 100), record("gitlab")])
        try old.write(to: place.path)
        try expectRefused(.older("it has generation 1, but generation 2 was seen here"))
    }

    @Test func anotherTrustedVaultIsRefusedInItsPlace() throws {
        let pin = try Independent.write(
            place.path, people: [alice, bob, runner], ["--nonce", String(repeating: "ab", count: 16)])
        for (name, identity) in everybody {
            _ = try vault(name, identity) { $0.pin = pin }.open()
        }
        try expectRefused(.otherVault(found: pin.id, pinned: place.pin.id))
    }

    // MARK: - With a reader's key

    /// A reader has the real file key, and can encrypt what it likes with it, for the same members and under the same
    /// header.
    @Test(arguments: [[], ["--keep", "header"]])
    func aReaderCannotForge(_ header: [String]) throws {
        let changed = try recordFile(record("github", size: 90))
        let original = try place.path.read()
        for (options, words) in [
            (changed, "the manifest is signed by somebody who may not write"),
            (changed + ["--keep", "manifest"], "the index is not the one that the manifest names"),
            (changed + ["--keep", "manifest", "--keep", "index"], "block 0 is not the one that the index names"),
            (["--version", "4"], "the roster is not signed by its root"),
            (promotion, "the roster is not signed by its root"),
            (promotion + ["--keep", "manifest"], "the roster is not signed by its root"),
        ] {
            try Independent.succeed(place.path, as: runner, with: options + header)
            if options.contains("index") {
                // Tail and header are right: this is for who reads the block.
                for (name, identity) in everybody {
                    let error = VaultError.damaged(words).at(place.path)
                    #expect(throws: error) { _ = try vault(name, identity).record("github") }
                    #expect(throws: error) { _ = try vault(name, identity).records() }
                }
                #expect(throws: VaultError.damaged(words).at(place.path)) { _ = try vault("alice", alice).rekey() }
            } else {
                try expectRefused(.damaged(words), "\(options)")
            }
            try original.write(to: place.path)
        }
        try expectAccepted([record("github", size: 100)])
    }

    @Test func aReadersNewVaultIsAnotherOne() throws {
        let pin = try Independent.succeed(place.path, as: runner, with: ["--rekey"] + recordFile(record("github")))
        // A reader has no key in the roster, and so there is no owner with the root's.
        let error = VaultError.damaged("the roster is malformed").at(place.path)
        #expect(throws: error) { _ = try vault("alice", alice) { $0.pin = pin }.open() }
    }

    // MARK: - With a writer's key

    @Test func aWriterCannotIssueARoster() throws {
        let original = try place.path.read()
        for options in [["--version", "4"], promotion, ["--add", "reader \(X25519Identity().recipient) - friend"]] {
            try Independent.succeed(place.path, as: bob, with: options)
            try expectRefused(.damaged("the roster is not signed by its root"), "\(options)")
            try original.write(to: place.path)
        }
    }

    @Test func aRemovedWriterCannotGoOnUnderTheOldRoster() throws {
        let old = try place.path.read()
        let pin = try vault("alice", alice).drop("bob")
        _ = try vault("runner", runner).open()
        try old.write(to: place.path)
        try Independent.succeed(place.path, as: bob, with: ["--generation", "4711"] + recordFile(record("github")))
        let older = VaultError.older("its roster has version 3, but version 4 was seen here").at(place.path)
        let belowPin = VaultError.belowPin(version: 3, minimum: 4).at(place.path)
        for (name, identity) in [("alice", alice), ("runner", runner)] {
            // Where the new roster was seen, where git's history goes back, and where nothing but the pin is known.
            #expect(throws: older) { _ = try vault(name, identity).open() }
            #expect(throws: older) { _ = try vault(name, identity) { $0.followsGit = true }.open() }
            #expect(throws: belowPin) { _ = try vault("fresh", identity) { $0.pin = pin }.open() }
            #expect(throws: belowPin) {
                _ = try vault("fresh", identity) {
                    $0.pin = pin
                    $0.acceptsOlder = true
                }.open()
            }
        }
        // A machine that knows neither cannot tell, which the manual says.
        #expect(try vault("fresh", runner).records() == [record("github")])
    }

    /// A reader who is still a member opens the new version for the writer who is none any more.
    @Test func aRemovedWriterCannotGoOnUnderTheNewRoster() throws {
        try vault("alice", alice).drop("bob")
        try Independent.succeed(place.path, as: bob, runner, with: recordFile(record("github")))
        let error = VaultError.damaged("the manifest is signed by somebody who may not write").at(place.path)
        for (name, identity) in [("alice", alice), ("runner", runner), ("fresh", runner)] {
            #expect(throws: error) { _ = try vault(name, identity).open() }
        }
    }

    @Test func aWriterWhoSetTheHighestGenerationIsRemovedAndTheVaultRecovers() throws {
        let highest = "\(Number.maximum)"
        try Independent.succeed(place.path, as: bob, with: ["--generation", highest] + recordFile(record("github")))
        try expectAccepted([record("github")], "it is bob's right")
        #expect(
            throws: VaultError.notAllowed("the roster must be issued again first, which only the vault's owner can do")
        ) {
            try vault("bob", bob).put(record("x"))
        }
        try vault("alice", alice).drop("bob")
        try vault("alice", alice).put(record("gitlab"))
        for (name, identity) in [("alice", alice), ("runner", runner)] {
            let reader = try vault(name, identity).open()
            #expect(reader.roster.version == 4 && reader.manifest.generation == 2)
        }
        #expect(try Independent.check(place.path, as: runner, pin: place.pin).status == 0)
    }

    // MARK: - What is no attack

    @Test func aRestoreIsAcceptedOnOtherMachines() throws {
        let restored = try place.path.read()
        for number in 1...3 { try vault("bob", bob).put(record("gitlab", size: 100 * number)) }
        try expectAccepted([record("github", size: 100), record("gitlab", size: 300)])
        let lost = try vault("alice", alice).state()
        try restored.write(to: place.path)
        let before = try vault("fresh", alice).state()
        let previous = [before.manifest, lost.manifest].sorted().map(\.description).joined(separator: " ")
        try Independent.succeed(
            place.path, as: alice, with: ["--generation", "\(lost.generation + 1)", "--previous", previous])
        try expectAccepted([record("github", size: 100)])
        // And back again by this program, over what that one restored.
        try vault("bob", bob).put(record("gitlab"))
        try expectAccepted([record("github", size: 100), record("gitlab")])
    }

    @Test func anotherProgramChangesMembers() throws {
        let carol = X25519Identity()
        let key = SigningKey(of: carol).verificationKey
        try Independent.succeed(place.path, as: alice, with: ["--add", "writer \(carol.recipient) \(key) carol"])
        try expectAccepted([record("github", size: 100)])
        try vault("carol", carol).put(record("gitlab"))
        try expectAccepted([record("github", size: 100), record("gitlab")])
        try Independent.succeed(place.path, as: alice, with: ["--remove", "carol"])
        #expect(throws: VaultError.noMatch) { _ = try vault("carol", carol).open() }
        try expectAccepted([record("github", size: 100), record("gitlab")])
        #expect(try vault("alice", alice).add(Member(.reader, carol, label: "carol")).minimumRosterVersion == 6)

        let pin = try Independent.succeed(place.path, as: bob, with: ["--rekey"])
        #expect(throws: VaultError.otherVault(found: pin.id, pinned: place.pin.id).at(place.path)) {
            _ = try vault("alice", alice).open()
        }
        try vault("bob", bob) { $0.pin = pin }.drop("alice")
        #expect(try vault("runner", runner) { $0.pin = pin }.records().count == 2)
    }
}
