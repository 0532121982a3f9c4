internal import CSodium

/// Lends zero bytes of the stack, and wipes them afterwards: for keys that are used once, within one call, and are not
/// worth a guarded region of their own, which costs a dozen system calls.
package func withScratch<R: ~Copyable>(_ count: Int, _ body: (inout MutableSpan<UInt8>) -> R) -> R {
    unsafe withUnsafeTemporaryAllocation(of: UInt8.self, capacity: count) { scratch in
        unsafe scratch.initialize(repeating: 0)
        defer { unsafe sodium_memzero(scratch.baseAddress, count) }
        var span = unsafe MutableSpan(_unsafeElements: scratch)
        return body(&span)
    }
}
