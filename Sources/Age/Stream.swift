internal import Sodium

/// The payload's encryption, STREAM: chunks of 64 KiB, each sealed under a nonce that counts and marks the last one.
public enum Stream {
    /// 65,536 bytes of plaintext.
    public static let chunkSize = 1 << 16
    /// 65,552 bytes of ciphertext.
    static let sealedChunkSize = chunkSize + ChaCha20Poly1305.tagSize
    /// 16 bytes, in front of the first chunk.
    static let nonceSize = 16

    static func chunkNonce(_ index: Int, isLast: Bool) -> ChaCha20Poly1305.Nonce {
        var nonce = ChaCha20Poly1305.Nonce(repeating: 0)
        // 11 bytes of counter, most significant first; an Int fills the lower eight.
        for byte in 0..<8 { nonce[10 - byte] = UInt8(truncatingIfNeeded: index >> (8 * byte)) }
        nonce[11] = isLast ? 1 : 0
        return nonce
    }
}

/// Reads the chunks of a payload in any order.
public struct StreamReader<Source: ByteSource>: ~Copyable {
    private let source: Source
    private let start: Int
    private let key: SecretBytes

    /// How many chunks there are: one at least.
    public let chunkCount: Int
    /// The size of the last chunk's plaintext in bytes, 0 to 65,536.
    private let lastChunkSize: Int

    /// The size of the whole plaintext in bytes. Proven only once the last chunk has been read.
    public var byteCount: Int { (chunkCount - 1) * Stream.chunkSize + lastChunkSize }

    /// A reader of the payload that begins at `offset` of `source`.
    ///
    /// - Throws: ``AgeError/header(_:)`` when the nonce is not there, ``AgeError/payload(_:)`` when the size is not one
    ///   that a payload can have.
    public init(_ source: Source, at offset: Int, fileKey: borrowing FileKey) throws(AgeError) {
        guard source.byteCount - offset >= Stream.nonceSize else { throw .header("the payload's nonce is cut short") }
        var nonce = [UInt8](repeating: 0, count: Stream.nonceSize)
        var output = nonce.mutableSpan
        try source.read(into: &output, at: offset)
        let size = source.byteCount - offset - Stream.nonceSize
        guard size > 0 else { throw .payload("it is empty") }
        self.source = source
        start = offset + Stream.nonceSize
        key = fileKey.payloadKey(nonce: nonce.span)
        chunkCount = (size - 1) / Stream.sealedChunkSize + 1
        lastChunkSize = size - (chunkCount - 1) * Stream.sealedChunkSize - ChaCha20Poly1305.tagSize
    }

    /// The size of a chunk's plaintext in bytes; below zero when the file ends within a tag.
    public func size(ofChunk index: Int) -> Int { index == chunkCount - 1 ? lastChunkSize : Stream.chunkSize }

    /// Decrypts one chunk into the first bytes of `output`, as many as ``size(ofChunk:)`` says.
    ///
    /// - Throws: ``AgeError/payload(_:)``, ``AgeError/unreadable(errno:)``.
    public borrowing func readChunk(_ index: Int, into output: inout MutableSpan<UInt8>) throws(AgeError) {
        let size = size(ofChunk: index)
        guard size >= 0, size > 0 || index == 0 else { throw .payload("the last chunk is cut short or empty") }
        let offset = start + index * Stream.sealedChunkSize
        var tag = ChaCha20Poly1305.Tag(repeating: 0)
        var tagBytes = tag.mutableSpan
        try source.read(into: &tagBytes, at: offset + size)
        let nonce = Stream.chunkNonce(index, isLast: index == chunkCount - 1)
        let isGenuine = try output.withPart(0..<size) { (part) throws(AgeError) in
            try source.read(into: &part, at: offset)
            return ChaCha20Poly1305.open(inPlace: &part, tag: tag, nonce: nonce, key: key)
        }
        guard isGenuine else { throw .payload("chunk \(index) of \(chunkCount) was changed, or the end is missing") }
    }
}

/// Seals the chunks of a payload, one after the other.
public struct StreamWriter: ~Copyable {
    private let key: SecretBytes
    private var index = 0
    private var sealed = [UInt8](repeating: 0, count: Stream.sealedChunkSize)

    /// What stands between the header and the first chunk: 16 bytes.
    public let nonce: [UInt8]

    /// A writer with a new nonce.
    public init(fileKey: borrowing FileKey) {
        let nonce = Random.bytes(Stream.nonceSize)
        key = fileKey.payloadKey(nonce: nonce.span)
        self.nonce = nonce
    }

    /// Seals the next chunk and lends the ciphertext.
    ///
    /// - Parameters:
    ///   - chunk: 65,536 bytes; the last one may be shorter, and empty only when it is the first as well.
    ///   - isLast: Whether it is the last.
    ///   - body: Gets the ciphertext, 16 bytes longer than `chunk`.
    /// - Throws: What `body` throws.
    public mutating func seal<E: Error>(
        _ chunk: Span<UInt8>, isLast: Bool, _ body: (Span<UInt8>) throws(E) -> Void
    ) throws(E) {
        precondition(chunk.count == Stream.chunkSize || (isLast && (chunk.count > 0 || index == 0)))
        let size = chunk.count + ChaCha20Poly1305.tagSize
        // Out of `self` while it is written, since the key in `self` is read at the same time.
        var buffer: [UInt8] = []
        swap(&buffer, &sealed)
        defer { swap(&buffer, &sealed) }
        var output = buffer.mutableSpan
        output.withPart(0..<size) { output in
            ChaCha20Poly1305.seal(chunk, nonce: Stream.chunkNonce(index, isLast: isLast), key: key, into: &output)
        }
        index += 1
        try body(buffer.span.extracting(first: size))
    }
}
