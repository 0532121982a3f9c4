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
