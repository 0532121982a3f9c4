import Foundation
import Testing

@testable import vault

@Suite struct PassphraseStrengthTests {
    private func bits(_ text: String) -> Double { PassphraseStrength.bits(of: Array(text.utf8).span) }

    @Test(arguments: [
        "", "a", "password", "Passw0rd!", "P@$$w0rd123", "passwort1", "123456789012", "qwertyuiop", "QWERTZ123!",
        "asdfghjkl", "abcdefghijklmnop", "zyxwvutsrq", "1qaz2wsx3edc", "aaaaaaaaaaaaaaaaaaaaaaaa", "abcabcabcabcabcabc",
        "letmein2024", "Sommer2024!", "monkey1990", "dragon", "iloveyou", "trustno1", "correct horse", "Tr0ub4dor&3",
        "Julia1987Berlin", "supercalifragilistic", "ilovemydogverymuch", "correcthorsecorrecthorse",
        "horse horse horse horse horse", "hunter2hunter2hunter2", "changeme!", "Welcome1", "k7#Qp2x",
    ])
    func weakOnes(_ text: String) {
        #expect(bits(text) < PassphraseStrength.weakBelow, "\(bits(text))")
    }

    @Test(arguments: [
        "clamp rotor jigsaw mumble", "outlet-tavern-gravel-siren-mop", "correct horse battery staple",
        "reiseNebelKaktusTrompete", "kX9#vL2@qM7!zR4", "9fB2xQ7LmT4vWzK8", "Zr8vQm2LpXw6Nc", "hT5kQ9zB2mXw",
        "der blaue Tisch fliegt nach Norden", "8f14e45fceea167a5a36dedd4bea2543",
        "age1w9q5tr0f7zy3xk8mvh2n6jc4", "ünïcödé wörter sind nicht leicht zu raten",
    ])
    func strongOnes(_ text: String) {
        #expect(bits(text) >= PassphraseStrength.weakBelow, "\(bits(text))")
    }

    @Test func tokensOfRandomBytesAreWorthMostOfTheirBits() {
        // Like random ones, and the same each time.
        var state: UInt32 = 1
        for _ in 0..<100 {
            let bytes = (0..<24).map { _ -> UInt8 in
                state = state &* 1_664_525 &+ 1_013_904_223
                return UInt8(state >> 24)
            }
            let base64 = bits(Data(bytes).base64EncodedString())
            #expect(base64 > 96 && base64 < 192)
            let hexadecimal = bits(bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined())
            #expect(hexadecimal > 96 && hexadecimal < 216)
        }
    }

    @Test func patternsAreWorthLittleWhereverTheyStand() {
        let strong = "kX9#vL2@qM7!zR4"
        for pattern in ["password", "P4$$w0rd", "123456789", "qwertyuiop", "zzzzzzzzzzzz", "kX9#vL2@qM7!zR4"] {
            #expect(bits(strong + pattern) - bits(strong) < 14, "\(pattern)")
            #expect(bits(pattern + strong) - bits(strong) < 14, "\(pattern)")
        }
    }

    @Test func yearsAreWorthLessThanOtherDigits() {
        #expect(bits("clamp1987") < bits("clamp8719") - 5)
    }

    @Test func whatComesLateIsNotLookedAt() {
        let text = String((0..<1000).map { _ in Character(Unicode.Scalar(UInt8.random(in: 0x21...0x7e))) })
        #expect(bits(text) == bits(String(text.prefix(256))))
        #expect(bits(text) > bits(String(text.prefix(255))))
    }
}
