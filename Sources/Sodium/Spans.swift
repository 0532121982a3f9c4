extension Span<UInt8> {
    /// A copy in ordinary memory, for what is no secret or is encrypted.
    package var publicCopy: [UInt8] { unsafe withUnsafeBufferPointer { unsafe Array($0) } }

    /// The bytes as text, for what is no secret.
    package var text: String { unsafe withUnsafeBufferPointer { unsafe String(decoding: $0, as: UTF8.self) } }

    /// Whether the bytes begin with `prefix`.
    package func hasPrefix(_ prefix: StaticString) -> Bool {
        guard count >= prefix.utf8CodeUnitCount else { return false }
        for index in 0..<prefix.utf8CodeUnitCount where unsafe self[index] != prefix.utf8Start[index] { return false }
        return true
    }
}
