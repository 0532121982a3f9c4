import Sodium

@testable import Age

extension FuzzTarget {
    /// An age file: its header, and what is behind it.
    static let header = FuzzTarget(name: "header") { bytes in
        guard let header = try? Header(readingFrom: bytes) else { return }
        try hold((1...Header.maximumStanzas).contains(header.stanzas.count), "\(header.stanzas.count) stanzas")
        // There is one spelling.
        var text = Array("age-encryption.org/v1\n".utf8)
        for stanza in header.stanzas { stanza.write(to: &text) }
        try hold(header.bytes.starts(with: text + "--- ".utf8), "the stanzas are written differently")
        try hold(bytes.starts(with: header.bytes), "the header is written differently")
        try hold(header.bytes.count == header.byteCount, "the header says another size")
        let passphrase = SecretBytes(copying: Array("passphrase".utf8).span)
        let identities: [any Identity] = [
            Known.identity, ScryptIdentity(passphrase: passphrase, maximumWorkFactor: 3),
        ]
        if let opened = try? AgeFile.decrypt(bytes, with: identities) {
            try hold(opened.count < bytes.count - header.byteCount, "it has more in it than there is")
        }
    }

    /// A file of identities, encrypted or not.
    static let identities = FuzzTarget(name: "identities") { bytes in
        if IdentityFile.isEncrypted(bytes.span) {
            let factor = IdentityFile.workFactor(of: bytes)
            try hold(factor.map { $0 > 0 } ?? true, "a work factor of \(factor ?? 0)")
            let passphrase = SecretBytes(copying: Array("passphrase".utf8).span)
            let identity = ScryptIdentity(passphrase: passphrase, maximumWorkFactor: 3)
            guard let text = try? IdentityFile.decrypt(bytes, with: identity) else { return }
            try hold(factor.map { (1...3).contains($0) } ?? false, "a work factor over the limit was taken")
            try check(identities: text.withBytes { $0.publicCopy })
        } else {
            try check(identities: bytes)
        }
    }

    private static func check(identities text: [UInt8]) throws {
        guard let contents = try? IdentityFile.parse(text.span, commentsAfter: "vault:") else { return }
        try hold(!contents.identities.isEmpty, "no identity")
        var lines = text.parts(by: UInt8(ascii: "\n"))
        for index in lines.indices where lines[index].last == UInt8(ascii: "\r") { lines[index].removeLast() }
        let keys = lines.filter { !$0.isEmpty && $0[0] != UInt8(ascii: "#") }
        let found = contents.identities.map { $0.encoded().withBytes { $0.publicCopy } }
        try hold(keys == found, "other identities than its lines")
        try hold(contents.comments.count <= lines.count - keys.count, "more comments than lines")
        for comment in contents.comments {
            try hold(!comment.utf8.contains(UInt8(ascii: "\n")), "a comment of two lines")
        }
    }

    /// The text form of an age file.
    static let armor = FuzzTarget(name: "armor") { bytes in
        guard let file = try? Armor.decode(bytes) else { return }
        try hold(Armor.isArmored(bytes.span), "what is decoded is not known as armor")
        // There is one spelling, but for white space around it and the ends of lines.
        let encoded = Base64.encode(file.span)
        var lines = [Array("-----BEGIN AGE ENCRYPTED FILE-----".utf8)]
        for start in stride(from: 0, to: encoded.count, by: 64) {
            lines.append(Array(encoded[start..<min(start + 64, encoded.count)]))
        }
        lines.append(Array("-----END AGE ENCRYPTED FILE-----".utf8))
        var read = bytes.parts(by: UInt8(ascii: "\n")).map { line in
            line.last == UInt8(ascii: "\r") ? Array(line.dropLast()) : line
        }
        func isBlank(_ byte: UInt8) -> Bool { " \t\r\n".utf8.contains(byte) }
        while let first = read.first, first.allSatisfy(isBlank) { read.removeFirst() }
        while let last = read.last, last.allSatisfy(isBlank) { read.removeLast() }
        read[0] = Array(read[0].drop(while: isBlank))
        while let last = read[read.count - 1].last, isBlank(last) { read[read.count - 1].removeLast() }
        try hold(read == lines, "the armor is written differently")
    }
}
