import Sodium
import TestSupport
import Testing

@Suite struct Ed25519Tests {
    /// A test of RFC 8032, section 7.1.
    struct Vector: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let seed: [UInt8]
        let publicKey: [UInt8]
        let message: [UInt8]
        let signature: [UInt8]
    }

    static let vectors = [
        Vector(
            testDescription: "TEST 1",
            seed: [UInt8](hex: "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"),
            publicKey: [UInt8](hex: "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"), message: [],
            signature: [UInt8](
                hex: """
                    e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155
                    5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b
                    """)),
        Vector(
            testDescription: "TEST 2",
            seed: [UInt8](hex: "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"),
            publicKey: [UInt8](hex: "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"),
            message: [0x72],
            signature: [UInt8](
                hex: """
                    92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da
                    085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00
                    """)),
        Vector(
            testDescription: "TEST 3",
            seed: [UInt8](hex: "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7"),
            publicKey: [UInt8](hex: "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025"),
            message: [0xaf, 0x82],
            signature: [UInt8](
                hex: """
                    6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac
                    18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a
                    """)),
    ]

    @Test(arguments: vectors) func `Keys and signatures of RFC 8032 come out`(vector: Vector) {
        let key = Ed25519.SigningKey(seed: SecretBytes(vector.seed))
        #expect(key.publicKey == vector.publicKey)
        #expect(key.signature(for: vector.message.span) == vector.signature)
    }

    @Test(arguments: vectors) func `A signature is valid for its message and key only`(vector: Vector) {
        #expect(Self.isValid(vector.signature, vector.message, vector.publicKey))
        #expect(!Self.isValid(vector.signature, vector.message + [0], vector.publicKey))
        for other in Self.vectors where other.testDescription != vector.testDescription {
            #expect(!Self.isValid(vector.signature, other.message, vector.publicKey))
            #expect(!Self.isValid(vector.signature, vector.message, other.publicKey))
            #expect(!Self.isValid(other.signature, vector.message, vector.publicKey))
        }
    }

    @Test(arguments: vectors) func `Every changed bit of a signature and of a key is noticed`(vector: Vector) {
        for bit in 0..<Ed25519.signatureSize * 8 {
            var signature = vector.signature
            signature[bit / 8] ^= 1 << (bit % 8)
            #expect(!Self.isValid(signature, vector.message, vector.publicKey), "bit \(bit) of the signature")
        }
        for bit in 0..<Ed25519.publicKeySize * 8 {
            var publicKey = vector.publicKey
            publicKey[bit / 8] ^= 1 << (bit % 8)
            #expect(!Self.isValid(vector.signature, vector.message, publicKey), "bit \(bit) of the key")
        }
    }

    @Test func `A second signature cannot be made of a first`() {
        // S + L, with L the order of the group, solves the same equation; RFC 8032, 5.1.7 wants S below L.
        let vector = Self.vectors[1]
        let order = [UInt8](hex: "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010")
        var signature = vector.signature
        var carry = 0
        for index in 0..<32 {
            let sum = Int(signature[32 + index]) + Int(order[index]) + carry
            signature[32 + index] = UInt8(sum & 0xff)
            carry = sum >> 8
        }
        #expect(carry == 0)
        #expect(!Self.isValid(signature, vector.message, vector.publicKey))
    }

    @Test(arguments: [
        "0100000000000000000000000000000000000000000000000000000000000000",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "0000000000000000000000000000000000000000000000000000000000000000",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    ])
    func `A key of small order verifies nothing`(publicKey: String) {
        // R = the identity and S = 0 would be a signature of every message for the first of them, and of some messages
        // for each of the others.
        let signature = [1] + [UInt8](repeating: 0, count: 63)
        for message in 0..<64 {
            #expect(!Self.isValid(signature, [UInt8(message)], [UInt8](hex: publicKey)))
        }
    }

    @Test func `Signatures and keys of another size are not valid`() {
        let vector = Self.vectors[0]
        #expect(!Self.isValid(Array(vector.signature.dropLast()), vector.message, vector.publicKey))
        #expect(!Self.isValid(vector.signature + [0], vector.message, vector.publicKey))
        #expect(!Self.isValid([], vector.message, vector.publicKey))
        #expect(!Self.isValid(vector.signature, vector.message, Array(vector.publicKey.dropLast())))
        #expect(!Self.isValid(vector.signature, vector.message, vector.publicKey + [0]))
        #expect(!Self.isValid(vector.signature, vector.message, []))
    }

    static func isValid(_ signature: [UInt8], _ message: [UInt8], _ publicKey: [UInt8]) -> Bool {
        Ed25519.isValid(signature.span, for: message.span, publicKey: publicKey.span)
    }
}
