public import Sodium

/// A whole age file in memory, for small ones such as an identity file.
public enum AgeFile {
    /// Decrypts `file`, which is binary.
    ///
    /// - Throws: ``AgeError``.
    public static func decrypt(_ file: [UInt8], with identities: [any Identity]) throws(AgeError) -> SecretBytes {
        let header = try Header(readingFrom: file)
        let opened = try header.unwrap(with: identities)
        let reader = try StreamReader(file, at: header.byteCount, fileKey: opened.fileKey)
        guard reader.size(ofChunk: reader.chunkCount - 1) >= 0 else { throw .payload("it ends within a tag") }
        return try SecretBytes(count: reader.byteCount) { (output) throws(AgeError) in
            for index in 0..<reader.chunkCount {
                try output.withPart(index * Stream.chunkSize..<output.count) { (part) throws(AgeError) in
                    try reader.readChunk(index, into: &part)
                }
            }
        }
    }

    /// Encrypts `plaintext` to all of `recipients`.
    public static func encrypt(_ plaintext: Span<UInt8>, to recipients: [any Recipient]) -> [UInt8] {
        let fileKey = FileKey()
        return encrypt(plaintext, stanzas: recipients.map { $0.wrap(fileKey) }, fileKey: fileKey)
    }

    /// Encrypts `plaintext` to a passphrase.
    ///
    /// - Throws: ``AgeError/outOfMemory(bytes:)``.
    public static func encrypt(
        _ plaintext: Span<UInt8>, to passphrase: borrowing ScryptRecipient
    ) throws(AgeError) -> [UInt8] {
        let fileKey = FileKey()
        return encrypt(plaintext, stanzas: [try passphrase.wrap(fileKey)], fileKey: fileKey)
    }

    private static func encrypt(_ plaintext: Span<UInt8>, stanzas: [Stanza], fileKey: borrowing FileKey) -> [UInt8] {
        var writer = StreamWriter(fileKey: fileKey)
        var file = Header(stanzas: stanzas, fileKey: fileKey).bytes + writer.nonce
        var offset = 0
        repeat {
            let size = min(plaintext.count - offset, Stream.chunkSize)
            let isLast = offset + size == plaintext.count
            writer.seal(plaintext.extracting(offset..<offset + size), isLast: isLast) { file += $0.publicCopy }
            offset += size
        } while offset < plaintext.count
        return file
    }
}
