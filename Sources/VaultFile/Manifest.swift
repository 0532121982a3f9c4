/// What a vault holds at one moment, as a writer signed it.
struct Manifest: Sendable, Equatable {
    /// The vault.
    let id: VaultID
    /// The roster that the writer stood on.
    let roster: Hash
    /// One more with each write; 1 again with each roster version.
    let generation: Int
    /// The manifests before this one: none in a new vault, two after a merge or a restore.
    let previous: [Hash]
    /// The hash of the index line.
    let index: Hash
    /// When it was written, for people.
    let written: String

    init(id: VaultID, roster: Hash, generation: Int, previous: [Hash], index: Hash, written: String) {
        self.id = id
        self.roster = roster
        self.generation = generation
        self.previous = previous.areUnique ? previous.sorted() : [previous[0]]
        self.index = index
        self.written = written
    }

    /// The manifest that `text` is, or nil when it is none.
    init?(text: String) {
        var lines = TextLines(text)
        guard lines.take("vault/v1 manifest"),
            let id = lines.value("vault").flatMap({ VaultID($0) }),
            let roster = lines.value("roster").flatMap({ Hash($0) }),
            let generation = lines.value("generation").flatMap({ Number.parse($0) }),
            let previous = lines.value("previous").flatMap(Self.previous),
            let index = lines.value("index").flatMap({ Hash($0) }),
            let written = lines.value("written"), Self.isTimestamp(written), lines.isAtEnd
        else { return nil }
        self.init(
            id: id, roster: roster, generation: generation, previous: previous, index: index, written: String(written))
    }

    var text: String {
        """
        vault/v1 manifest
        vault \(id)
        roster \(roster)
        generation \(generation)
        previous \(previous.isEmpty ? "-" : previous.map(\.description).joined(separator: " "))
        index \(index)
        written \(written)

        """
    }

    private static func previous(_ text: Substring) -> [Hash]? {
        if text == "-" { return [] }
        let hashes = text.split(separator: " ", omittingEmptySubsequences: false).map { Hash($0) }
        let known = hashes.compactMap { $0 }
        guard (1...2).contains(hashes.count), known.count == hashes.count, known.areUnique, known == known.sorted()
        else {
            return nil
        }
        return known
    }

    /// `2026-11-23T20:00:00Z`: the form alone, since it is shown and never compared.
    private static func isTimestamp(_ text: Substring) -> Bool {
        let form = Array("0000-00-00T00:00:00Z".utf8)
        return text.utf8.count == form.count
            && zip(text.utf8, form).allSatisfy { byte, shape in
                shape == UInt8(ascii: "0") ? (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) : byte == shape
            }
    }
}
