import Resources
import Sodium
import TestSupport
import Testing
import VaultFile

/// A record that was made of a file of another kind.
struct Converted {
    let line: Int
    let resource: Resource
    let tokens: [String]

    /// All of them, by name; they must be fit to be imported.
    static func all(_ records: consuming ConvertedRecords) throws -> [String: Converted] {
        let entries = records.entries
        let json = records.finish().finish().bytes
        var all: [String: Converted] = [:]
        for entry in entries {
            let bytes = Array(json[entry.range])
            let view = try RecordView(incoming: bytes.span)
            try view.checkTokens(in: bytes.span)
            let record = try Record(view, bytes.span)
            let found = Converted(line: entry.line, resource: record.resource, tokens: record.tokens)
            #expect(all.updateValue(found, forKey: record.resource.name.description) == nil)
        }
        return all
    }
}

/// What a conversion that has to fail says.
func conversionFailure(_ body: () throws(ConversionError) -> Void) throws -> (lines: [Int], reason: String) {
    let error = #expect(throws: ConversionError.self) { try body() }
    let found = try #require(error)
    guard case .invalid(let reason, _) = found.reason else { return (found.lines, "") }
    return (found.lines, reason)
}
