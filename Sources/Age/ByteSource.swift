/// Bytes that can be read at any place: a file, or memory.
public protocol ByteSource {
    /// How many bytes there are.
    var byteCount: Int { get }

    /// Fills `output` with the bytes from `offset` on; the caller stays within ``byteCount``.
    ///
    /// - Throws: ``AgeError/unreadable(errno:)``; ``AgeError/payload(_:)`` when there is less by now.
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
