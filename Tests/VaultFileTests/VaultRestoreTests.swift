import Age
import SystemPackage
import Testing

@testable import VaultFile

/// Older versions, and how one of them becomes the newest.
@Suite struct VaultRestoreTests {
    private func older(_ words: String, _ place: VaultPlace) -> VaultError { .older(words).at(place.path) }

    private let reissue = VaultError.notAllowed(
        "the roster must be issued again first, which only the vault's owner can do")

    @Test func anOlderVersionIsNoticed() throws {
        let place = try VaultPlace(record("one"))
        let two = try place.path.read()
        try place.vault.put(record("two"))
        try two.write(to: place.path)
        let error = older("it has generation 2, but generation 3 was seen here", place)
        #expect(throws: error) { _ = try place.vault.open() }
        #expect(throws: error) { try place.vault.put(record("x")) }
        // Not noticed by who has not seen the newer one.
        #expect(try place.vault(state: "other").records() == [record("one")])
    }

    @Test func aVersionBesideTheOneSeenIsNoticed() throws {
        let place = try VaultPlace(record("one"))
        let two = try place.path.read()
        try place.vault.put(record("two"))
        try two.write(to: place.path)
        try place.vault(state: "other").put(record("another"))
        #expect(throws: older("it has generation 3 like the one seen here, but differs from it", place)) {
            _ = try place.vault.open()
        }
        try place.vault(state: "other").put(record("more"))
        #expect(throws: older("it does not follow generation 3, which was seen here, but replaces it", place)) {
            _ = try place.vault.open()
        }
        // Two ahead, nothing shows any more that there was another one.
        try place.vault(state: "other").put(record("most"))
        _ = try place.vault.open()
    }

    @Test func whoAcceptsOlderOnesReadsThemAndStillRemembersTheNewest() throws {
        let place = try VaultPlace(record("one"))
        let two = try place.path.read()
        try place.vault.put(record("two"))
        let newest = try place.ratchet.state(of: place.pin.id)
        try two.write(to: place.path)
        #expect(try place.vault { $0.acceptsOlder = true }.records() == [record("one")])
        #expect(try place.ratchet.state(of: place.pin.id) == newest)
        #expect(throws: VaultError.self) { _ = try place.vault.open() }
    }

    @Test func aRestoredVersionWinsEverywhereOnceItIsWritten() throws {
        let place = try VaultPlace(record("one"))
        let restored = try place.path.read()
        let restoredState = try place.vault(state: "behind").state()
        for number in 3...5 { try place.vault.put(record("two", size: 100 * number)) }
        let lost = try place.vault(state: "ahead").state()
        #expect(lost.generation == 5)
        try restored.write(to: place.path)
        try place.vault { $0.acceptsOlder = true }.put(record("three"))
        let reader = try place.vault.open()
        #expect(reader.manifest.generation == 6)
        #expect(reader.manifest.previous == [restoredState.manifest, lost.manifest].sorted())
        for state in ["ahead", "behind", "never"] {
            #expect(try place.vault(state: state).records() == [record("one"), record("three")])
        }
    }

    @Test func whoRestoresWithoutHavingSeenTheNewerOneIsNoticed() throws {
        let place = try VaultPlace(record("one"))
        let restored = try place.path.read()
        try place.vault.put(record("two"))
        try restored.write(to: place.path)
        try place.vault(state: "other").put(record("three"))
        #expect(throws: VaultError.self) { _ = try place.vault.open() }
        // Whoever has seen both brings them together.
        try place.vault { $0.acceptsOlder = true }.put(record("four"))
        #expect(try place.vault.records() == [record("four"), record("one"), record("three")])
        #expect(try place.vault(state: "other").records().count == 3)
    }

    // MARK: - Rosters

    /// A vault with an owner and a writer, at a version of its roster and a generation.
    private func draft(
        _ version: Int, _ generation: Int, of owner: X25519Identity, _ writer: X25519Identity, label: String = "writer"
    ) -> Draft {
        var draft = Draft(owner: owner, version: version, generation: generation, blocks: [[record("github")]])
        draft.others = [Member(.writer, writer, label: label)]
        return draft
    }

    @Test func anOlderRosterIsNoticedAndIssuedAgainByTheOwner() throws {
        let (owner, writer) = (X25519Identity(), X25519Identity())
        let old = draft(1, 7, of: owner, writer)
        let new = draft(2, 3, of: owner, writer)
        let place = try VaultPlace(holding: new)
        for state in ["state", "writer", "witness"] { _ = try place.vault(state: state).open() }
        try old.file.write(to: place.path)
        let error = older("its roster has version 1, but version 2 was seen here", place)
        #expect(throws: error) { _ = try place.vault.open() }
        #expect(throws: error) { _ = try place.vault { $0.followsGit = true }.open() }

        // Accepted once, a writer cannot bring it forward, and the owner can.
        let before = try place.path.read()
        #expect(throws: reissue) {
            try place.vault(as: writer, state: "writer") { $0.acceptsOlder = true }.put(record("x"))
        }
        #expect(try place.path.read() == before)
        try place.vault { $0.acceptsOlder = true }.put(record("gitlab"))
        for state in ["state", "writer", "witness", "never"] {
            let reader = try place.vault(state: state).open()
            #expect(reader.roster.version == 3 && reader.manifest.generation == 1)
            #expect(reader.manifest.previous == [old.state.manifest, new.state.manifest].sorted())
            #expect(reader.roster.members == old.members)
            #expect(reader.roster.id == old.id)
        }
        try place.vault(as: writer, state: "writer").put(record("zulip"))
        #expect(try place.vault.generation() == 2)
    }

    @Test func anotherRosterOfTheSameVersionIsNoticedAndIssuedAgainByTheOwner() throws {
        let (owner, writer) = (X25519Identity(), X25519Identity())
        let one = draft(2, 3, of: owner, writer)
        let two = draft(2, 5, of: owner, writer, label: "intern")
        let place = try VaultPlace(holding: one)
        for state in ["state", "writer", "witness"] { _ = try place.vault(state: state).open() }
        try two.file.write(to: place.path)
        let error = older("its roster has version 2 like the one seen here, but differs from it", place)
        #expect(throws: error) { _ = try place.vault.open() }
        #expect(throws: error) { _ = try place.vault { $0.followsGit = true }.open() }

        #expect(throws: reissue) {
            try place.vault(as: writer, state: "writer") { $0.acceptsOlder = true }.put(record("x"))
        }
        try place.vault { $0.acceptsOlder = true }.put(record("gitlab"))
        for state in ["state", "writer", "witness", "never"] {
            let reader = try place.vault(state: state).open()
            #expect(reader.roster.version == 3 && reader.manifest.generation == 1)
            #expect(reader.manifest.previous == [one.state.manifest, two.state.manifest].sorted())
            #expect(reader.roster.members == two.members)
        }
    }

    // MARK: - The end of numbers

    @Test func behindTheHighestGenerationTheOwnerIssuesTheRosterAgain() throws {
        let (owner, writer) = (X25519Identity(), X25519Identity())
        let last = draft(4, Number.maximum, of: owner, writer)
        let place = try VaultPlace(holding: last)
        #expect(try place.vault.records() == [record("github")])
        #expect(throws: reissue) { try place.vault(as: writer, state: "writer").put(record("x")) }
        try place.vault.put(record("gitlab"))
        let reader = try place.vault(state: "writer").open()
        #expect(reader.roster.version == 5 && reader.manifest.generation == 1)
        #expect(reader.manifest.previous == [last.state.manifest])
        try place.vault(as: writer, state: "writer").put(record("zulip"))
        #expect(try place.vault.records().count == 3)
    }

    @Test func theOwnerSignsWhatOnlyTheOwnerCanSign() throws {
        let (owner, writer) = (X25519Identity(), X25519Identity())
        let place = try VaultPlace(holding: draft(4, Number.maximum, of: owner, writer))
        try place.vault(as: writer, owner).put(record("gitlab"))
        #expect(try place.vault.state().rosterVersion == 5)
        // Otherwise the first that may.
        try place.vault(as: X25519Identity(), writer, owner).put(record("zulip"))
        let reader = try place.vault.open()
        #expect(reader.tail.manifest.by == SigningKey(of: writer).verificationKey)
        #expect(reader.roster.version == 5 && reader.manifest.generation == 2)
    }

    @Test func beforeTheHighestGenerationEverybodyStillWrites() throws {
        let (owner, writer) = (X25519Identity(), X25519Identity())
        let place = try VaultPlace(holding: draft(4, Number.maximum - 1, of: owner, writer))
        try place.vault(as: writer).put(record("gitlab"))
        #expect(try place.vault.generation() == Number.maximum)
    }

    @Test func theHighestGenerationThatWasSeenCounts() throws {
        let (owner, writer) = (X25519Identity(), X25519Identity())
        let place = try VaultPlace(holding: draft(4, Number.maximum, of: owner, writer))
        for state in ["state", "writer"] { _ = try place.vault(state: state).open() }
        try draft(4, 2, of: owner, writer).file.write(to: place.path)
        #expect(throws: reissue) {
            try place.vault(as: writer, state: "writer") { $0.acceptsOlder = true }.put(record("x"))
        }
        try place.vault { $0.acceptsOlder = true }.put(record("x"))
        #expect(try place.vault.state().rosterVersion == 5)
    }

    @Test func behindTheHighestOfBothThereIsNothing() throws {
        let (owner, writer) = (X25519Identity(), X25519Identity())
        let place = try VaultPlace(holding: draft(Number.maximum, Number.maximum, of: owner, writer))
        let before = try place.path.read()
        #expect(try place.vault.records() == [record("github")])
        #expect(throws: VaultError.notAllowed("the roster has the highest version there is; a new vault is needed")) {
            try place.vault.put(record("x"))
        }
        #expect(throws: reissue) { try place.vault(as: writer, state: "writer").put(record("x")) }
        #expect(try place.path.read() == before)
        // Below the highest generation it goes on.
        try draft(Number.maximum, 1, of: owner, writer).file.write(to: place.path)
        try place.vault(state: "other").put(record("x"))
    }

    // MARK: - git

    @Test func gitsHistoryExcusesGenerationsAndNothingElse() throws {
        let place = try VaultPlace(record("one"))
        let two = try place.path.read()
        try place.vault.put(record("two"))
        let newest = try place.ratchet.state(of: place.pin.id)
        try two.write(to: place.path)
        #expect(try place.vault { $0.followsGit = true }.records() == [record("one")])
        #expect(try place.ratchet.state(of: place.pin.id) == newest)
        // A write on a checked out version is newer than both.
        let checkedOut = try place.vault(state: "other").state()
        try place.vault { $0.followsGit = true }.put(record("three"))
        let reader = try place.vault.open()
        #expect(reader.manifest.generation == 4)
        let seen = try #require(newest)
        #expect(reader.manifest.previous == [checkedOut.manifest, seen.manifest].sorted())
    }

    @Test func gitsHistoryGoesOnFromANewerVersion() throws {
        let place = try VaultPlace(record("one"))
        _ = try place.vault(state: "other").open()
        try place.vault.put(record("two"))
        let latest = try place.vault.state()
        try place.vault(state: "other") { $0.followsGit = true }.put(record("three"))
        #expect(try place.vault.open().manifest.previous == [latest.manifest])
    }
}
