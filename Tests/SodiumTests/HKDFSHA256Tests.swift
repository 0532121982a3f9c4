import Sodium
import TestSupport
import Testing

@Suite struct HKDFSHA256Tests {
    /// A test case of RFC 5869, appendix A.
    struct Vector: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let keyMaterial: [UInt8]
        let salt: [UInt8]
        let info: [UInt8]
        let key: String
    }

    @Test(arguments: [
        Vector(
            testDescription: "A.1", keyMaterial: [UInt8](repeating: 0x0b, count: 22), salt: [UInt8](0x00...0x0c),
            info: [UInt8](0xf0...0xf9),
            key: """
                3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf\
                34007208d5b887185865
                """),
        Vector(
            testDescription: "A.2", keyMaterial: [UInt8](0x00...0x4f), salt: [UInt8](0x60...0xaf),
            info: [UInt8](0xb0...0xff),
            key: """
                b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c\
                59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71\
                cc30c58179ec3e87c14c01d5c1f3434f1d87
                """),
        Vector(
            testDescription: "A.3", keyMaterial: [UInt8](repeating: 0x0b, count: 22), salt: [], info: [],
            key: """
                8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d\
                9d201395faa4b61a96c8
                """),
    ])
    func `The keys of RFC 5869 come out`(vector: Vector) {
        let key = HKDFSHA256.deriveKey(
            from: SecretBytes(vector.keyMaterial), salt: vector.salt.span, info: vector.info.span,
            count: vector.key.count / 2)
        #expect(key.bytes.hex == vector.key)
    }

    @Test func `The longest key is the one that Python computes`() throws {
        let script = """
            import hmac
            key, block, output = hmac.digest(bytes(32), bytes([1, 2, 3]), "sha256"), b"", b""
            for counter in range(1, 256):
                block = hmac.digest(key, block + b"info" + bytes([counter]), "sha256")
                output += block
            print(output.hex(), end="")
            """
        #expect(Self.key(count: 255 * 32).hex == (try Command.run("/usr/bin/python3", ["-c", script]).text))
    }

    @Test func `A shorter key is the beginning of a longer one`() {
        let longest = Self.key(count: 255 * 32)
        for count in [0, 1, 31, 32, 33, 64, 255 * 32 - 1] {
            #expect(Self.key(count: count).hex == Array(longest.prefix(count)).hex, "\(count) bytes")
        }
    }

    @Test func `More than the longest key is a mistake`() async {
        await #expect(processExitsWith: .failure) { _ = Self.key(count: 255 * 32 + 1) }
    }

    static func key(count: Int) -> [UInt8] {
        HKDFSHA256.deriveKey(
            from: SecretBytes([1, 2, 3]), salt: [UInt8]().span, info: Array("info".utf8).span, count: count
        ).bytes
    }
}
