internal import Glibc
public import SystemPackage

/// What is remembered of the newest version of a vault that was seen here, so that an older one put in its place is
/// noticed. No file can prove its own freshness.
public struct Ratchet: Sendable {
    /// The newest version seen.
    struct State: Sendable, Equatable {
        /// The roster's version, and its hash.
        let rosterVersion: Int
        let roster: Hash
        /// The manifest's generation, and its hash.
        let generation: Int
        let manifest: Hash
        /// Which stanza of the header held the file key: the one to try first next time.
        let stanza: Int

        /// Whether `other` is a later version. A moved stanza alone is not.
        func isOlder(than other: State) -> Bool {
            (rosterVersion, generation) < (other.rosterVersion, other.generation)
        }

        var text: String {
            """
            vault/v1 ratchet
            roster \(rosterVersion) \(roster)
            generation \(generation) \(manifest)
            stanza \(stanza)

            """
        }

        init(rosterVersion: Int, roster: Hash, generation: Int, manifest: Hash, stanza: Int) {
            self.rosterVersion = rosterVersion
            self.roster = roster
            self.generation = generation
            self.manifest = manifest
            self.stanza = stanza
        }

        fileprivate init?(text: String) {
            func pair(_ text: Substring?) -> (Int, Hash)? {
                guard let words = text?.split(separator: " "), words.count == 2, let number = Number.parse(words[0]),
                    let hash = Hash(words[1])
                else { return nil }
                return (number, hash)
            }
            var lines = TextLines(text)
            guard lines.take("vault/v1 ratchet"), let roster = pair(lines.value("roster")),
                let generation = pair(lines.value("generation")),
                let stanza = lines.value("stanza").flatMap({ Int($0) }),
                lines.isAtEnd
            else { return nil }
            self.init(
                rosterVersion: roster.0, roster: roster.1, generation: generation.0, manifest: generation.1,
                stanza: stanza)
        }
    }

    private let folder: FilePath?

    /// The ratchet that keeps its files in `folder`, which need not exist; one without a folder remembers nothing.
    public init(folder: FilePath?) { self.folder = folder }

    /// What was seen of a vault, or nil when it was never seen.
    func state(of id: VaultID) throws(VaultError) -> State? {
        guard let path = folder?.appending("\(id)") else { return nil }
        // What may not be read, as another user's in a container, says nothing.
        guard let text = try SmallFile.read(path, unreadableIsNone: true) else { return nil }
        return try Self.parse(text, path)
    }

    private static func parse(_ text: [UInt8], _ path: FilePath) throws(VaultError) -> State {
        guard let state = State(text: String(decoding: text, as: UTF8.self)) else {
            throw .damagedState(path: path.string)
        }
        return state
    }

    /// Remembers `state` if it is later than what is remembered now. Never goes back.
    ///
    /// - Parameters:
    ///   - id: The vault.
    ///   - state: Its version.
    ///   - patience: How many seconds to wait for somebody else who does the same.
    /// - Throws: ``VaultError``.
    func raise(_ id: VaultID, to state: State, patience: Int = 10) throws {
        guard let folder else { return }
        try DurableFile.createFolder(folder)
        let path = folder.appending("\(id)")
        try VaultLock.hold(path, patience: patience) {
            DurableFile.removeRemains(of: path)
            if let text = try SmallFile.read(path) {
                let current = try Self.parse(text, path)
                let moved = current.stanza != state.stanza && current.manifest == state.manifest
                guard current.isOlder(than: state) || moved else { return }
            }
            try DurableFile.write(path, adopting: true) { (descriptor) throws(VaultError) in
                try DurableFile.write(Array(state.text.utf8).span, to: descriptor, at: path)
            }
        }
    }
}

extension Ratchet.State {
    /// Why what was opened is taken for older than this, or nil when it is not.
    ///
    /// - Parameters:
    ///   - other: What was opened.
    ///   - previous: The manifests that it names as those before it.
    ///   - followsGit: Whether the vault's history is git's, where checking out an older commit is no attack:
    ///     generations are then not compared.
    /// - Returns: The reason, in words behind a colon.
    func objection(to other: Ratchet.State, previous: [Hash], followsGit: Bool) -> String? {
        if other.rosterVersion < rosterVersion {
            return "its roster has version \(other.rosterVersion), but version \(rosterVersion) was seen here"
        }
        guard other.rosterVersion == rosterVersion else { return nil }
        guard other.roster == roster else {
            return "its roster has version \(rosterVersion) like the one seen here, but differs from it"
        }
        if followsGit { return nil }
        if other.generation < generation {
            return "it has generation \(other.generation), but generation \(generation) was seen here"
        }
        if other.generation == generation, other.manifest != manifest {
            return "it has generation \(generation) like the one seen here, but differs from it"
        }
        if other.generation == generation + 1, !previous.contains(manifest) {
            return "it does not follow generation \(generation), which was seen here, but replaces it"
        }
        return nil
    }
}
