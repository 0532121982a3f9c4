import Glibc
import Sodium
import TestSupport
import Testing

@Suite struct SecretBytesTests {
    @Test(arguments: [0, 1, 15, 16, 17, 32, 4095, 4096, 4097, 1 << 16])
    func `A secret holds what was put in, whatever its size`(count: Int) {
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 5 &+ 1) }
        let secret = SecretBytes(copying: bytes.span)
        #expect(secret.count == count)
        #expect(secret.bytes.hex == bytes.hex)
        #expect(SecretBytes(zeros: count).bytes.allSatisfy { $0 == 0 })
    }

    @Test func `A secret can be filled and changed in place`() {
        var secret = SecretBytes(count: 3) { $0[0] = 7 }
        #expect(secret.bytes == [7, 0, 0])
        secret.withMutableBytes { $0[2] = 9 }
        #expect(secret.bytes == [7, 0, 9])
    }

    @Test func `An error while a secret is filled comes through`() {
        struct Cancelled: Error {}
        #expect(throws: Cancelled.self) {
            _ = try SecretBytes(count: 8) { (bytes) throws(Cancelled) in
                bytes[0] = 1
                throw Cancelled()
            }
        }
    }

    @Test func `Only the same bytes are equal`() {
        func areEqual(_ first: [UInt8], _ second: [UInt8]) -> Bool {
            SecretBytes(first).isEqual(to: SecretBytes(second))
        }
        #expect(areEqual([1, 2, 3], [1, 2, 3]))
        #expect(!areEqual([1, 2, 3], [0, 2, 3]))
        #expect(!areEqual([1, 2, 3], [1, 2, 4]))
        #expect(!areEqual([1, 2, 3], [1, 2]))
        #expect(!areEqual([1, 2, 3], [1, 2, 3, 0]))
        #expect(!areEqual([1, 2, 3], []))
        #expect(areEqual([], []))
    }

    @Test func `What holds a secret prints nothing of it`() {
        final class Holder: Sendable {
            let secret: SecretBytes
            init(_ text: String) { secret = SecretBytes(Array(text.utf8)) }
        }
        let holder = Holder("top secret")
        var dumped = ""
        dump(holder, to: &dumped)
        for text in ["\(holder)", String(describing: holder), String(reflecting: holder), dumped] {
            #expect(!text.contains("top secret"))
            #expect(!text.contains(String(Array("top".utf8).hex)))
            // Nor the address, which is half of the way to it.
            #expect(!text.contains("0x"))
        }
    }

    // MARK: Guards

    // The processes below die with SIGSEGV, which shows that the byte could not be touched. That it is not the secret
    // which is gone too early is what `use` is for.

    @Test func `Reading past the end dies`() async {
        await #expect(processExitsWith: .signal(SIGSEGV)) {
            let secret = SecretBytes([UInt8](repeating: 1, count: 100))
            let past = secret.withBytes { bytes in bytes.withUnsafeBufferPointer { $0.baseAddress.map { $0 + 100 } } }
            use(try #require(past).pointee)
            use(secret.count)
        }
    }

    @Test func `Writing past the end dies`() async {
        await #expect(processExitsWith: .signal(SIGSEGV)) {
            var secret = SecretBytes([UInt8](repeating: 1, count: 100))
            let past = secret.withMutableBytes { bytes in
                bytes.withUnsafeMutableBufferPointer { $0.baseAddress.map { $0 + 100 } }
            }
            try #require(past).pointee = 1
            use(secret.count)
        }
    }

    @Test func `Reading a secret of no bytes dies`() async {
        await #expect(processExitsWith: .signal(SIGSEGV)) {
            let secret = SecretBytes(zeros: 0)
            let start = secret.withBytes { bytes in bytes.withUnsafeBufferPointer { $0.baseAddress } }
            use(try #require(start).pointee)
            use(secret.count)
        }
    }

    @Test func `Writing before the start dies, at the latest when the secret ends`() async {
        await #expect(processExitsWith: .signal(SIGSEGV)) {
            var secret = SecretBytes([UInt8](repeating: 1, count: 100))
            let before = secret.withMutableBytes { bytes in
                bytes.withUnsafeMutableBufferPointer { $0.baseAddress.map { $0 - 1 } }
            }
            try #require(before).pointee ^= 1
            use(secret.count)
            end(secret)
            // Not reached; another way to end than the one expected.
            exit(0)
        }
    }

    @Test func `Reading well before the start dies`() async {
        await #expect(processExitsWith: .signal(SIGSEGV)) {
            let secret = SecretBytes([UInt8](repeating: 1, count: 100))
            let before = secret.withBytes { bytes in
                bytes.withUnsafeBufferPointer { $0.baseAddress.map { $0 - Int(getpagesize()) } }
            }
            use(try #require(before).pointee)
            use(secret.count)
        }
    }

    @Test func `A secret that has ended cannot be read any more`() async {
        await #expect(processExitsWith: .signal(SIGSEGV)) {
            let secret = SecretBytes([UInt8](repeating: 1, count: 100))
            let start = secret.withBytes { bytes in bytes.withUnsafeBufferPointer { $0.baseAddress } }
            end(secret)
            use(try #require(start).pointee)
        }
    }

    @Test func `A secret stands between closed pages, locked, and outside of core files`() throws {
        let secret = SecretBytes([UInt8](repeating: 1, count: 100))
        let address = secret.withBytes { bytes in bytes.withUnsafeBufferPointer { UInt(bitPattern: $0.baseAddress) } }
        let mappings = try Mapping.all()
        let index = try #require(mappings.firstIndex { $0.range.contains(address) })
        #expect(mappings[index].permissions == "rw-p")
        #expect(mappings[index - 1].permissions == "---p")
        #expect(mappings[index - 1].range.upperBound == mappings[index].range.lowerBound)
        #expect(mappings[index + 1].permissions == "---p")
        #expect(mappings[index + 1].range.lowerBound == address + 100)
        #expect(mappings[index].flags.contains("dd"), "it would stand in core files")
        // The compiler's sanitizers take the locking of memory away, and say that it was done.
        if SecretMemory.isLocked, !Sanitizer.isInUse {
            #expect(mappings[index].flags.contains("lo"), "it could be swapped out")
        }
        use(secret.count)
    }

    @Test(arguments: [16, 4080, 4081])
    func `Many secrets at once keep apart, and what was wiped is found empty`(count: Int) {
        // More than there are pages in the reservation that small ones share.
        final class Holder {
            var secret: SecretBytes
            init(_ byte: UInt8, _ count: Int) { secret = SecretBytes([UInt8](repeating: byte, count: count)) }
        }
        for _ in 0..<3 {
            var holders = (0..<100).map { Holder(UInt8($0), count) }
            #expect(
                holders.indices.allSatisfy { holders[$0].secret.bytes == Array(repeating: UInt8($0), count: count) })
            // In another order than they came.
            while !holders.isEmpty { holders.remove(at: holders.count * 7 / 11) }
            let fresh = (0..<100).map { _ in Holder(0, 0) }
            #expect(fresh.count == 100)
            let empty = (0..<100).map { _ in SecretBytes(zeros: count).bytes.allSatisfy { $0 == 0 } }
            #expect(empty.allSatisfy { $0 })
        }
    }

    @Test func `Threads take and give back secrets at the same time`() async {
        let isGood = await withTaskGroup(of: Bool.self) { group in
            for thread in 0..<8 {
                group.addTask {
                    (0..<500).allSatisfy { round in
                        let bytes = [UInt8](repeating: UInt8(truncatingIfNeeded: thread * 31 + round), count: 1 + round)
                        let first = SecretBytes(bytes)
                        let second = SecretBytes(bytes.reversed())
                        return first.isEqual(to: second) && first.bytes == bytes
                    }
                }
            }
            return await group.allSatisfy { $0 }
        }
        #expect(isGood)
    }

    // MARK: Locking

    @Test func `Memory that was locked is said to be`() async {
        await #expect(processExitsWith: .success) {
            #expect(SecretMemory.isLocked)
            use(SecretBytes(zeros: 0).count)
            var limit = rlimit()
            getrlimit(__rlimit_resource_t(__RLIMIT_MEMLOCK.rawValue), &limit)
            // Where nothing may be locked there is nothing to say here.
            if limit.rlim_cur < 1 << 16 { return }
            use(SecretBytes(zeros: 32).count)
            #expect(SecretMemory.isLocked)
        }
    }

    @Test(.disabled(if: Sanitizer.isInUse, "A sanitizer says that all memory was locked."))
    func `Memory that could not be locked is said not to be`() async {
        await #expect(processExitsWith: .success) {
            var limit = rlimit(rlim_cur: 0, rlim_max: 0)
            try #require(setrlimit(__rlimit_resource_t(__RLIMIT_MEMLOCK.rawValue), &limit) == 0)
            // The limit does not count for root.
            if getuid() == 0 { try #require(setuid(65534) == 0) }
            #expect(SecretMemory.isLocked)
            let secret = SecretBytes([1, 2, 3])
            #expect(!SecretMemory.isLocked)
            // It works all the same.
            #expect(secret.bytes == [1, 2, 3])
        }
    }
}

/// A part of this process's memory, as /proc/PID/smaps has it.
private struct Mapping {
    let range: Range<UInt>
    let permissions: Substring
    var flags: [Substring] = []

    static func all() throws -> [Mapping] {
        var mappings: [Mapping] = []
        // Foundation stops early in a file whose size is said to be zero.
        for line in try Command.run("cat", ["/proc/\(getpid())/smaps"]).text.split(separator: "\n") {
            let words = line.split(separator: " ")
            let bounds = words[0].split(separator: "-").compactMap { UInt($0, radix: 16) }
            if bounds.count == 2 {
                mappings.append(Mapping(range: bounds[0]..<bounds[1], permissions: words[1]))
            } else if words[0] == "VmFlags:" {
                mappings[mappings.count - 1].flags = Array(words.dropFirst())
            }
        }
        return mappings
    }
}

/// Keeps what was read from being left out as unused.
@inline(never) private func use<T>(_ value: T) {
    withExtendedLifetime(value) {}
}

@inline(never) private func end(_ secret: consuming SecretBytes) {}
