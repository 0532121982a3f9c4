/// Bytes that can be read at any place: a file, or memory.
public protocol ByteSource {
    /// How many bytes there are.
    var byteCount: Int { get }

    /// Fills `output` with the bytes from `offset` on; the caller stays within ``byteCount``.
    ///
    /// - Throws: ``AgeError/unreadable(errno:)``.
    func read(into output: inout MutableSpan<UInt8>, at offset: Int) throws(AgeError)
}

extension Array<UInt8>: ByteSource {
    /// The number of bytes.
    public var byteCount: Int { count }

    /// Copies the bytes from `offset` on; never fails.
    public func read(into output: inout MutableSpan<UInt8>, at offset: Int) throws(AgeError) {
        for index in output.indices { output[index] = self[offset + index] }
    }
}

extension Span<UInt8> {
    var array: [UInt8] { unsafe withUnsafeBufferPointer { unsafe Array($0) } }

    /// For text that is no secret.
    var text: String { String(decoding: array, as: UTF8.self) }

    func hasPrefix(_ prefix: StaticString) -> Bool {
        count >= prefix.utf8CodeUnitCount
            && (0..<prefix.utf8CodeUnitCount).allSatisfy { unsafe self[$0] == prefix.utf8Start[$0] }
    }
}
