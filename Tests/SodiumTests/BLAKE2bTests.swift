import Sodium
import TestSupport
import Testing

// RFC 7693 has a vector for 64 bytes of output only, and personalisation in no vector at all: Python's hashlib, which
// brings BLAKE2's reference code and not libsodium, is asked instead.
@Suite struct BLAKE2bTests {
    /// Around the size of a block (128 bytes), and a data block of a vault.
    static let sizes = [0, 1, 63, 64, 127, 128, 129, 255, 256, 257, 1000, 1 << 16]

    @Test(arguments: sizes) func `The hash is the one that Python computes`(size: Int) throws {
        let message = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ $0 >> 8) }
        #expect(BLAKE2b.hash(message.span, personalization: "").hex == (try Self.pythonHash(message, "")))
        #expect(
            BLAKE2b.hash(message.span, personalization: "vault/v1 block").hex
                == (try Self.pythonHash(message, "vault/v1 block")))
        #expect(
            BLAKE2b.hash(message.span, personalization: "sixteen bytes ok").hex
                == (try Self.pythonHash(message, "sixteen bytes ok")))
    }

    @Test func `Without personalisation it is plain BLAKE2b-256`() {
        // What `b2sum -l 256 /dev/null` prints.
        #expect(
            BLAKE2b.hash([UInt8]().span, personalization: "").hex
                == "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8")
    }

    @Test func `Personalisation separates`() {
        let message = Array("one message".utf8)
        let hashes = [
            BLAKE2b.hash(message.span, personalization: ""), BLAKE2b.hash(message.span, personalization: "a"),
            BLAKE2b.hash(message.span, personalization: "b"), BLAKE2b.hash(message.span, personalization: "ab"),
        ]
        #expect(Set(hashes).count == hashes.count)
    }

    @Test(arguments: sizes) func `The hash under a key is the one that Python computes`(size: Int) throws {
        let message = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ $0 >> 8) }
        let bytes = Array(UInt8(0)..<32)
        let hash = BLAKE2b.hash(message.span, key: SecretBytes(copying: bytes.span), personalization: "keyed")
        #expect(hash.hex == (try Self.pythonHash(message, "keyed", key: bytes)))
        #expect(hash != BLAKE2b.hash(message.span, personalization: "keyed"))
    }

    @Test func `Personalisation of more than 16 bytes is a mistake`() async {
        await #expect(processExitsWith: .failure) {
            _ = BLAKE2b.hash([UInt8]().span, personalization: "seventeen bytes !")
        }
    }

    static func pythonHash(_ message: [UInt8], _ personalization: String, key: [UInt8] = []) throws -> String {
        let script = """
            import hashlib, sys
            message = sys.stdin.buffer.read()
            key = bytes.fromhex(sys.argv[2])
            print(hashlib.blake2b(message, digest_size=32, key=key, person=sys.argv[1].encode()).hexdigest(), end="")
            """
        return try Command.run("/usr/bin/python3", ["-c", script, personalization, key.hex], input: message).text
    }
}
