internal import Glibc

extension Array where Element: Hashable {
    /// Whether no element stands there twice. One alone, which is what most lists have, needs no set.
    package var areUnique: Bool { count < 2 || Set(self).count == count }
}

extension Span<UInt8> {
    /// A copy, for what is no secret.
    package var array: [UInt8] { unsafe withUnsafeBufferPointer { unsafe Array($0) } }

    /// The bytes as text, for what is no secret.
    package var text: String { unsafe withUnsafeBufferPointer { unsafe String(decoding: $0, as: UTF8.self) } }

    /// Whether the bytes begin with `prefix`.
    package func hasPrefix(_ prefix: StaticString) -> Bool {
        guard count >= prefix.utf8CodeUnitCount else { return false }
        for index in 0..<prefix.utf8CodeUnitCount where unsafe self[index] != prefix.utf8Start[index] { return false }
        return true
    }

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
