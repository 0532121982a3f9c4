import TestSupport
import Testing

@Suite struct TestkitVectorTests {
    @Test func `The keys are read, and the age file behind them`() throws {
        let vector = try TestkitVector(
            Array(
                """
                expect: payload failure
                payload: 00ff
                file key: 59
                identity: AGE-SECRET-KEY-1A
                identity: AGE-SECRET-KEY-1B
                passphrase: one: two
                armored: yes
                comment: anything

                expect: no more keys

                \0
                """.utf8))
        #expect(vector.expected == .payload)
        #expect(vector.payload == "00ff")
        #expect(vector.fileKey == "59")
        #expect(vector.identities == ["AGE-SECRET-KEY-1A", "AGE-SECRET-KEY-1B"])
        #expect(vector.passphrases == ["one: two"])
        #expect(vector.isArmored)
        #expect(vector.file == Array("expect: no more keys\n\n\0".utf8))
    }

    @Test func `A compressed file is inflated`() throws {
        let script = "import sys, zlib; sys.stdout.buffer.write(zlib.compress(sys.stdin.buffer.read()))"
        let deflated = try Command.run("/usr/bin/python3", ["-c", script], input: pattern(100_000)).stdout
        let vector = try TestkitVector(Array("expect: success\ncompressed: zlib\n\n".utf8) + deflated)
        let isSame = vector.file == pattern(100_000)
        #expect(isSame)
    }

    @Test(arguments: [
        "", "expect: success\n", "A file about the vectors: none of them.\n\nText.\n", "payload: 00\n\n",
        "expect success\n\n", "expect: success\nnew key: 1\n\n", "expect: another failure\n\n",
        "expect: success\ncompressed: brotli\n\n", "expect: success\narmored: perhaps\n\n",
    ])
    func `What cannot be judged is skipped`(text: String) {
        #expect(throws: TestkitVector.Skipped.self) { _ = try TestkitVector(Array(text.utf8)) }
    }
}
