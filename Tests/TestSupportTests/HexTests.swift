import TestSupport
import Testing

@Suite struct HexTests {
    @Test func `Digits stand for bytes, in both directions`() {
        #expect([UInt8](hex: "00 1f\nA0ff") == [0, 0x1f, 0xa0, 0xff])
        #expect([0, 0x1f, 0xa0, 0xff].hex == "001fa0ff")
        #expect([UInt8](hex: "") == [])
    }

    @Test func `A slip of the pen in a test ends it`() async {
        await #expect(processExitsWith: .failure) { _ = [UInt8](hex: "0") }
        await #expect(processExitsWith: .failure) { _ = [UInt8](hex: "0g") }
    }
}
