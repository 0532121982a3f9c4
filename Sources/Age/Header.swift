internal import Sodium

/// The header of an age file: what each recipient needs to find the file key, and a MAC over all of it.
public struct Header: Sendable {
    /// The most bytes of a header that a reader takes.
    public static let maximumSize = 1 << 20
    /// The most stanzas of a header that a reader takes.
    public static let maximumStanzas = 1024

    /// One for each recipient, in the order of the file.
    public let stanzas: [Stanza]
    /// The header's bytes up to and with `---`, which the MAC covers.
    private let authenticated: [UInt8]
    private let mac: [UInt8]

    /// The header's size in the file, in bytes; behind it begins the payload.
    public var byteCount: Int { authenticated.count + 1 + 43 + 1 }

    /// Reads the header at the start of `source`.
    ///
    /// - Throws: ``AgeError/header(_:)``, or ``AgeError/unreadable(errno:)``.
    public init(readingFrom source: some ByteSource) throws(AgeError) {
        // Most headers have one stanza. The rest of a long one is read in steps, so that a large file with no header
        // in it is not read at all.
        var size = 1024
        while true {
            let wanted = min(size, source.byteCount, Header.maximumSize)
            var bytes = [UInt8](repeating: 0, count: wanted)
            var output = bytes.mutableSpan
            try source.read(into: &output, at: 0)
            var parser = HeaderParser(isWhole: wanted == source.byteCount || wanted == Header.maximumSize)
            if let header = try parser.parse(bytes.span) {
                self = header
                return
            }
            size *= 8
        }
    }

    /// The header of a new file, with a stanza for each recipient in the order given.
    public init(recipients: [any Recipient], fileKey: borrowing FileKey) {
        var stanzas: [Stanza] = []
        for recipient in recipients { stanzas.append(recipient.wrap(fileKey)) }
        self.init(stanzas: stanzas, fileKey: fileKey)
    }

    init(stanzas: [Stanza], fileKey: borrowing FileKey) {
        var text = Array(HeaderParser.versionLine.utf8)
        for stanza in stanzas { stanza.write(to: &text) }
        text += "---".utf8
        self.stanzas = stanzas
        mac = fileKey.headerMAC(of: text.span)
        authenticated = text
    }

    fileprivate init(stanzas: [Stanza], authenticated: [UInt8], mac: [UInt8]) {
        self.stanzas = stanzas
        self.authenticated = authenticated
        self.mac = mac
    }

    /// The header as it stands in the file.
    public var bytes: [UInt8] {
        authenticated + " ".utf8 + Base64.encode(mac.span, .standardUnpadded) + "\n".utf8
    }

    /// Whether the MAC fits, so that who wrote the header knew `fileKey`.
    public func isAuthentic(under fileKey: borrowing FileKey) -> Bool {
        fileKey.isValid(mac, for: authenticated.span)
    }

    /// Finds the file key with the first identity and stanza that fit, and checks the MAC with it.
    ///
    /// - Parameters:
    ///   - identities: Tried in their order.
    ///   - hint: The number of the stanza to try first; trying a thousand takes some 30 ms.
    /// - Returns: The file key, and where it was found.
    /// - Throws: ``AgeError/noMatch``, ``AgeError/headerMAC``, ``AgeError/header(_:)``,
    ///   ``AgeError/workFactor(_:limit:)``, ``AgeError/outOfMemory(bytes:)``, ``AgeError/noAnswer(_:)``.
    public func unwrap(
        with identities: [any Identity], startingAt hint: Int = 0
    ) throws(AgeError) -> UnwrappedKey {
        if stanzas.count > 1, stanzas.contains(where: { $0.type == ScryptIdentity.stanzaType }) {
            throw .header("a passphrase stanza that is not the only stanza")
        }
        let order =
            stanzas.indices.contains(hint) ? [hint] + stanzas.indices.filter { $0 != hint } : Array(stanzas.indices)
        let ordered = order.map { stanzas[$0] }
        for identity in identities {
            guard let key = try identity.unwrap(firstOf: ordered) else { continue }
            guard isAuthentic(under: key.fileKey) else { throw .headerMAC }
            let stanza = order[key.stanza]
            return UnwrappedKey(fileKey: key.fileKey, stanza: stanza)
        }
        throw .noMatch
    }
}

/// A file key, and where it was found.
///
/// Frozen, so that other modules may take it apart.
@frozen
public struct UnwrappedKey: ~Copyable, Sendable {
    /// The file key.
    public let fileKey: FileKey
    /// The number of the stanza that held it, from 0, among those that were tried.
    public let stanza: Int

    /// A file key that was found.
    public init(fileKey: consuming FileKey, stanza: Int) {
        self.fileKey = fileKey
        self.stanza = stanza
    }
}

/// Reads the lines of a header, strictly.
private struct HeaderParser {
    static let versionLine = "age-encryption.org/v1\n"

    /// Whether there are no more bytes to come than those given.
    let isWhole: Bool
    private var position = 0

    init(isWhole: Bool) { self.isWhole = isWhole }

    /// Nil when the bytes end before the header does and there are more to be had.
    mutating func parse(_ bytes: Span<UInt8>) throws(AgeError) -> Header? {
        guard let version = try line(bytes) else { return nil }
        guard bytes.extracting(version).text + "\n" == Self.versionLine else {
            throw .header("the first line is not that of an age file")
        }
        var stanzas: [Stanza] = []
        while true {
            let start = position
            guard let line = try line(bytes) else { return nil }
            let text = bytes.extracting(line)
            if text.hasPrefix("-> ") {
                guard stanzas.count < Header.maximumStanzas else {
                    throw .header("more than \(Header.maximumStanzas) stanzas")
                }
                guard let stanza = try stanza(arguments: text.extracting(droppingFirst: 3), bytes) else { return nil }
                stanzas.append(stanza)
            } else if text.hasPrefix("--- ") {
                guard !stanzas.isEmpty else { throw .header("no stanza") }
                guard let mac = Base64.decode(text.extracting(droppingFirst: 4), .standardUnpadded), mac.count == 32
                else { throw .header("the MAC is not 32 bytes in base64") }
                let end = start + 3
                return Header(
                    stanzas: stanzas, authenticated: bytes.extracting(..<end).publicCopy, mac: mac)
            } else {
                throw .header("a line that neither begins a stanza nor ends the header")
            }
        }
    }

    private mutating func stanza(arguments text: Span<UInt8>, _ bytes: Span<UInt8>) throws(AgeError) -> Stanza? {
        let arguments = text.publicCopy.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
        guard arguments.allSatisfy({ !$0.isEmpty && $0.allSatisfy { (33...126).contains($0) } }) else {
            throw .header("a stanza with an argument that is empty or not plain ASCII")
        }
        var body: [UInt8] = []
        while true {
            guard let line = try line(bytes) else { return nil }
            guard line.count <= 64, let part = Base64.decode(bytes.extracting(line), .standardUnpadded) else {
                throw .header("a stanza with a line that is not base64 of at most 64 columns")
            }
            body += part
            if line.count < 64 { break }
        }
        return Stanza(
            type: String(decoding: arguments[0], as: UTF8.self), arguments: arguments.dropFirst().map(Array.init),
            body: body)
    }

    /// The next line without its end, or nil when more bytes are needed.
    private mutating func line(_ bytes: Span<UInt8>) throws(AgeError) -> Range<Int>? {
        for index in position..<bytes.count where bytes[index] == UInt8(ascii: "\n") {
            defer { position = index + 1 }
            return position..<index
        }
        if isWhole { throw .header("it ends within a line, or is longer than \(Header.maximumSize) bytes") }
        return nil
    }
}
