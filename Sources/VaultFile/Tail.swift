internal import Age
internal import Sodium

/// The end of a vault: four lines that say what the blocks are and who vouches for it.
struct Tail {
    let index: BlockIndex
    let indexHash: Hash
    let roster: Signed
    let manifest: Signed

    /// The tail is a multiple of this many bytes, so that the footer never crosses a chunk.
    static let unit = 4096
    /// 16 MiB.
    static let maximumSize = 1 << 24
    /// The footer's size in bytes.
    static let footerSize = 64

    init(index: BlockIndex, roster: Signed, manifest: Signed) {
        self.index = index
        indexHash = Hash.index(index.line.span)
        self.roster = roster
        self.manifest = manifest
    }

    /// All four lines.
    var bytes: [UInt8] {
        var bytes = index.line
        bytes += Self.signedStart("roster").utf8
        bytes += Self.signedRest(roster)
        bytes.append(UInt8(ascii: "\n"))
        bytes += Self.signedStart("manifest").utf8
        bytes += Self.signedRest(manifest)
        let used = bytes.count + 1 + Self.footerSize
        let padding = (Self.unit - used % Self.unit) % Self.unit
        bytes += [UInt8](repeating: UInt8(ascii: " "), count: padding)
        bytes.append(UInt8(ascii: "\n"))
        bytes += Self.footer(blocks: index.entries.count)
        return bytes
    }

    /// Reads the tail of `blocks` blocks.
    ///
    /// - Returns: Nil when a line is not exactly what the format shows; `defect` then says which.
    init?(_ bytes: Span<UInt8>, blocks: Int, defect: inout String) {
        var reader = TailReader()
        do throws(TailReader.Defect) {
            let index = try reader.index(bytes, count: blocks)
            indexHash = Hash.index(bytes.extracting(..<reader.position))
            roster = try reader.signed("roster", bytes)
            manifest = try reader.signed("manifest", bytes, padded: true)
            guard reader.position == bytes.count - Self.footerSize else {
                throw TailReader.Defect(line: "the tail has other lines than index, roster, manifest and footer")
            }
            self.index = index
        } catch {
            defect = error.line
            return nil
        }
    }

    /// The number of blocks that a footer gives, or nil when it is none.
    static func blocks(inFooter footer: Span<UInt8>) -> Int? {
        let start = "{\"vault\":1,\"blocks\":".utf8.count
        guard let end = footer.firstIndex(of: UInt8(ascii: "}"), from: min(start, footer.count), before: footer.count)
        else { return nil }
        let digits = footer.extracting(start..<end).text
        guard let count = digits == "0" ? 0 : Number.parse(digits), count <= BlockIndex.maximumCount,
            footer.isEqual(to: Self.footer(blocks: count).span)
        else { return nil }
        return count
    }

    private static func footer(blocks: Int) -> [UInt8] {
        let text = Array("{\"vault\":1,\"blocks\":\(blocks)}".utf8)
        return text + [UInt8](repeating: UInt8(ascii: " "), count: footerSize - 1 - text.count) + [UInt8(ascii: "\n")]
    }

    private static func signedStart(_ name: String) -> String { "{\"\(name)\":{\"text\":" }

    private static func signedRest(_ signed: Signed) -> [UInt8] {
        JSONText.quoted(signed.text) + ",\"by\":\"\(signed.by)\",\"sig\":\"".utf8
            + Base64.encode(signed.signature.span) + "\"}}".utf8
    }
}

/// Reads the lines of a tail, which have one spelling only, but for the escapes of their strings.
private struct TailReader {
    struct Defect: Error {
        let line: String
    }

    private var cursor = JSONCursor()

    var position: Int { cursor.position }

    mutating func index(_ bytes: Span<UInt8>, count: Int) throws(Defect) -> BlockIndex {
        let defect = Defect(line: "the index line is malformed, or does not have the \(count) blocks of the footer")
        var entries: [BlockIndex.Entry] = []
        entries.reserveCapacity(count)
        guard cursor.take("{\"index\":[", bytes) else { throw defect }
        for number in 0..<count {
            guard number == 0 || cursor.take(",", bytes), cursor.take("{\"first\":", bytes),
                let first = string(bytes).flatMap({ RecordName($0) }), cursor.take(",\"hash\":", bytes),
                let hash = string(bytes).flatMap({ Hash($0) }), cursor.take("}", bytes)
            else { throw defect }
            if let last = entries.last, !(last.first < first) {
                throw Defect(line: "the names of the index are not in ascending order")
            }
            entries.append(.init(first: first, hash: hash))
        }
        guard cursor.take("]}\n", bytes) else { throw defect }
        return BlockIndex(entries: entries)
    }

    mutating func signed(_ name: StaticString, _ bytes: Span<UInt8>, padded: Bool = false) throws(Defect) -> Signed {
        guard cursor.take("{\"", bytes), cursor.take(name, bytes), cursor.take("\":{\"text\":", bytes),
            let text = string(bytes), cursor.take(",\"by\":", bytes),
            let by = string(bytes).flatMap({ VerificationKey($0) }), cursor.take(",\"sig\":", bytes),
            let signature = string(bytes).flatMap({ Hash.decodeBase64($0) }),
            signature.count == Ed25519.signatureSize, cursor.take("}}", bytes)
        else { throw Defect(line: "the \(name) line is malformed") }
        if padded { while cursor.take(" ", bytes) {} }
        guard cursor.take("\n", bytes) else { throw Defect(line: "the \(name) line does not end where it should") }
        return Signed(text: text, by: by, signature: signature)
    }

    private mutating func string(_ bytes: Span<UInt8>) -> String? {
        (try? cursor.readString(bytes))?.text(in: bytes)
    }
}
