import Sodium
import VaultFile

@testable import Redaction
@testable import Resources

extension FuzzTarget {
    /// A netrc file that is imported.
    static let netrc = FuzzTarget(name: "netrc", maximumSize: 2048) { bytes in
        guard let records = try? NetrcFile.records(bytes.span, now: Timestamp(seconds: 1)) else { return }
        _ = try imported(records, lines: bytes.parts(by: UInt8(ascii: "\n")).count)
    }

    /// A dotenv file that is imported; what it holds comes back from what is exported of that.
    static let dotenv = FuzzTarget(name: "dotenv", maximumSize: 2048) { bytes in
        let now = Timestamp(seconds: 1)
        guard let records = try? DotenvFile.records(bytes.span, now: now) else { return }
        for line in try imported(records, lines: bytes.parts(by: UInt8(ascii: "\n")).count) {
            let view = try RecordView(incoming: line.span)
            guard (try? view.resource.check(allowsHTTP: true)) != nil,
                let names = try? DotenvFile.variables(of: view.resource), !names.isEmpty,
                let record = try? Record(view, line.span)
            else { continue }
            let exported = record.withToken { token in
                written { DotenvFile.append(view.resource, variables: names, token: token, to: &$0) }
            }
            let back = try imported(DotenvFile.records(exported.span, now: now), lines: names.count * 2)
            try hold(back.count == 1, "one resource came back as \(back.count)")
            let first = back[0]
            let again = try Record(RecordView(incoming: first.span), first.span)
            try hold(again.token().isEqual(to: record.token()), "another token came back")
            try hold(again.resource.urls == record.resource.urls, "other URLs came back")
        }
    }

    /// The records of a file, each of which must be one that can be read.
    private static func imported(_ records: consuming ConvertedRecords, lines: Int) throws -> [[UInt8]] {
        let entries = records.entries
        let notes = records.notes
        try hold(notes.allSatisfy { (1...lines).contains($0.line) }, "a note on no line")
        let json = records.finish().withBytes { $0.publicCopy }
        return try entries.map { entry in
            try hold((1...lines).contains(entry.line), "a record of no line")
            let line = Array(json[entry.range])
            let view = try RecordView(incoming: line.span)
            try view.checkTokens(in: line.span)
            return line
        }
    }

    /// Output with secrets in it, in parts: up to three secrets and a text, with 0xff between them, and in front a byte
    /// that says how large the parts are.
    static let redaction = FuzzTarget(name: "redaction", maximumSize: 1024) { bytes in
        guard let size = bytes.first, size > 0 else { return }
        let inputs = Array(bytes.dropFirst()).parts(by: 0xff)
        let secrets = inputs.dropLast().prefix(3).filter { (8...64).contains($0.count) }
        guard let text = inputs.last, !secrets.isEmpty else { return }
        var needles = Needles()
        for (number, secret) in secrets.enumerated() { needles.add(secret.span, number: number) }
        let matcher = Matcher(needles)
        func redacted(by size: Int) -> [UInt8] {
            var redactor = Redactor(matcher, names: secrets.indices.map { "\($0)" })
            var output: [UInt8] = []
            for start in stride(from: 0, to: text.count, by: size) {
                let part = Array(text[start..<min(start + size, text.count)])
                redactor.process(part.span) { output += $0.publicCopy }
            }
            redactor.finish { output += $0.publicCopy }
            return output
        }
        let whole = redacted(by: max(text.count, 1))
        try hold(redacted(by: Int(size)) == whole, "it depends on the parts")
        // Between two masks, no secret is left.
        for (number, secret) in secrets.enumerated() where !secret.contains(where: "[]:".utf8.contains) {
            let mask = Array("[vault:".utf8)
            var pieces: [[UInt8]] = [[]]
            var rest = whole[...]
            while let byte = rest.first {
                if rest.starts(with: mask) {
                    pieces.append([])
                    rest = rest.dropFirst(mask.count + 2)
                } else {
                    pieces[pieces.count - 1].append(byte)
                    rest.removeFirst()
                }
            }
            try hold(!pieces.contains { $0.firstRange(of: secret) != nil }, "secret \(number) came through")
        }
    }
}
