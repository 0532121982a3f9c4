/// A secret whose size is not known yet: bytes are appended, and every region that was outgrown is wiped.
public struct SecretBuffer: ~Copyable, Sendable {
    private var storage: SecretBytes

    /// The number of bytes so far.
    public private(set) var count = 0

    /// An empty buffer with as much space as fits into one page.
    public init() { self.init(capacity: GuardedMemory.smallSize) }

    /// An empty buffer that grows beyond `capacity` bytes only when it must.
    public init(capacity: Int) { storage = SecretBytes(zeros: max(capacity, 1)) }

    /// Appends a copy of `bytes`.
    public mutating func append(_ bytes: Span<UInt8>) {
        let size = bytes.count
        withSpace(size) { space in
            for index in 0..<size { space[index] = bytes[index] }
            return size
        }
    }

    /// Appends the characters of `text`, which is no secret.
    public mutating func append(_ text: StaticString) {
        let size = text.utf8CodeUnitCount
        withSpace(size) { space in
            for index in 0..<size { space[index] = unsafe text.utf8Start[index] }
            return size
        }
    }

    /// Lends at least `size` bytes of space behind the content; `body` says how many it has filled.
    public mutating func withSpace<E: Error>(
        _ size: Int, _ body: (inout MutableSpan<UInt8>) throws(E) -> Int
    ) throws(E) {
        reserve(count + size)
        let range = count..<storage.count
        count += try storage.withMutableBytes { (bytes) throws(E) in try bytes.withPart(range, body) }
    }

    /// Lends the bytes so far.
    public borrowing func withBytes<R: ~Copyable, E: Error>(_ body: (Span<UInt8>) throws(E) -> R) throws(E) -> R {
        let count = self.count
        return try storage.withBytes { (bytes) throws(E) -> R in try body(bytes.extracting(first: count)) }
    }

    /// The bytes, in a region of exactly their size.
    public consuming func finish() -> SecretBytes {
        withBytes { SecretBytes(copying: $0) }
    }

    /// Forgets all bytes, and keeps the space.
    public mutating func removeAll() { truncate(to: 0) }

    /// Forgets all bytes but the first `size`.
    public mutating func truncate(to size: Int) {
        precondition((0...count).contains(size))
        let dropped = size..<count
        storage.withMutableBytes { bytes in
            for index in dropped { bytes[index] = 0 }
        }
        count = size
    }

    private mutating func reserve(_ capacity: Int) {
        guard capacity > storage.count else { return }
        var larger = SecretBytes(zeros: max(capacity, storage.count * 2))
        let used = count
        larger.withMutableBytes { target in
            storage.withBytes { source in
                for index in 0..<used { target[index] = source[index] }
            }
        }
        storage = larger
    }
}
