internal import Sodium

/// A BLAKE2b-256 hash, 32 bytes. What it is of is part of how it is computed, so that one kind never passes as another.
struct Hash: Hashable, Comparable, Sendable, CustomStringConvertible {
    let bytes: [UInt8]

    static func block(_ plaintext: Span<UInt8>) -> Hash {
        Hash(bytes: BLAKE2b.hash(plaintext, personalization: "vault/v1 block"))
    }

    /// Of a record's line: never stored, only to tell two versions of it apart.
    static func record(_ line: Span<UInt8>) -> Hash {
        Hash(bytes: BLAKE2b.hash(line, personalization: "vault/v1 record"))
    }

    static func index(_ line: Span<UInt8>) -> Hash {
        Hash(bytes: BLAKE2b.hash(line, personalization: "vault/v1 index"))
    }

    static func roster(_ text: String) -> Hash {
        Hash(bytes: BLAKE2b.hash(Array(text.utf8).span, personalization: "vault/v1 roster"))
    }

    static func manifest(_ text: String) -> Hash {
        Hash(bytes: BLAKE2b.hash(Array(text.utf8).span, personalization: "vault/v1 manif"))
    }

    init(bytes: [UInt8]) { self.bytes = bytes }

    /// The hash that `text`, canonical base64, stands for.
    init?(_ text: some StringProtocol) {
        guard let bytes = Base64.decode(Array(text.utf8)), bytes.count == BLAKE2b.hashSize else { return nil }
        self.bytes = bytes
    }

    /// In base64, as the file has it.
    var description: String { String(decoding: Base64.encode(bytes.span), as: UTF8.self) }

    /// In the order of the bytes, which is not that of the base64.
    static func < (left: Hash, right: Hash) -> Bool { left.bytes.lexicographicallyPrecedes(right.bytes) }
}

extension Hash {
    /// The bytes that canonical base64 stands for.
    static func decodeBase64(_ text: some StringProtocol) -> [UInt8]? { Base64.decode(Array(text.utf8)) }

    /// Bytes in base64.
    static func encodeBase64(_ bytes: [UInt8]) -> String { String(decoding: Base64.encode(bytes.span), as: UTF8.self) }
}
