import Sodium
import Testing

@Suite struct HexadecimalTests {
    @Test func `Each byte has two digits in lower case`() {
        #expect(Hexadecimal.encode([0, 1, 0x0f, 0x10, 0xab, 0xff]) == "00010f10abff")
        #expect(Hexadecimal.encode([]).isEmpty)
    }
}
