import Sodium
import TestSupport
import Testing

@Suite struct ChaCha20Poly1305Tests {
    static let key = [UInt8](0x80...0x9f)
    static let nonce: ChaCha20Poly1305.Nonce = [0x07, 0, 0, 0, 0x40, 0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47]

    // RFC 8439, 2.8.2. The RFC authenticates additional data, which age has none of and this API takes none of. The
    // ciphertext does not depend on it; the tag without it was computed with OpenSSL 3.0 (Python's `cryptography` 38),
    // which gives the RFC's tag when it gets the RFC's additional data.
    static let plaintext = Array(
        """
        Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.
        """.utf8)
    static let ciphertext = [UInt8](
        hex: """
            d31a8d34648e60db7b86afbc53ef7ec2 a4aded51296e08fea9e2b5a736ee62d6
            3dbea45e8ca9671282fafb69da92728b 1a71de0a9e060b2905d6a5b67ecd3b36
            92ddbd7f2d778b8c9803aee328091b58 fab324e4fad675945585808b4831d7bc
            3ff4def08e4b7a9de576d26586cec64b 6116
            """)
    static let tag = [UInt8](hex: "6a23a4681fd59456aea1d29f82477216")

    @Test func `The vector of RFC 8439 is encrypted and decrypted`() {
        #expect(Self.seal(Self.plaintext) == Self.ciphertext + Self.tag)
        #expect(Self.open(Self.ciphertext + Self.tag) == Self.plaintext)
    }

    @Test func `Nothing at all is sealed by its tag alone`() {
        // From the same OpenSSL.
        let sealed = [UInt8](hex: "a0784d7a4716f3feb4f64e7f4b39bf04")
        #expect(Self.seal([]) == sealed)
        #expect(Self.open(sealed) == [])
    }

    @Test func `Every changed bit of ciphertext and tag is noticed`() {
        let sealed = Self.ciphertext + Self.tag
        for bit in 0..<sealed.count * 8 {
            var changed = sealed
            changed[bit / 8] ^= 1 << (bit % 8)
            #expect(Self.open(changed) == nil, "bit \(bit)")
        }
    }

    @Test func `Another key and another nonce open nothing`() {
        var key = Self.key
        key[31] ^= 1
        var nonce = Self.nonce
        nonce[11] ^= 1
        #expect(Self.open(Self.ciphertext + Self.tag, key: key) == nil)
        #expect(Self.open(Self.ciphertext + Self.tag, nonce: nonce) == nil)
    }

    @Test(arguments: [1, 15, 16, 17, 63, 64, 65, 1 << 16])
    func `What was sealed is opened, at the edges of the cipher's blocks`(size: Int) {
        let plaintext = (0..<size).map { UInt8(truncatingIfNeeded: $0) }
        let isSame = Self.open(Self.seal(plaintext)) == plaintext
        #expect(isSame)
    }

    static func seal(_ plaintext: [UInt8]) -> [UInt8] {
        var sealed = [UInt8](repeating: 0, count: plaintext.count + ChaCha20Poly1305.tagSize)
        var output = sealed.mutableSpan
        ChaCha20Poly1305.seal(plaintext.span, nonce: nonce, key: SecretBytes(key), into: &output)
        return sealed
    }

    static func open(
        _ sealed: [UInt8], nonce: ChaCha20Poly1305.Nonce = nonce, key: [UInt8] = key
    ) -> [UInt8]? {
        var plaintext = [UInt8](repeating: 0, count: sealed.count - ChaCha20Poly1305.tagSize)
        var output = plaintext.mutableSpan
        let isGenuine = ChaCha20Poly1305.open(sealed.span, nonce: nonce, key: key.span, into: &output)
        return isGenuine ? plaintext : nil
    }
}
