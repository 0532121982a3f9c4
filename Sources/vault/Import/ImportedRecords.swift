internal import ArgumentParser
internal import Resources
internal import Sodium
internal import VaultFile

/// What a file to import can be.
enum ImportFormat: String, ExpressibleByArgument, CaseIterable {
    case jsonl, dotenv, netrc
}

/// The records of a file, completed and checked.
struct ImportedRecords: ~Copyable {
    struct Line {
        /// The line of the file, from 1.
        let number: Int
        /// Where the record's JSON stands in the content.
        let range: Range<Int>
        let view: RecordView
    }

    /// The JSON of all records.
    let content: SecretBuffer
    let lines: [Line]
    /// What was left out.
    let notes: [ConvertedRecords.Note]

    /// Takes a file apart.
    ///
    /// - Throws: ``Failure`` for the first line that is not acceptable, and for a file without records.
    static func read(
        _ file: consuming SecretBuffer, _ format: ImportFormat, allowHTTP: Bool, quiet: Bool
    ) throws -> ImportedRecords {
        if format == .jsonl {
            let lines = try file.withBytes { content in
                try parse(content, places(in: content), format, allowHTTP: allowHTTP, quiet: quiet)
            }
            return ImportedRecords(content: file, lines: lines, notes: [])
        }
        let records = try converted(file, format)
        let entries = records.entries.map { Place(number: $0.line, range: $0.range) }
        let notes = records.notes
        let content = records.finish()
        let lines = try content.withBytes { try parse($0, entries, format, allowHTTP: allowHTTP, quiet: quiet) }
        return ImportedRecords(content: content, lines: lines, notes: notes)
    }

    private struct Place {
        let number: Int
        let range: Range<Int>
    }

    private static func converted(_ file: borrowing SecretBuffer, _ format: ImportFormat) throws -> ConvertedRecords {
        do throws(ConversionError) {
            return try file.withBytes { (text) throws(ConversionError) in
                format == .netrc ? try NetrcFile.records(text, now: .now) : try DotenvFile.records(text, now: .now)
            }
        } catch {
            throw failure(error.reason, at: error.lines, format)
        }
    }

    /// The lines that are not empty, without white space around them.
    private static func places(in content: Span<UInt8>) throws -> [Place] {
        var places: [Place] = []
        var number = 0
        var start = 0
        while start < content.count {
            number += 1
            let end = content.firstIndex(of: UInt8(ascii: "\n"), from: start, before: content.count) ?? content.count
            let trimmed = content.extracting(start..<end).trimmedRange
            if !trimmed.isEmpty {
                if places.isEmpty { try checkFirst(content.extracting(start..<end).extracting(trimmed), number) }
                places.append(Place(number: number, range: start + trimmed.lowerBound..<start + trimmed.upperBound))
            }
            start = end + 1
        }
        return places
    }

    private static func parse(
        _ content: Span<UInt8>, _ places: [Place], _ format: ImportFormat, allowHTTP: Bool, quiet: Bool
    ) throws -> [Line] {
        var lines: [Line] = []
        var names: [RecordName: Int] = [:]
        var bar = ProgressBar("reading", total: content.count)
        defer { bar.end() }
        let now = Timestamp.now
        for place in places {
            let text = content.extracting(place.range)
            do throws(ResourceError) {
                var view = try RecordView(incoming: text)
                view.complete(now: now, line: text)
                try view.resource.check(allowsHTTP: allowHTTP)
                try view.checkTokens(in: text)
                if let before = names.updateValue(place.number, forKey: view.resource.name) {
                    throw ResourceError.invalid("\(view.resource.name) stands on line \(before) already")
                }
                lines.append(Line(number: place.number, range: place.range, view: view))
            } catch {
                throw failure(error, at: [place.number], format)
            }
            if !quiet { bar.update(place.range.upperBound) }
        }
        if !quiet { bar.update(content.count) }
        guard !lines.isEmpty else { throw Failure(.usage, "there are no records to import") }
        return lines
    }

    // MARK: - What is wrong

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
        if line[0] != UInt8(ascii: "{") {
            throw Failure(
                .usage, "line \(number): this is no record in JSON",
                hint: "a file of another kind takes --format dotenv or --format netrc")
        }
    }

    /// What is damage in a vault is a bad input here; and of the hints for `add`, few are for a file.
    private static func failure(_ error: ResourceError, at lines: [Int], _ format: ImportFormat) -> Failure {
        let place = "line\(lines.count == 1 ? "" : "s") \(lines.map(String.init).enumeration)"
        let failure = Failure(error)
        return Failure(
            .usage, "\(place): \(failure.message)",
            hints: hints(error, format) ?? failure.hints)
    }

    /// The hints for an error that are not those of `add`.
    private static func hints(_ error: ResourceError, _ format: ImportFormat) -> [String]? {
        guard case .invalid(_, let remedy) = error else { return nil }
        switch (remedy, format) {
        case (.https, _): return nil
        case (.binding, _):
            return [
                "write '# vault: url=https://…' above a token, or '# vault: skip' above what is none",
                "or leave out what is not to be imported, and store one alone with '\(Process.name) add NAME --url URL'",
            ]
        case (.otherHeader, .dotenv):
            return ["if it is meant so, write header=\"X-Api-Key: {{token}}\" behind '# vault:' above it"]
        case (.otherHeader, .netrc): return ["with a login it is sent as 'Authorization: Basic', which takes any text"]
        case (.username, .dotenv): return ["write username=… behind '# vault:' above it"]
        default: return []
        }
    }
}
