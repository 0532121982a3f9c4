import CSodium
import TestSupport
import Testing

/// A vector of the age test kit (C2SP/CCTV, age/testdata): lines `key: value`, an empty line, and an age file.
struct TestkitVector {
    /// Why a vector says nothing about this library.
    struct Skipped: Error {
        let reason: String
    }

    let expected: Outcome
    /// The SHA-256 of all plaintext that is released, also before a failure.
    private(set) var payload: String?
    private(set) var fileKey: String?
    private(set) var identities: [String] = []
    private(set) var passphrases: [String] = []
    private(set) var isArmored = false
    let file: [UInt8]

    init(_ bytes: [UInt8]) throws {
        var rest = bytes[...]
        var expected: String?
        var isCompressed = false
        var unknown: String?
        while true {
            guard let end = rest.firstIndex(of: UInt8(ascii: "\n")) else { throw Skipped(reason: "not a vector") }
            let line = String(decoding: rest[..<end], as: UTF8.self)
            rest = rest[(end + 1)...]
            if line.isEmpty { break }
            guard let colon = line.firstRange(of: ": ") else { throw Skipped(reason: "not a vector") }
            let value = String(line[colon.upperBound...])
            switch (line[..<colon.lowerBound], value) {
            case ("expect", _): expected = value
            case ("payload", _): payload = value
            case ("file key", _): fileKey = value
            case ("identity", _): identities.append(value)
            case ("passphrase", _): passphrases.append(value)
            case ("armored", "yes"): isArmored = true
            case ("compressed", "zlib"): isCompressed = true
            case ("comment", _): break
            default: unknown = line
            }
        }
        guard let expected else { throw Skipped(reason: "not a vector") }
        if let unknown { throw Skipped(reason: "unknown: \(unknown)") }
        guard let outcome = Outcome(rawValue: expected) else { throw Skipped(reason: "unknown: expect: \(expected)") }
        self.expected = outcome
        file = isCompressed ? try Self.inflate(Array(rest)) : Array(rest)
    }

    private static func inflate(_ bytes: [UInt8]) throws -> [UInt8] {
        let script = "import sys, zlib; sys.stdout.buffer.write(zlib.decompress(sys.stdin.buffer.read()))"
        let output = try Command.run("/usr/bin/python3", ["-c", script], input: bytes)
        try #require(output.status == 0, "\(output.errorText)")
        return output.stdout
    }
}

/// The SHA-256 of `bytes`, in hexadecimal digits.
func sha256(_ bytes: [UInt8]) -> String {
    var hash = [UInt8](repeating: 0, count: Int(crypto_hash_sha256_BYTES))
    crypto_hash_sha256(&hash, bytes, UInt64(bytes.count))
    return hash.hex
}
