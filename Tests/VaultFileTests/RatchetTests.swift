import Age
import Dispatch
import Foundation
import SystemPackage
import Synchronization
import TestSupport
import Testing

@testable import VaultFile

@Suite struct RatchetTests {
    private static func hash(_ byte: UInt8) -> Hash { Hash(bytes: [UInt8](repeating: byte, count: 32)) }

    private static func state(
        _ version: Int, _ generation: Int, roster: UInt8 = 1, manifest: UInt8 = 1, stanza: Int = 0
    ) -> Ratchet.State {
        Ratchet.State(
            rosterVersion: version, roster: hash(roster), generation: generation, manifest: hash(manifest),
            stanza: stanza)
    }

    private let id = Draft().id

    // MARK: - What is refused

    struct Case: CustomTestStringConvertible {
        let name: String
        let seen: Ratchet.State
        let found: Ratchet.State
        var previous: [UInt8] = []
        let words: String?
        /// Whether git's history excuses it.
        var isGits = false

        var testDescription: String { name }
    }

    @Test(arguments: cases)
    func comparesWhatIsFoundWithWhatWasSeen(_ test: Case) throws {
        let previous = test.previous.map(Self.hash)
        #expect(test.seen.objection(to: test.found, previous: previous, followsGit: false) == test.words)
        #expect(
            test.seen.objection(to: test.found, previous: previous, followsGit: true)
                == (test.isGits ? nil : test.words))
    }

    private static let cases: [Case] = [
        Case(name: "the same", seen: state(2, 5), found: state(2, 5), words: nil),
        Case(name: "the same behind another stanza", seen: state(2, 5), found: state(2, 5, stanza: 3), words: nil),
        Case(
            name: "the next", seen: state(2, 5, manifest: 9), found: state(2, 6, manifest: 8), previous: [9], words: nil
        ),
        Case(
            name: "the next after a merge", seen: state(2, 5, manifest: 9), found: state(2, 6, manifest: 8),
            previous: [7, 9], words: nil),
        Case(name: "one long after", seen: state(2, 5), found: state(2, 7, manifest: 8), previous: [3], words: nil),
        Case(name: "a later roster", seen: state(2, 5), found: state(3, 1, roster: 4, manifest: 8), words: nil),
        Case(
            name: "a roster long after", seen: state(2, 5), found: state(9, 1, roster: 4, manifest: 8), previous: [3],
            words: nil),
        Case(
            name: "an older roster", seen: state(2, 5), found: state(1, 99, roster: 4, manifest: 8), previous: [1],
            words: "its roster has version 1, but version 2 was seen here"),
        Case(
            name: "another roster of that version", seen: state(2, 5), found: state(2, 6, roster: 4, manifest: 8),
            previous: [1], words: "its roster has version 2 like the one seen here, but differs from it"),
        Case(
            name: "another roster of that version and generation", seen: state(2, 5), found: state(2, 5, roster: 4),
            words: "its roster has version 2 like the one seen here, but differs from it"),
        Case(
            name: "an older generation", seen: state(2, 5), found: state(2, 4, manifest: 8), previous: [1],
            words: "it has generation 4, but generation 5 was seen here", isGits: true),
        Case(
            name: "another manifest of that generation", seen: state(2, 5), found: state(2, 5, manifest: 8),
            previous: [1], words: "it has generation 5 like the one seen here, but differs from it", isGits: true),
        Case(
            name: "the next of another one", seen: state(2, 5), found: state(2, 6, manifest: 8), previous: [3, 4],
            words: "it does not follow generation 5, which was seen here, but replaces it", isGits: true),
        Case(
            name: "the next of none", seen: state(2, 5), found: state(2, 6, manifest: 8),
            words: "it does not follow generation 5, which was seen here, but replaces it", isGits: true),
    ]

    // MARK: - What is remembered

    private func ratchet(in folder: TemporaryFolder) -> (ratchet: Ratchet, file: FilePath) {
        (Ratchet(folder: FilePath(folder.file("state/vault"))), FilePath(folder.file("state/vault/\(id)")))
    }

    @Test func remembersInAFileOfItsOwn() throws {
        let folder = try TemporaryFolder()
        let (ratchet, file) = ratchet(in: folder)
        #expect(try ratchet.state(of: id) == nil)
        let state = Self.state(3, 42, roster: 1, manifest: 2, stanza: 7)
        try ratchet.raise(id, to: state)
        #expect(try ratchet.state(of: id) == state)
        #expect(
            String(decoding: try file.read(), as: UTF8.self) == """
                vault/v1 ratchet
                roster 3 \(Self.hash(1))
                generation 42 \(Self.hash(2))
                stanza 7

                """)
        #expect(try file.permissions() == 0o600)
        #expect(try FilePath(folder.file("state/vault")).permissions() == 0o700)
        #expect(try FilePath(folder.file("state")).permissions() == 0o700)
        // Another vault is another file.
        let other = Draft(nonce: [UInt8](repeating: 9, count: 16)).id
        #expect(try ratchet.state(of: other) == nil)
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: folder.file("state/vault")).sorted() == [
                "\(id)", "\(id).lock",
            ])
    }

    @Test func neverGoesBack() throws {
        let folder = try TemporaryFolder()
        let (ratchet, _) = ratchet(in: folder)
        let seen = Self.state(2, 5)
        try ratchet.raise(id, to: seen)
        for lower in [
            Self.state(1, 99, manifest: 8), Self.state(2, 4, manifest: 8), Self.state(1, 5), Self.state(2, 1),
            // The same pair, whatever else.
            Self.state(2, 5, manifest: 8), Self.state(2, 5, roster: 8, manifest: 8),
            Self.state(2, 5, manifest: 8, stanza: 3),
        ] {
            try ratchet.raise(id, to: lower)
            #expect(try ratchet.state(of: id) == seen)
        }
        for higher in [Self.state(2, 6, manifest: 3), Self.state(2, 9, roster: 4), Self.state(3, 1), Self.state(7, 2)] {
            try ratchet.raise(id, to: higher)
            #expect(try ratchet.state(of: id) == higher)
        }
    }

    @Test func remembersWhichStanzaItWas() throws {
        let folder = try TemporaryFolder()
        let (ratchet, _) = ratchet(in: folder)
        try ratchet.raise(id, to: Self.state(2, 5))
        try ratchet.raise(id, to: Self.state(2, 5, stanza: 9))
        #expect(try ratchet.state(of: id) == Self.state(2, 5, stanza: 9))
        try ratchet.raise(id, to: Self.state(2, 4, manifest: 2, stanza: 3))
        #expect(try ratchet.state(of: id) == Self.state(2, 5, stanza: 9))
    }

    @Test(arguments: [
        "", "\n", "vault/v1 ratchet\n", "x\nROSTER\nGENERATION\nSTANZA\n",
        "vault/v2 ratchet\nROSTER\nGENERATION\nSTANZA\n",
        "vault/v1 ratchet\nROSTER\nGENERATION\nSTANZA", "vault/v1 ratchet\nROSTER\nGENERATION\nSTANZA\n\n",
        "vault/v1 ratchet\nROSTER\nGENERATION\n", "vault/v1 ratchet\nGENERATION\nROSTER\nSTANZA\n",
        "vault/v1 ratchet\nroster 0 HASH\nGENERATION\nSTANZA\n", "vault/v1 ratchet\nroster 1\nGENERATION\nSTANZA\n",
        "vault/v1 ratchet\nROSTER\ngeneration 9007199254740992 HASH\nSTANZA\n",
        "vault/v1 ratchet\nROSTER\ngeneration 5 AAAA\nSTANZA\n", "vault/v1 ratchet\nROSTER\nGENERATION\nstanza x\n",
        "\u{0}\u{0}\u{0}\u{0}",
    ])
    func aDamagedFileIsSaidToBeOne(_ text: String) throws {
        let folder = try TemporaryFolder()
        let (ratchet, file) = ratchet(in: folder)
        try ratchet.raise(id, to: Self.state(2, 5))
        var text = text
        for (word, meaning) in [
            ("ROSTER", "roster 2 HASH"), ("GENERATION", "generation 5 HASH"), ("STANZA", "stanza 0"),
            ("HASH", "\(Self.hash(1))"),
        ] {
            text = text.split(separator: word, omittingEmptySubsequences: false).joined(separator: meaning)
        }
        try Array(text.utf8).write(to: file)
        let error = VaultError.damagedState(path: file.string)
        #expect(throws: error) { _ = try ratchet.state(of: id) }
        // Nothing is written over it, since what it held is not known.
        #expect(throws: error) { try ratchet.raise(id, to: Self.state(9, 9)) }
        #expect(try file.read() == Array(text.utf8))
    }

    @Test func aFileThatIsNoneIsRefused() throws {
        let folder = try TemporaryFolder()
        let (ratchet, file) = ratchet(in: folder)
        try FileManager.default.createDirectory(atPath: file.string, withIntermediateDirectories: true)
        #expect(throws: VaultError.system(operation: .reading, path: file.string, errno: EISDIR)) {
            _ = try ratchet.state(of: id)
        }
        try FileManager.default.removeItem(atPath: file.string)
        #expect(mkfifo(file.string, 0o600) == 0)
        #expect(throws: VaultError.system(operation: .reading, path: file.string, errno: EINVAL)) {
            _ = try ratchet.state(of: id)
        }
        try FileManager.default.removeItem(atPath: file.string)
        try [UInt8](repeating: 0x0a, count: 1 << 20 + 1).write(to: file)
        #expect(throws: VaultError.system(operation: .reading, path: file.string, errno: EFBIG)) {
            _ = try ratchet.state(of: id)
        }
    }

    @Test func aFolderThatCannotBeMadeIsAnErrorOfTheOneWhoRaises() throws {
        let folder = try TemporaryFolder()
        try Array("a file".utf8).write(to: FilePath(folder.file("state")))
        let ratchet = Ratchet(folder: FilePath(folder.file("state/vault")))
        #expect(try ratchet.state(of: id) == nil)
        #expect(
            throws: VaultError.system(
                operation: .creatingFolder, path: folder.file("state"), errno: ENOTDIR)
        ) { try ratchet.raise(id, to: Self.state(1, 1)) }
    }

    @Test func withoutAFolderNothingIsRemembered() throws {
        let ratchet = Ratchet(folder: nil)
        try ratchet.raise(id, to: Self.state(1, 1))
        #expect(try ratchet.state(of: id) == nil)
    }

    // MARK: - Many at once

    @Test func threadsNeverLowerIt() throws {
        let folder = try TemporaryFolder()
        let (ratchet, _) = ratchet(in: folder)
        let lowered = Mutex<[String]>([])
        DispatchQueue.concurrentPerform(iterations: 300) { number in
            // Up and down, so that low ones come late.
            let state = Self.state(1 + number % 3, 1 + number * 31 % 40, manifest: UInt8(number % 256))
            do {
                try ratchet.raise(id, to: state)
                let now = try ratchet.state(of: id)
                if now.map({ ($0.rosterVersion, $0.generation) < (state.rosterVersion, state.generation) }) ?? true {
                    lowered.withLock { $0.append("\(state): \(String(describing: now))") }
                }
            } catch {
                lowered.withLock { $0.append("\(error)") }
            }
        }
        #expect(lowered.withLock { $0 } == [])
        let last = try #require(try ratchet.state(of: id))
        #expect(last.rosterVersion == 3 && last.generation == 40)
    }
}

/// A vault of which several versions lie side by side, and readers that open them in any order.
@Suite struct ManyReadersTests {
    static let versions = 8

    /// Version `number` of the vault of `identity`.
    static func version(_ number: Int, of identity: X25519Identity) -> Draft {
        Draft(owner: identity, generation: number, blocks: [[record("number", size: 40 + number)]])
    }

    /// Opens version after version, by chance, and says what went wrong.
    static func open(_ count: Int, in folder: String, as identity: X25519Identity) -> [String] {
        let pin = Pin(id: Draft(owner: identity).id)
        let ratchet = Ratchet(folder: FilePath(folder + "/state"))
        var trust = Vault.Trust(pin: pin)
        trust.followsGit = true
        var wrong: [String] = []
        do {
            for _ in 0..<count {
                let number = Int.random(in: 1...versions)
                let before = try ratchet.state(of: pin.id)?.generation ?? 0
                let vault = Vault(
                    path: FilePath(folder + "/\(number).age"), identities: [identity], trust: trust, ratchet: ratchet)
                if try vault.record("number") != record("number", size: 40 + number) { wrong.append("another record") }
                let after = try ratchet.state(of: pin.id)?.generation ?? 0
                if after < max(before, number) { wrong.append("\(after) after \(before) and \(number)") }
            }
        } catch {
            wrong.append("\(error)")
        }
        return wrong
    }

    private func makeVersions(in folder: TemporaryFolder, of identity: X25519Identity) throws {
        for number in 1...Self.versions {
            try Self.version(number, of: identity).file.write(to: FilePath(folder.file("\(number).age")))
        }
    }

    @Test func aThousandReadersInThreadsNeverLowerTheRatchet() throws {
        let folder = try TemporaryFolder()
        let identity = X25519Identity()
        try makeVersions(in: folder, of: identity)
        let wrong = Mutex<[String]>([])
        let path = folder.path
        DispatchQueue.concurrentPerform(iterations: 8) { _ in
            let found = Self.open(125, in: path, as: identity)
            wrong.withLock { $0 += found }
        }
        #expect(wrong.withLock { $0 } == [])
        let id = Draft(owner: identity).id
        #expect(
            try Ratchet(folder: FilePath(folder.file("state"))).state(of: id)
                == Self.version(Self.versions, of: identity).state)
    }

    @Test func readersInProcessesNeverLowerTheRatchet() async throws {
        let folder = try TemporaryFolder()
        let identity = X25519Identity()
        try makeVersions(in: folder, of: identity)
        let (path, line) = (folder.path, identity.line)
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    await #expect(processExitsWith: .success) { [path = path as String, line = line as String] in
                        let identity = try X25519Identity.parse(line)
                        try #require(ManyReadersTests.open(100, in: path, as: identity) == [])
                    }
                }
            }
        }
        let id = Draft(owner: identity).id
        #expect(
            try Ratchet(folder: FilePath(folder.file("state"))).state(of: id)
                == Self.version(Self.versions, of: identity).state)
    }
}
