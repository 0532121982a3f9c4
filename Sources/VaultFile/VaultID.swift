internal import Age
internal import Sodium

/// What a vault is called everywhere: `vault1…`, a hash of its root key and a nonce. Who knows the id knows the root key.
public struct VaultID: Hashable, Sendable, CustomStringConvertible {
    private static let prefix: StaticString = "vault"
    private let bytes: [UInt8]

    init(root: VerificationKey, nonce: [UInt8]) {
        bytes = BLAKE2b.hash((root.bytes + nonce).span, personalization: "vault/v1 id")
    }

    /// The id that `text` stands for, or nil when it stands for none.
    public init?(_ text: some StringProtocol) {
        var bytes = [UInt8](repeating: 0, count: BLAKE2b.hashSize)
        var output = bytes.mutableSpan
        guard Bech32.decode(Array(text.utf8).span, prefix: Self.prefix, into: &output) else { return nil }
        self.bytes = bytes
    }

    /// `vault1…`
    public var description: String { Bech32.encode(bytes.span, prefix: Self.prefix) }
}

/// An id that a reader trusts, and the roster version below which the reader refuses: `vault1…` or `vault1…:N`.
public struct Pin: Hashable, Sendable, CustomStringConvertible {
    /// The vault.
    public let id: VaultID
    /// 1, or the version behind the colon.
    public let minimumRosterVersion: Int

    /// A pin on `id`.
    public init(id: VaultID, minimumRosterVersion: Int = 1) {
        self.id = id
        self.minimumRosterVersion = minimumRosterVersion
    }

    /// The pin that `text` stands for, or nil when it stands for none.
    public init?(_ text: some StringProtocol) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), let id = VaultID(parts[0]) else { return nil }
        var version = 1
        if parts.count == 2 {
            guard let number = Number.parse(parts[1]) else { return nil }
            version = number
        }
        self.init(id: id, minimumRosterVersion: version)
    }

    /// `vault1…` or `vault1…:N`.
    public var description: String { minimumRosterVersion == 1 ? "\(id)" : "\(id):\(minimumRosterVersion)" }
}

/// The numbers of the format: decimal, without a leading zero, from 1 to 2^53 - 1.
enum Number {
    static let maximum = (1 << 53) - 1

    static func parse(_ text: some StringProtocol) -> Int? {
        guard let first = text.utf8.first, first != UInt8(ascii: "0"), text.utf8.count <= 16,
            text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
            let number = Int(text), number <= maximum
        else { return nil }
        return number
    }
}
