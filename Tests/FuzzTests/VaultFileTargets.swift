import Age
import ChildProcess
import Foundation
import Sodium
import SystemPackage

@testable import VaultFile

extension FuzzTarget {
    /// Keys, pins and moments, one of which is the whole input.
    static let keys = FuzzTarget(name: "keys", maximumSize: 256) { bytes in
        guard let text = bytes.validText else { return }
        func same(_ other: (any CustomStringConvertible)?) throws {
            if let other { try hold(other.description.utf8.elementsEqual(bytes), "\(other) was made of another text") }
        }
        try same(VaultID(text))
        try same(VerificationKey(text))
        try same(X25519Recipient(unchecked: text))
        try same(X25519Recipient(parsing: text))
        try same(RecordName(text))
        if let pin = Pin(text) { try hold(Pin(pin.description) == pin, "a pin that is another one when written") }
        if let moment = Timestamp(text) {
            try hold(Timestamp(moment.description) == moment, "a moment that is another one when written")
        }
    }

    /// The tail of a vault, whose lines are read before any signature is: footer, index, roster and manifest.
    static let tail = FuzzTarget(name: "tail", maximumSize: 16 << 10) { bytes in
        if let text = bytes.validText {
            // Signed texts have one spelling.
            if let roster = Roster(text: text) {
                try hold(roster.text.utf8.elementsEqual(bytes), "a roster that is written differently")
                try hold(roster.members.count <= Roster.maximumCount, "too many members")
            }
            if let manifest = Manifest(text: text) {
                try hold(manifest.text.utf8.elementsEqual(bytes), "a manifest that is written differently")
            }
        }
        let footer = bytes.suffix(Tail.footerSize)
        guard footer.count == Tail.footerSize, let blocks = Tail.blocks(inFooter: footer.span) else { return }
        try hold((0...BlockIndex.maximumCount).contains(blocks), "\(blocks) blocks")
        var defect = ""
        guard let tail = Tail(bytes.span, blocks: blocks, defect: &defect) else {
            return try hold(!defect.isEmpty, "a defect that is not named")
        }
        try hold(tail.index.entries.count == blocks, "other blocks than the footer says")
        let written = tail.bytes
        try hold(written.count % Tail.unit == 0, "a tail of \(written.count) bytes")
        let again = try held(
            Tail(written.span, blocks: blocks, defect: &defect), "a tail that is not read again: \(defect)")
        try hold(
            again.index == tail.index && again.roster == tail.roster && again.manifest == tail.manifest,
            "a tail that is another one when written")
        let roster = Roster(text: tail.roster.text)
        try hold(roster.map { $0.text == tail.roster.text } ?? true, "a roster that is written differently")
    }

    /// A block of records whose hash fits.
    static let block = FuzzTarget(name: "block", maximumSize: 2048) { bytes in
        let padding = [UInt8](repeating: UInt8(ascii: " "), count: max(Block.size - 1 - bytes.count, 0))
        let block = bytes + padding + [UInt8(ascii: "\n")]
        guard let first = Block.name(of: block.span) else { return }
        var records: [(text: [UInt8], name: [UInt8])] = []
        let defect = Block.forEachRecord(block.span, first: first, next: nil) { record, name in
            records.append((Array(block[record]), Array(block[name])))
        }
        guard defect == nil else { return }
        try hold(!records.isEmpty, "a block without a record")
        for (left, right) in zip(records, records.dropFirst()) {
            try hold(left.name.lexicographicallyPrecedes(right.name), "names that do not ascend")
        }
        for (text, name) in records {
            try hold(Block.name(of: text.span)?.bytes == name, "a record with another name")
        }
        let joined = Array(records.map(\.text).joined(separator: [UInt8(ascii: "\n")]))
        let spaces = [UInt8](repeating: 0x20, count: Block.size - 1 - joined.count)
        try hold(block == joined + spaces + [UInt8(ascii: "\n")], "records that are not all that stands there")
    }

    /// A whole vault whose signatures and hashes fit: what a hostile member can make. The input is the texts of roster and
    /// manifest, the index line, and the blocks, with 0xff between them; `@` and a letter stand for what could not be
    /// guessed (see ``filled(_:_:)``).
    static let vault = FuzzTarget(name: "vault", maximumSize: 4096) { bytes in
        let parts = bytes.parts(by: 0xff)
        guard parts.count >= 3 else { return }
        let key = SigningKey(of: Known.identity)
        let blocks = parts.dropFirst(3).prefix(3).map { part in
            Array(part.prefix(Block.size - 1)) + [UInt8](repeating: 0x20, count: max(Block.size - 1 - part.count, 0))
                + [UInt8(ascii: "\n")]
        }
        var words: [UInt8: String] = [
            UInt8(ascii: "i"): VaultID(root: key.verificationKey, nonce: [UInt8](repeating: 7, count: 16)).description,
            UInt8(ascii: "n"): Hash.encodeBase64([UInt8](repeating: 7, count: 16)),
            UInt8(ascii: "k"): key.verificationKey.description,
            UInt8(ascii: "a"): Known.identity.recipient.description,
        ]
        for (number, block) in blocks.enumerated() {
            words[UInt8(ascii: "0") + UInt8(number)] = Hash.block(block.span).description
        }
        let index = filled(parts[2], words) + [UInt8(ascii: "\n")]
        words[UInt8(ascii: "x")] = Hash.index(index.span).description
        guard let roster = filled(parts[0], words).validText else { return }
        words[UInt8(ascii: "r")] = Hash.roster(roster).description
        guard let manifest = filled(parts[1], words).validText else { return }
        var tail = index
        for (name, text) in [("roster", roster), ("manifest", manifest)] {
            let signed = key.sign(text)
            tail += "{\"\(name)\":{\"text\":".utf8 + JSONText.quoted(text)
            tail += ",\"by\":\"\(signed.by)\",\"sig\":\"\(Hash.encodeBase64(signed.signature))\"}}\n".utf8
        }
        let footer = Array("{\"vault\":1,\"blocks\":\(blocks.count)}".utf8)
        let used = tail.count + Tail.footerSize
        tail.removeLast()
        tail += [UInt8](repeating: 0x20, count: (Tail.unit - used % Tail.unit) % Tail.unit) + [UInt8(ascii: "\n")]
        tail += footer + [UInt8](repeating: 0x20, count: Tail.footerSize - 1 - footer.count) + [UInt8(ascii: "\n")]
        let file = AgeFile.encrypt((blocks.flatMap { $0 } + tail).span, to: [Known.identity.recipient])
        // Without a name: a run that is killed leaves nothing behind.
        let sealed = try SealedFile.create(file.span)
        let opened = withExtendedLifetime(sealed) {
            try? UnverifiedVault(opening: FilePath(sealed.path), with: [Known.identity])
        }
        guard let opened else { return }
        let pin = Pin(id: opened.id)
        var reader = try opened.verify(pin: pin, seen: nil, followsGit: false)
        try hold(reader.members.filter { $0.role == .owner }.count == 1, "a vault without its one owner")
        guard let names = try? reader.names() else { return }
        for (left, right) in zip(names, names.dropFirst()) { try hold(left < right, "names that do not ascend") }
        for name in names {
            let found = try reader.withRecord(named: name) { Block.name(of: $0) }
            try hold(found == name, "a record that is not found by its name")
        }
    }

    /// The text with the words in the places of `@` and their letter.
    private static func filled(_ text: [UInt8], _ words: [UInt8: String]) -> [UInt8] {
        var output: [UInt8] = []
        var rest = text[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "@"), let letter = rest.first, let word = words[letter] {
                output += word.utf8
                rest.removeFirst()
            } else {
                output.append(byte)
            }
        }
        return output
    }

    /// JSON of any kind.
    static let json = FuzzTarget(name: "json") { bytes in
        let span = bytes.span
        var cursor = JSONCursor()
        do throws(JSONError) {
            cursor.skipWhitespace(span)
            try cursor.readValue(span)
            try cursor.readEnd(span)
        } catch {
            return try hold((0...bytes.count).contains(error.offset), "an error at \(error.offset)")
        }
        try hold(bytes.validText != nil, "JSON that is not UTF-8")
        var start = JSONCursor()
        start.skipWhitespace(span)
        guard let string = try? start.readString(span) else { return }
        let text = string.text(in: span)
        try hold(string.secret(in: span).withBytes { $0.text } == text, "a secret that is another text")
        let quoted = JSONText.quoted(text)
        var again = JSONCursor()
        let reread = try again.readString(quoted.span).text(in: quoted.span)
        try hold(reread.utf8.elementsEqual(text.utf8), "a string that is another one when written")
        // What somebody else reads there.
        let other = try? JSONSerialization.jsonObject(with: Data(bytes), options: .fragmentsAllowed) as? String
        try hold(other.map { $0.utf8.elementsEqual(text.utf8) } ?? false, "a string that others read differently")
    }
}
