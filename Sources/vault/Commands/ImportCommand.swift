internal import ArgumentParser
internal import Glibc
internal import Resources
internal import Sodium
internal import VaultFile

struct ImportCommand: ParsableCommand {
    enum Format: String, ExpressibleByArgument, CaseIterable {
        case jsonl
    }

    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Store many records in one write.",
        discussion: """
            JSON Lines in the shape of the records; "name", "urls" and "token" with its "value" are enough. All of \
            them or none: the first line that is not acceptable ends it, and nothing is stored.
            """)

    @Argument(help: "The file; standard input when there is none, or -.", completion: .file())
    var file: String?

    @Option(help: "Input format.")
    var format = Format.jsonl

    @Flag(help: "Say what would be stored, and store nothing.")
    var dryRun = false

    @Flag(help: "Replace resources that are there; a token that is replaced goes into the history.")
    var replace = false

    @Flag(help: "Let URLs be http although the traffic leaves the machine.")
    var allowHttp = false

    @OptionGroup var options: AccessOptions

    func run() throws {
        let access = options.access
        let session = try Session(access)
        let content = try content()
        let lines = try content.withBytes { try parse($0, quiet: access.quiet) }
        var stored = (new: 0, replaced: 0)
        let work: (inout VaultReader, inout RecordChanges) throws -> Void = { reader, changes in
            changes = RecordChanges(capacity: content.count + lines.count * 64)
            let existing = Set(try reader.names())
            for line in lines {
                let name = line.view.resource.name
                let exists = existing.contains(name)
                guard !exists || replace else {
                    throw Failure(
                        .exists, "line \(line.number): there is a resource \(name) already",
                        hint: "say --replace to store this one in its place")
                }
                stored.new += exists ? 0 : 1
                stored.replaced += exists ? 1 : 0
                try content.withBytes { content in
                    let text = content.extracting(line.range)
                    if exists {
                        let old = try Session.record(named: name, in: &reader)
                        try changes.put(old.replaced(by: Record(line.view, text)), name, quiet: access.quiet)
                    } else if text.count > VaultLimits.recordSize - 1024, !line.view.resource.history.isEmpty {
                        try changes.put(Record(line.view, text), name, quiet: access.quiet)
                    } else {
                        try changes.put(name) { line.view.write(line.view.resource, line: text, into: &$0) }
                    }
                }
            }
        }
        if dryRun {
            var reader = try session.vault.open()
            var changes = RecordChanges()
            try work(&reader, &changes)
        } else {
            try session.vault.update(work)
        }
        let verb = dryRun ? "would store" : "stored"
        Messages.note("\(verb) \(stored.new) new and \(stored.replaced) replaced", unless: access.quiet)
        let now = Timestamp.now
        let expired = lines.count { $0.view.resource.token.isExpired(at: now) }
        if expired > 0 { Messages.note("\(expired) of the tokens have expired already", unless: access.quiet) }
        session.finish()
    }

    /// More than any record can have, with all the white space and escapes that one may be written with.
    private static let maximumLineSize = 1 << 20
    /// More than any vault can have.
    private static let maximumSize = 1 << 30

    /// All that there is to import.
    private func content() throws -> SecretBuffer {
        // A hyphen is standard input, as everywhere.
        guard let file, file != "-" else {
            if SecretInput.isTerminal {
                throw Failure(.usage, "there is nothing to import", hint: "name a file, or pipe one in")
            }
            return try Self.content(of: 0, "standard input")
        }
        let what = "the file \(file)"
        let descriptor = try SecretInput.open(file, what: what)
        defer { close(descriptor) }
        let status = try SecretInput.awaitContent(of: descriptor, what: what, check: Self.check(what))
        let content = try Self.content(of: descriptor, what)
        if status.st_mode & S_IFMT == S_IFIFO, content.count == 0 {
            throw Failure(.io, "reading \(what): nothing came through this pipe")
        }
        return content
    }

    private static func check(_ what: String) -> (stat) throws -> Void {
        { status in
            guard SecretInput.isStream(status) else {
                throw Failure(.usage, "reading \(what): it is neither a file nor a pipe")
            }
            guard status.st_size <= maximumSize else {
                throw Failure(.usage, "reading \(what): it has more than \(maximumSize) bytes")
            }
        }
    }

    private static func content(of descriptor: Int32, _ what: String) throws -> SecretBuffer {
        var status = stat()
        // One that is not open is named below.
        if unsafe fstat(descriptor, &status) == 0 { try check(what)(status) }
        // Line by line already, so that what is no text at all ends it early.
        var number = 1
        var size = 0
        return try SecretInput.readAll(descriptor, what: what, limit: maximumSize) { bytes in
            for index in bytes.indices {
                if bytes[index] == UInt8(ascii: "\n") {
                    number += 1
                    size = 0
                } else {
                    size += 1
                    guard size <= maximumLineSize else { throw tooLong(line: number) }
                }
            }
        }
    }

    private static func tooLong(line number: Int) -> Failure {
        Failure(.usage, "line \(number): it has more than \(maximumLineSize) bytes")
    }

    /// Names the mistakes that concern the file as a whole.
    private static func checkFirst(_ line: Span<UInt8>, _ number: Int) throws {
        if line.hasPrefix("\u{feff}") {
            throw Failure(
                .usage, "line \(number): it begins with a byte order mark", hint: "save the file as UTF-8 without one")
        }
        // An array, or an object that goes on over lines.
        if line[0] == UInt8(ascii: "[") || line.count == 1 && line[0] == UInt8(ascii: "{") {
            let filter = line[0] == UInt8(ascii: "[") ? "'.[]'" : "."
            throw Failure(
                .usage, "line \(number): there has to be one record on each line",
                hint: "jq -c \(filter) FILE | \(Process.name) import")
        }
    }

    private struct Line {
        let number: Int
        let range: Range<Int>
        let view: RecordView
    }

    /// The records of the file, completed and checked.
    private func parse(_ content: Span<UInt8>, quiet: Bool) throws -> [Line] {
        var lines: [Line] = []
        var names: [RecordName: Int] = [:]
        var bar = ProgressBar("reading", total: content.count)
        defer { bar.end() }
        let now = Timestamp.now
        var number = 0
        var start = 0
        while start < content.count {
            number += 1
            var end = start
            while end < content.count, content[end] != UInt8(ascii: "\n") { end += 1 }
            let trimmed = content.extracting(start..<end).trimmedRange
            let range = start + trimmed.lowerBound..<start + trimmed.upperBound
            let text = content.extracting(range)
            start = end + 1
            if text.isEmpty { continue }
            if lines.isEmpty { try Self.checkFirst(text, number) }
            do {
                var view = try RecordView(incoming: text)
                view.complete(now: now, line: text)
                try view.resource.check(allowsHTTP: allowHttp)
                try view.checkTokens(in: text)
                if let before = names.updateValue(number, forKey: view.resource.name) {
                    throw ResourceError.invalid("\(view.resource.name) stands on line \(before) already")
                }
                lines.append(Line(number: number, range: range, view: view))
            } catch let error as ResourceError {
                // What is damage in a vault is a bad input here; and of the options that would help, one is there.
                let failure = Failure(error)
                var hint: String?
                if case .invalid(_, .https) = error { hint = failure.hints.first }
                throw Failure(.usage, "line \(number): \(failure.message)", hint: hint)
            }
            if !quiet { bar.update(start) }
        }
        guard !lines.isEmpty else { throw Failure(.usage, "there are no records to import") }
        return lines
    }
}
