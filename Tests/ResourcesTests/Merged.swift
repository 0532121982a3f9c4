import Resources
import Sodium
import TestSupport
import Testing
import VaultFile

/// What a merge of one record said, for a test to compare.
struct Merged: Equatable {
    /// The record as it would be stored; nil when there is none.
    var line: String?
    /// Which side the record is taken from; nil when it is a new one.
    var side: RecordMerge.Preference?
    var conflicts: [String] = []
    var settled: [String] = []
    var dropped: Int = 0

    init(
        base: String?, ours: String?, theirs: String?, preferring preference: RecordMerge.Preference? = nil,
        name: String = "a"
    ) throws {
        let name = try #require(RecordName(name))
        var merge = RecordMerge(preferring: preference)
        let bytes = (
            base: base.map { Array($0.utf8) }, ours: ours.map { Array($0.utf8) }, theirs.map { Array($0.utf8) }
        )
        let record = try merge.merge(
            name, base: bytes.base?.span, ours: bytes.ours?.span, theirs: bytes.2?.span)
        switch consume record {
        case .ours: (line, side) = (ours, .ours)
        case .theirs: (line, side) = (theirs, .theirs)
        case .new(let text): line = String(decoding: text.finish().bytes, as: UTF8.self)
        }
        conflicts = merge.conflicts.map(Self.word)
        settled = merge.settled.map(Self.word)
        dropped = merge.dropped.reduce(0) { $0 + $1.count }
        #expect((merge.conflicts + merge.settled).allSatisfy { $0.name == name })
        #expect(merge.dropped.allSatisfy { $0.name == name })
    }

    private static func word(_ conflict: RecordMerge.Conflict) -> String {
        switch conflict.subject {
        case .member(let name): name
        case .removedHere: "removed here"
        case .removedThere: "removed there"
        }
    }

    /// The record, read and checked.
    var record: (resource: Resource, tokens: [String], text: String) {
        get throws {
            let bytes = Array(try #require(line).utf8)
            let record = try Record(bytes.span)
            return (record.resource, record.tokens, record.text)
        }
    }
}

/// A record of a test, which is written without the code that is tested.
struct Sample: Equatable {
    struct Token: Equatable {
        var value: String
        var added: String?
        var expires: String?
        var retired: String?
        var unknown: [String: String] = [:]

        var text: String {
            var text = #"{"value":"\#(value)""#
            for (name, value) in unknown.sorted(by: { $0.key < $1.key }) { text += #","\#(name)":\#(value)"# }
            for (name, date) in [("added", added), ("expires", expires), ("retired", retired)] {
                if let date { text += #","\#(name)":"\#(date)""# }
            }
            return text + "}"
        }
    }

    var name = "a"
    /// The JSON of the members that are taken as a whole.
    var members = ["urls": #"["https://h"]"#]
    var created: String?
    var updated: String?
    var token = Token(value: "token-zero")
    var history: [Token] = []
    var unknown: [String: String] = [:]

    static let members = ["urls", "headers", "env", "username", "note", "tags"]

    var text: String {
        var text = #"{"name":"\#(name)""#
        for name in Self.members { if let value = members[name] { text += #","\#(name)":\#(value)"# } }
        if let created { text += #","created":"\#(created)""# }
        if let updated { text += #","updated":"\#(updated)""# }
        text += #","token":\#(token.text)"#
        if !history.isEmpty { text += #","history":[\#(history.map(\.text).joined(separator: ","))]"# }
        for (name, value) in unknown.sorted(by: { $0.key < $1.key }) { text += #","\#(name)":\#(value)"# }
        return text + "}"
    }

    /// The record after changes.
    func with(_ change: (inout Sample) -> Void) -> Sample {
        var other = self
        change(&other)
        return other
    }

    /// A day of January 2026, or of a month behind it.
    static func day(_ number: Int) -> String {
        let month = (number - 1) / 28 + 1
        let day = (number - 1) % 28 + 1
        return "2026-\(month < 10 ? "0" : "")\(month)-\(day < 10 ? "0" : "")\(day)T00:00:00Z"
    }

    /// What `vault rotate` does.
    func rotated(to value: String, on number: Int) -> Sample {
        with { sample in
            sample.token.retired = Self.day(number)
            sample.history = Array(([sample.token] + sample.history).prefix(Resource.historyLimit))
            sample.token = Token(value: value, added: Self.day(number))
            sample.updated = Self.day(number)
        }
    }

    /// What `vault rollback` does.
    func rolledBack(on number: Int) -> Sample {
        with { sample in
            guard var previous = sample.history.first else { return }
            previous.retired = nil
            sample.token.retired = Self.day(number)
            sample.history[0] = sample.token
            sample.token = previous
            sample.updated = Self.day(number)
        }
    }
}
