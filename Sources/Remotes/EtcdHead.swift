internal import Sodium
internal import VaultFile

/// What stands under a vault's head in etcd: the newest version, and those before it whose parts are kept.
struct EtcdHead: Equatable {
    /// One version, whose parts stand under its key.
    struct Version: Equatable {
        /// The hash of the manifest in base64.
        let manifest: String
        /// The same in 64 hexadecimal digits.
        let key: String
        /// The size of the vault file.
        let byteCount: Int
        /// How many parts it is in.
        let parts: Int
    }

    /// How many versions are kept, the newest among them: a reader that is slow still finds what it began to read.
    static let kept = 3
    /// The size of all parts but the last. etcd refuses requests of more than 1.5 MiB, unless it is set up otherwise.
    static let partSize = 1 << 20
    /// The most parts of a version: their existence is compared in one transaction, and etcd takes 128 operations.
    static let maximumParts = 100

    /// The name of the only member.
    private static let name: StaticString = "vault/v1 head"

    /// From the newest one, at least one and at most ``kept``.
    let versions: [Version]

    /// The newest version.
    var newest: Version { versions[0] }

    init(versions: [Version]) {
        precondition(!versions.isEmpty)
        self.versions = versions
    }

    /// Reads what nobody has checked.
    init(parsing bytes: Span<UInt8>) throws(JSONError) {
        var versions: [Version]?
        var cursor = JSONCursor()
        cursor.skipWhitespace(bytes)
        try cursor.readObject(bytes) { (name, cursor) throws(JSONError) in
            guard name.equals(Self.name, in: bytes) else {
                try cursor.readValue(bytes)
                return
            }
            var read: [Version] = []
            try cursor.readArray(bytes) { (cursor) throws(JSONError) in
                guard read.count < Self.kept else { throw JSONError("too many versions", at: cursor.position) }
                read.append(try Self.readVersion(bytes, &cursor))
            }
            versions = read
        }
        try cursor.readEnd(bytes)
        guard let versions, !versions.isEmpty else { throw JSONError("no version", at: 0) }
        self.versions = versions
    }

    private static func readVersion(_ bytes: Span<UInt8>, _ cursor: inout JSONCursor) throws(JSONError) -> Version {
        let start = cursor.position
        var manifest: String?
        var key: String?
        var byteCount: Int?
        var parts: Int?
        try cursor.readObject(bytes) { (name, cursor) throws(JSONError) in
            if name.equals("manifest", in: bytes) {
                manifest = try cursor.readString(bytes).text(in: bytes)
            } else if name.equals("key", in: bytes) {
                key = try cursor.readString(bytes).text(in: bytes)
            } else if name.equals("byteCount", in: bytes) {
                byteCount = try EtcdNumber.read(bytes, &cursor)
            } else if name.equals("parts", in: bytes) {
                parts = try EtcdNumber.read(bytes, &cursor)
            } else {
                try cursor.readValue(bytes)
            }
        }
        guard let manifest, isManifest(manifest), let key, isKey(key), let byteCount, let parts,
            (1...StoreLimits.maximumByteCount).contains(byteCount), (1...maximumParts).contains(parts)
        else { throw JSONError("a version that is none", at: start) }
        return Version(manifest: manifest, key: key, byteCount: byteCount, parts: parts)
    }

    /// Whether it can be a hash in hexadecimal digits, in lower case.
    static func isKey(_ text: String) -> Bool {
        text.utf8.count == 2 * BLAKE2b.hashSize
            && text.utf8.allSatisfy {
                (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
                    || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains($0)
            }
    }

    /// Whether it can be a hash in base64.
    static func isManifest(_ text: String) -> Bool { Base64.decode(Array(text.utf8))?.count == BLAKE2b.hashSize }

    /// As it stands in etcd.
    var bytes: [UInt8] {
        let versions = versions.map { version in
            """
            {"manifest":"\(version.manifest)","key":"\(version.key)","byteCount":\(version.byteCount),\
            "parts":\(version.parts)}
            """
        }
        return Array("{\"\(Self.name)\":[\(versions.joined(separator: ","))]}".utf8)
    }
}

/// Whole numbers of JSON that are not negative.
enum EtcdNumber {
    /// Reads a number.
    static func read(_ bytes: Span<UInt8>, _ cursor: inout JSONCursor) throws(JSONError) -> Int {
        let range = try cursor.readValue(bytes)
        guard let number = parse(bytes.extracting(range).text) else {
            throw JSONError("a number that is none, or too large", at: range.lowerBound)
        }
        return number
    }

    /// Reads a number of 64 bits, which etcd's gateway writes as a string.
    static func readText(_ bytes: Span<UInt8>, _ cursor: inout JSONCursor) throws(JSONError) -> Int {
        let text = try cursor.readString(bytes)
        guard let number = parse(text.text(in: bytes)) else {
            throw JSONError("a number that is none, or too large", at: text.range.lowerBound)
        }
        return number
    }

    /// The number in its only spelling.
    static func parse(_ text: String) -> Int? {
        guard let number = Int(text), number >= 0, String(number) == text else { return nil }
        return number
    }
}
