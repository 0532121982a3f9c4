internal import Resources
internal import Sodium
internal import SystemPackage
internal import VaultFile

/// What there is to say of the vault's blocks and of the tokens in them, found out in one pass over all of it.
struct TokenChecks {
    private(set) var findings: [Finding] = []
    /// The latest moment that a record has, and the name of its resource.
    private(set) var newest: (name: String, moment: Timestamp)?

    /// Below this many bits a token is called weak.
    ///
    /// A service that hashes its tokens does so fast, since they are meant to be random: 2^50 guesses at such a hash are
    /// a day's work for one machine. The estimate is so cautious that more would be an alarm over random tokens, too: 16
    /// random bytes, as hexadecimal digits, base64 or a UUID, come to more than 50 in all of 20,000 tries. What a person
    /// has made up seldom does.
    static let weakBelow = 50.0
    /// A token of fewer bytes is called short. RFC 6749 asks for one that is not guessed in 2^128 tries, and no character
    /// of a token has more than a byte.
    static let shortBelow = 16

    /// Looks at every block of a vault.
    ///
    /// - Parameters:
    ///   - reader: The vault.
    ///   - backup: Where the version before is.
    init(_ reader: borrowing VaultReader, backup: FilePath) {
        let key = SecretBytes.random(count: BLAKE2b.hashSize)
        let results = reader.mapEachBlock { block, records in
            records.map { Entry.read(block.extracting($0), key: key) }
        }
        var entries: [Entry] = []
        var malformed: [String] = []
        var damaged: [any Error] = []
        for result in results {
            switch result {
            case .failure(let error): damaged.append(error)
            case .success(let records):
                for record in records {
                    switch record {
                    case .success(let entry): entries.append(entry)
                    case .failure(let error): malformed.append(Failure(error).message)
                    }
                }
            }
        }
        addBlocks(results.count, damaged, malformed, backup)
        addTokens(entries)
        addDuplicates(entries)
        if !findings.contains(where: { $0.check == .tokens }) {
            let count = entries.count == 1 ? "1 token" : "\(entries.count) tokens"
            findings.append(Finding(.tokens, .ok, "\(count), none of them expired, weak, or there twice"))
        }
        newest = entries.compactMap { entry in entry.changed.map { (entry.name, $0) } }.max { $0.1 < $1.1 }
    }

    private mutating func add(_ state: Finding.State, _ message: String, hint: String? = nil) {
        findings.append(Finding(.tokens, state, message, hint: hint))
    }

    private mutating func addBlocks(
        _ count: Int, _ damaged: [any Error], _ malformed: [String], _ backup: FilePath
    ) {
        if let first = damaged.first {
            let others = damaged.count > 1 ? "; \(damaged.count) of \(count) blocks are" : ""
            findings.append(
                Finding(
                    .vault, .todo, Failure(first).message + others,
                    hint: "the version before it may be good: \(backup)"))
        }
        if !malformed.isEmpty {
            findings.append(
                Finding(
                    .vault, .todo, malformed.enumeration,
                    hint: "remove the resource with '\(Process.name) remove NAME', and store it again"))
        }
        if damaged.isEmpty, malformed.isEmpty {
            let blocks = count == 1 ? "1 block" : "\(count) blocks"
            findings.append(Finding(.vault, .ok, "all of it can be read, and is as it was signed: \(blocks)"))
        }
    }

    private mutating func addTokens(_ entries: [Entry]) {
        let now = Timestamp.now
        func names(_ isMeant: (Entry) -> Bool) -> String? {
            let names = entries.filter(isMeant).map(\.name)
            return names.isEmpty ? nil : names.enumeration
        }
        let rotate = "'\(Process.name) rotate NAME'"
        if let names = names({ $0.dates.isExpired(at: now) }) {
            add(.todo, "expired: \(names)", hint: "\(rotate), or '\(Process.name) remove NAME'")
        }
        if let names = names({ !$0.dates.isExpired(at: now) && $0.dates.expires?.isSoon(after: now) ?? false }) {
            add(.note, "about to expire: \(names)", hint: "\(rotate) in time")
        }
        let hint = "have the service make a longer one, and store it with \(rotate)"
        if let names = names(\.isShort) {
            add(.todo, "shorter than \(Self.shortBelow) bytes: \(names)", hint: hint)
        }
        if let names = names({ $0.isWeak && !$0.isShort }) {
            add(
                .todo, "easy to guess: \(names)",
                hint: "have the service make one of random characters, and store it with \(rotate)")
        }
        if let names = names(\.isSentInTheClear) {
            add(
                .note, "sent over the network where everybody can read it, by http: \(names)",
                hint: "'\(Process.name) edit NAME --url https://…', if the service has that")
        }
    }

    /// The same token under several names: whoever rotates one of them leaves the other.
    private mutating func addDuplicates(_ entries: [Entry]) {
        var holders: [[UInt8]: [String]] = [:]
        for entry in entries { holders[entry.digest, default: []].append(entry.name) }
        let groups = holders.values.filter { $0.count > 1 }.sorted { $0[0] < $1[0] }
        if !groups.isEmpty {
            add(
                .todo,
                "the same token under more than one name: \(groups.map { $0.joined(separator: " = ") }.enumeration)",
                hint:
                    "one resource can have several URLs ('\(Process.name) edit NAME --url URL --url URL'); remove the other"
            )
        }
        var earlier: [String] = []
        for entry in entries {
            let others = Set(entry.earlier.flatMap { holders[$0] ?? [] }).subtracting([entry.name])
            earlier += others.sorted().map { "\($0) (earlier in \(entry.name))" }
        }
        if !earlier.isEmpty {
            add(.note, "replaced for one resource, and still in use for another: \(earlier.enumeration)")
        }
    }
}

/// What is kept of a record for a moment: nothing from which its token could be found.
private struct Entry: Sendable {
    let name: String
    let dates: Resource.TokenDates
    /// The latest moment at which it was changed.
    let changed: Timestamp?
    /// The keyed hash of the token, and those of the tokens before it.
    let digest: [UInt8]
    let earlier: [[UInt8]]
    let isShort: Bool
    let isWeak: Bool
    let isSentInTheClear: Bool

    static func read(_ line: Span<UInt8>, key: borrowing SecretBytes) -> Result<Entry, ResourceError> {
        do throws(ResourceError) { return .success(try Entry(line, key: key)) } catch { return .failure(error) }
    }

    private init(_ line: Span<UInt8>, key: borrowing SecretBytes) throws(ResourceError) {
        let record = try RecordView(line)
        let resource = record.resource
        name = resource.name.description
        dates = resource.token
        changed = [resource.updated, resource.token.added].compactMap { $0 }.max()
        isSentInTheClear = resource.urls.contains { $0.scheme == "http" && !$0.isLoopback }
        var digests: [[UInt8]] = []
        var (isShort, isWeak) = (false, false)
        record.forEachToken(in: line) { number, token in
            digests.append(BLAKE2b.hash(token, key: key, personalization: "vault/v1 doctor"))
            guard number == 0 else { return }
            isShort = token.count < TokenChecks.shortBelow
            isWeak = PassphraseStrength.bits(of: token, upTo: TokenChecks.weakBelow) < TokenChecks.weakBelow
        }
        digest = digests[0]
        earlier = Array(digests.dropFirst())
        self.isShort = isShort
        self.isWeak = isWeak
    }
}
