// libsodium's declarations ask for addresses that are not null, also where the size is zero, where a span may have none.

nonisolated(unsafe) private let nowhere: UnsafeMutablePointer<UInt8> = {
    let pointer = UnsafeMutablePointer<UInt8>.allocate(capacity: 1)
    unsafe pointer.initialize(to: 0)
    return unsafe pointer
}()

extension Span<UInt8> {
    /// Lends the address of the first byte.
    func withAddress<R>(_ body: (UnsafePointer<UInt8>) -> R) -> R {
        unsafe withUnsafeBufferPointer { unsafe body(unsafe $0.baseAddress ?? UnsafePointer(nowhere)) }
    }
}

extension MutableSpan<UInt8> {
    /// Lends the address of the first byte.
    mutating func withAddress<R>(_ body: (UnsafeMutablePointer<UInt8>) -> R) -> R {
        unsafe withUnsafeMutableBufferPointer { unsafe body(unsafe $0.baseAddress ?? nowhere) }
    }
}

extension MutableSpan<UInt8> {
    /// Lends the bytes of `range` for writing.
    package mutating func withPart<R: ~Copyable, E: Error>(
        _ range: Range<Int>, _ body: (inout MutableSpan<UInt8>) throws(E) -> R
    ) throws(E) -> R {
        precondition(range.lowerBound >= 0 && range.upperBound <= count)
        return try unsafe withUnsafeMutableBufferPointer { (buffer) throws(E) -> R in
            var part = unsafe UnsafeMutableBufferPointer(rebasing: buffer[range]).mutableSpan
            return try body(&part)
        }
    }
}

extension Array<UInt8> {
    /// `count` bytes, all of which `fill` writes.
    init(count: Int, _ fill: (UnsafeMutablePointer<UInt8>) -> Void) {
        self.init(repeating: 0, count: count)
        var span = mutableSpan
        unsafe span.withAddress(fill)
    }
}
