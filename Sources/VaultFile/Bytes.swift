internal import Glibc

extension Array where Element: Hashable {
    /// Whether no element stands there twice. One alone, which is what most lists have, needs no set.
    package var areUnique: Bool { count < 2 || Set(self).count == count }
}

extension Span<UInt8> {
    /// The first place of `byte` in `start..<end`.
    package func firstIndex(of byte: UInt8, from start: Int, before end: Int) -> Int? {
        precondition(start >= 0 && end <= count)
        guard start < end else { return nil }
        return unsafe withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress, let found = unsafe memchr(base + start, Int32(byte), end - start) else {
                return nil
            }
            return unsafe UnsafeRawPointer(found) - base
        }
    }
}
