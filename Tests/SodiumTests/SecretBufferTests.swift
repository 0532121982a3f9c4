import Sodium
import TestSupport
import Testing

@Suite struct SecretBufferTests {
    private func content(_ buffer: borrowing SecretBuffer) -> [UInt8] {
        buffer.withBytes { bytes in bytes.withUnsafeBufferPointer { Array($0) } }
    }

    @Test(arguments: [0, 1, 2, 15, 16, 17, 4096, 10_000])
    func `A buffer holds what was appended, whatever it began with`(capacity: Int) {
        var buffer = SecretBuffer(capacity: capacity)
        #expect(buffer.count == 0)
        #expect(content(buffer).isEmpty)
        var expected: [UInt8] = []
        for size in [0, 1, 2, 3, 100, 0, 5000, 7] {
            let part = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 11 &+ size) }
            buffer.append(part.span)
            buffer.append("—;")
            expected += part + Array("—;".utf8)
            #expect(buffer.count == expected.count)
        }
        #expect(content(buffer).hex == expected.hex)
        #expect(buffer.finish().bytes.hex == expected.hex)
    }

    @Test func `What is finished is exactly as large as its content`() {
        var buffer = SecretBuffer(capacity: 100)
        buffer.append("abc")
        let secret = buffer.finish()
        #expect(secret.count == 3)
        #expect(secret.bytes == Array("abc".utf8))
        #expect(SecretBuffer().finish().bytes.isEmpty)
    }

    @Test func `Space is lent behind the content, and counts as far as it was filled`() {
        var buffer = SecretBuffer(capacity: 4)
        buffer.append("ab")
        buffer.withSpace(10) { space in
            #expect(space.count >= 10)
            for index in 0..<10 { space[index] = UInt8(ascii: "x") }
            return 3
        }
        #expect(content(buffer) == Array("abxxx".utf8))
        buffer.withSpace(0) { _ in 0 }
        buffer.append("c")
        #expect(content(buffer) == Array("abxxxc".utf8))
    }

    @Test func `An error while space is filled comes through, and nothing is added`() {
        struct Cancelled: Error {}
        var buffer = SecretBuffer(capacity: 1)
        buffer.append("ab")
        do {
            try buffer.withSpace(3) { (space) throws(Cancelled) in
                space[0] = 1
                throw Cancelled()
            }
            Issue.record("no error")
        } catch {}
        #expect(content(buffer) == Array("ab".utf8))
    }

    @Test(arguments: 0...5)
    func `What is dropped is wiped`(size: Int) {
        var buffer = SecretBuffer(capacity: 64)
        buffer.append("abcde")
        buffer.truncate(to: size)
        #expect(content(buffer) == Array("abcde".utf8.prefix(size)))
        // The same memory, lent again.
        buffer.withSpace(8) { space in
            for index in 0..<space.count { #expect(space[index] == 0) }
            return 0
        }
        buffer.append("z")
        #expect(content(buffer) == Array("abcde".utf8.prefix(size)) + Array("z".utf8))
    }

    @Test func `All that is removed is wiped, and the space stays`() {
        var buffer = SecretBuffer(capacity: 64)
        buffer.append("abcde")
        buffer.removeAll()
        #expect(buffer.count == 0)
        buffer.withSpace(1) { space in
            #expect(space.count == 64)
            for index in 0..<space.count { #expect(space[index] == 0) }
            return 0
        }
    }

    @Test(arguments: [6, -1])
    func `A size that the buffer does not have is a mistake`(size: Int) async {
        await #expect(processExitsWith: .failure) { [size] in
            var buffer = SecretBuffer()
            buffer.append("abcde")
            buffer.truncate(to: size)
        }
    }

    @Test func `Growing does not cost more the longer the buffer is`() {
        var buffer = SecretBuffer(capacity: 1)
        for _ in 0..<100_000 { buffer.append("0123456789") }
        #expect(buffer.count == 1_000_000)
    }
}
