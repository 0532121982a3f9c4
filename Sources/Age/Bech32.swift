public import Sodium

/// Bech32 (BIP 173, without its limit of 90 characters): how age and vault write keys.
///
/// Works on bytes and keeps no copy, since what it reads may be a secret.
public enum Bech32 {
    private static let alphabet: StaticString = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
    private static let checksumCount = 6

    /// For each ASCII character its place in the alphabet, or 255.
    private static let values: [UInt8] = {
        var values = [UInt8](repeating: 255, count: 128)
        for value in 0..<32 { values[Int(alphabet.byte(at: value))] = UInt8(value) }
        return values
    }()

    /// `bytes` under `prefix`, in lower case.
    public static func encode(_ bytes: Span<UInt8>, prefix: StaticString) -> String {
        var text = [UInt8](repeating: 0, count: encodedCount(bytes.count, prefix: prefix))
        var output = text.mutableSpan
        encode(bytes, prefix: prefix, uppercase: false, into: &output)
        return String(decoding: text, as: UTF8.self)
    }

    /// The secret `bytes` under `prefix`, in upper case.
    public static func encodeSecret(_ bytes: Span<UInt8>, prefix: StaticString) -> SecretBytes {
        SecretBytes(count: encodedCount(bytes.count, prefix: prefix)) { output in
            encode(bytes, prefix: prefix, uppercase: true, into: &output)
        }
    }

    /// The size in bytes of what ``encode(_:prefix:)`` makes of `count` bytes.
    public static func encodedCount(_ count: Int, prefix: StaticString) -> Int {
        prefix.utf8CodeUnitCount + 1 + (count * 8 + 4) / 5 + checksumCount
    }

    /// Reads what stands for exactly `output.count` bytes.
    ///
    /// - Parameters:
    ///   - text: The whole text, in the case of `prefix`.
    ///   - prefix: The prefix that is expected, in lower or in upper case.
    ///   - output: Where the bytes go; of no use when false is returned.
    /// - Returns: Whether `text` is the encoding of that many bytes under that prefix, with zero bits of padding.
    public static func decode(_ text: Span<UInt8>, prefix: StaticString, into output: inout MutableSpan<UInt8>) -> Bool
    {
        let head = prefix.utf8CodeUnitCount
        guard text.count == encodedCount(output.count, prefix: prefix), text[head] == UInt8(ascii: "1") else {
            return false
        }
        let isUppercase = prefix.hasUppercase
        var checksum = Checksum(prefix: prefix)
        for index in 0..<head where text[index] != prefix.byte(at: index) { return false }
        var buffer: UInt32 = 0
        var bits = 0
        var filled = 0
        for index in (head + 1)..<text.count {
            guard let value = value(of: text[index], uppercase: isUppercase) else { return false }
            checksum.absorb(value)
            if index >= text.count - checksumCount { continue }
            buffer = buffer << 5 | UInt32(value)
            bits += 5
            if bits >= 8 {
                bits -= 8
                output[filled] = UInt8(truncatingIfNeeded: buffer >> UInt32(bits))
                filled += 1
            }
        }
        return checksum.state == 1 && filled == output.count && buffer & (1 << UInt32(bits) - 1) == 0
    }

    private static func encode(
        _ bytes: Span<UInt8>, prefix: StaticString, uppercase: Bool, into output: inout MutableSpan<UInt8>
    ) {
        var checksum = Checksum(prefix: prefix)
        var position = 0
        func put(_ value: UInt8, _ output: inout MutableSpan<UInt8>) {
            let character = alphabet.byte(at: Int(value))
            output[position] = uppercase && character >= UInt8(ascii: "a") ? character ^ 0x20 : character
            position += 1
        }
        for index in 0..<prefix.utf8CodeUnitCount {
            output[position] = prefix.byte(at: index)
            position += 1
        }
        output[position] = UInt8(ascii: "1")
        position += 1
        var buffer: UInt32 = 0
        var bits = 0
        for index in bytes.indices {
            buffer = buffer << 8 | UInt32(bytes[index])
            bits += 8
            while bits >= 5 {
                bits -= 5
                let value = UInt8(truncatingIfNeeded: buffer >> UInt32(bits)) & 31
                checksum.absorb(value)
                put(value, &output)
            }
        }
        if bits > 0 {
            let value = UInt8(truncatingIfNeeded: buffer << UInt32(5 - bits)) & 31
            checksum.absorb(value)
            put(value, &output)
        }
        for _ in 0..<checksumCount { checksum.absorb(0) }
        let sum = checksum.state ^ 1
        for index in 0..<checksumCount {
            put(UInt8(truncatingIfNeeded: sum >> UInt32(5 * (checksumCount - 1 - index))) & 31, &output)
        }
    }

    private static func value(of character: UInt8, uppercase: Bool) -> UInt8? {
        let wrongCase = uppercase ? UInt8(ascii: "a")...UInt8(ascii: "z") : UInt8(ascii: "A")...UInt8(ascii: "Z")
        if wrongCase.contains(character) { return nil }
        let lowered = character >= UInt8(ascii: "A") && character <= UInt8(ascii: "Z") ? character | 0x20 : character
        guard lowered < 128, case let value = values[Int(lowered)], value < 32 else { return nil }
        return value
    }

    /// BIP 173's checksum, which covers the prefix in lower case.
    private struct Checksum {
        private(set) var state: UInt32 = 1

        init(prefix: StaticString) {
            let count = prefix.utf8CodeUnitCount
            for index in 0..<count { absorb((prefix.byte(at: index) | 0x20) >> 5) }
            absorb(0)
            for index in 0..<count { absorb((prefix.byte(at: index) | 0x20) & 31) }
        }

        mutating func absorb(_ value: UInt8) {
            let top = state >> 25
            state = (state & 0x1ff_ffff) << 5 ^ UInt32(value)
            for (bit, generator) in [0x3b6a_57b2, 0x2650_8e6d, 0x1ea1_19fa, 0x3d42_33dd, 0x2a14_62b3].enumerated()
            where top >> UInt32(bit) & 1 == 1 { state ^= UInt32(generator) }
        }
    }
}

extension StaticString {
    fileprivate func byte(at index: Int) -> UInt8 { unsafe utf8Start[index] }

    fileprivate var hasUppercase: Bool {
        (0..<utf8CodeUnitCount).contains { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte(at: $0)) }
    }
}
