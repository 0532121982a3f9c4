import Sodium
import TestSupport
import Testing

@Suite struct HMACSHA256Tests {
    /// A test case of RFC 4231, section 4.
    struct Vector: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let key: [UInt8]
        let message: [UInt8]
        /// What is shown of the code: in one case only its beginning.
        let code: String
    }

    static let vectors = [
        Vector(
            testDescription: "4.2", key: [UInt8](repeating: 0x0b, count: 20), message: Array("Hi There".utf8),
            code: "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
        Vector(
            testDescription: "4.3, a key shorter than the code", key: Array("Jefe".utf8),
            message: Array("what do ya want for nothing?".utf8),
            code: "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
        Vector(
            testDescription: "4.4", key: [UInt8](repeating: 0xaa, count: 20),
            message: [UInt8](repeating: 0xdd, count: 50),
            code: "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"),
        Vector(
            testDescription: "4.5", key: [UInt8](0x01...0x19), message: [UInt8](repeating: 0xcd, count: 50),
            code: "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"),
        Vector(
            testDescription: "4.6, cut to 128 bits", key: [UInt8](repeating: 0x0c, count: 20),
            message: Array("Test With Truncation".utf8), code: "a3b6167473100ee06e0c796c2955552b"),
        Vector(
            testDescription: "4.7, a key longer than a block", key: [UInt8](repeating: 0xaa, count: 131),
            message: Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8),
            code: "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"),
        Vector(
            testDescription: "4.8, key and message longer than a block", key: [UInt8](repeating: 0xaa, count: 131),
            message: Array(
                """
                This is a test using a larger than block-size key and a larger than block-size data. The key needs to \
                be hashed before being used by the HMAC algorithm.
                """.utf8),
            code: "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"),
    ]

    @Test(arguments: vectors) func `The codes of RFC 4231 come out`(vector: Vector) {
        let code = HMACSHA256.authenticationCode(for: vector.message.span, key: vector.key.span)
        #expect(code.count == HMACSHA256.codeSize)
        #expect(code.hex.hasPrefix(vector.code))
    }

    @Test(arguments: vectors) func `A code is valid for its message and key only`(vector: Vector) {
        let message = vector.message
        let code = HMACSHA256.authenticationCode(for: message.span, key: vector.key.span)
        #expect(Self.isValid(code, message, vector.key))
        #expect(!Self.isValid(code, message + [0], vector.key))
        #expect(!Self.isValid(code, Array(message.dropLast()), vector.key))
        #expect(!Self.isValid(code, message, vector.key + [1]))
        for bit in 0..<256 {
            var changed = code
            changed[bit / 8] ^= 1 << (bit % 8)
            #expect(!Self.isValid(changed, message, vector.key), "bit \(bit)")
        }
    }

    @Test func `A code of another size is not valid`() {
        let code = HMACSHA256.authenticationCode(for: [1].span, key: [2].span)
        // Behind the 31 bytes stands the right one.
        let isValid = HMACSHA256.isValid(code.span.extracting(first: 31), for: [1].span, key: [2].span)
        #expect(!isValid)
        #expect(!Self.isValid(code + [0], [1], [2]))
        #expect(!Self.isValid([], [1], [2]))
    }

    static func isValid(_ code: [UInt8], _ message: [UInt8], _ key: [UInt8]) -> Bool {
        HMACSHA256.isValid(code.span, for: message.span, key: key.span)
    }
}
