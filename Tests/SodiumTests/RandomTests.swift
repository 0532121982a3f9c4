import Sodium
import TestSupport
import Testing

@Suite struct RandomTests {
    @Test(arguments: [0, 1, 16, 1000]) func `There are as many bytes as were asked for`(count: Int) {
        #expect(Random.bytes(count).count == count)
        #expect(SecretBytes.random(count: count).count == count)
    }

    @Test func `No two are alike`() {
        #expect(Set((0..<1000).map { _ in Random.bytes(16) }).count == 1000)
        #expect(Set((0..<100).map { _ in SecretBytes.random(count: 16).bytes }).count == 100)
    }

    @Test func `Every byte is written`() {
        // A byte that is zero in each of 20 draws was left out (or is bad luck, once in 2^160 / 64).
        var seen = [UInt8](repeating: 0, count: 64)
        for _ in 0..<20 {
            for (index, byte) in SecretBytes.random(count: 64).bytes.enumerated() { seen[index] |= byte }
        }
        #expect(!seen.contains(0))
    }
}
