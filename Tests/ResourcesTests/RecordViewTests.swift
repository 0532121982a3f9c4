import Foundation
import Resources
import Sodium
import TestSupport
import Testing
import VaultFile

@Suite struct RecordViewTests {
    private func line(_ token: String, _ more: String = "") -> String {
        #"{"name":"a","urls":["https://h"],"token":{"value":"\#(token)"}\#(more)}"#
    }

    private func check(_ text: String) throws { try readView(text).checkTokens(in: Array(text.utf8).span) }

    // MARK: - Checking

    @Test(arguments: ["token-zero", #"tok\u0065n-zero"#, #"token\/zero"#])
    func `Tokens that can stand in the headers pass`(token: String) throws {
        try check(line(token))
        try check(line(token, #","history":[{"value":"\#(token)"}]"#))
    }

    @Test(arguments: [
        "", "short", #"\u0073hort"#, "token zero", #"token\nzero"#, #"token\u0000zero"#, #"token\u007fzero"#,
        #"token\"zero"#, "tokén-zero", #"tok\u00e9n-zero"#,
    ])
    func `Tokens that cannot stand in the headers are refused, earlier ones too`(token: String) {
        #expect(throws: ResourceError.self) { try check(line(token)) }
        #expect(throws: ResourceError.self) { try check(line("token-zero", #","history":[{"value":"\#(token)"}]"#)) }
    }

    @Test(arguments: ["token zero", #"token\"zero"#, "tokén-zero", #"\\u0073hort"#])
    func `The headers are the record's own`(token: String) throws {
        try check(line(token, #","headers":["X: {{token}}"]"#))
        #expect(throws: ResourceError.self) { try check(line(token)) }
    }

    @Test func `A token is 16 KiB at most, as it is spelled`() throws {
        try check(line(String(repeating: "a", count: 16_384)))
        #expect(throws: ResourceError.self) { try check(line(String(repeating: "a", count: 16_385))) }
        try check(line(String(repeating: #"\u0061"#, count: 2730)))
        #expect(throws: ResourceError.self) { try check(line(String(repeating: #"\u0061"#, count: 2731))) }
    }

    // MARK: - Completing

    private func completed(_ text: String) throws -> Resource {
        var view = try readView(text)
        view.complete(now: Timestamp(seconds: 60), line: Array(text.utf8).span)
        return view.resource
    }

    @Test func `What has no dates is new`() throws {
        let resource = try completed(line("token-zero"))
        #expect(resource.created == Timestamp(seconds: 60))
        #expect(resource.updated == Timestamp(seconds: 60))
        #expect(resource.token == .init(added: Timestamp(seconds: 60), expires: nil))
    }

    @Test func `Dates that are there stay`() throws {
        let text =
            #"{"name":"a","urls":[],"created":"1970-01-01","updated":"1970-01-02","#
            + #""token":{"value":"token-zero","added":"1970-01-03","expires":"1970-01-04"}}"#
        #expect(try completed(text) == readView(text).resource)
    }

    @Test func `A longer history than is kept loses its oldest tokens`() throws {
        let history = (1...7).map { "{\"value\":\"token-no-\($0)\"}" }.joined(separator: ",")
        let text = line("token-zero", ",\"history\":[\(history)]")
        var view = try readView(text)
        view.complete(now: Timestamp(seconds: 60), line: Array(text.utf8).span)
        let record = try Record(view, Array(text.utf8).span)
        #expect(record.tokens == ["token-zero"] + (1...5).map { "token-no-\($0)" })
    }

    @Test(arguments: [nil, "1970-01-04"])
    func `The expiry of a JWT is read where none is given`(given: String?) throws {
        let parts = [#"{"alg":"none"}"#, #"{"exp":1700000000}"#].map { part in
            Data(part.utf8).base64EncodedString().replacing("=", with: "")
        }
        let expires = given.map { ",\"expires\":\"\($0)\"" } ?? ""
        let text = #"{"name":"a","urls":[],"token":{"value":"\#(parts[0]).\#(parts[1])."\#(expires)}}"#
        #expect(
            try completed(text).token.expires
                == (given == nil ? Timestamp(seconds: 1_700_000_000) : Timestamp(seconds: 259_200)))
        // Also where an escape stands in it.
        #expect(try completed(text.replacing("\"ey", with: #""\u0065y"#)).token == completed(text).token)
    }

    // MARK: - Where the secrets stand

    @Test func `The ranges hold every token and nothing else, in ascending order`() throws {
        let text =
            #"{"history":[{"value":"one\"1"},{"value":"two-2","x":"three"}],"name":"a","urls":[],"token":{"value":"zéro"}}"#
        let bytes = Array(text.utf8)
        let ranges = try readView(text).secretRanges
        #expect(ranges.map { String(decoding: bytes[$0], as: UTF8.self) } == [#"one\"1"#, "two-2", "zéro"])
        #expect(ranges == ranges.sorted { $0.lowerBound < $1.lowerBound })
    }

    @Test func `A record in its one spelling holds what the view says`() throws {
        let text = line(#"to\u006ben-zero"#)
        var view = try readView(text)
        view.complete(now: Timestamp(seconds: 60), line: Array(text.utf8).span)
        let record = try Record(view, Array(text.utf8).span)
        #expect(record.resource == view.resource)
        #expect(record.tokens == ["token-zero"])
        #expect(record.text == view.text(of: text))
        #expect(record.text.hasPrefix(#"{"name":"a","urls":["https://h"],"created":"1970-01-01T00:01:00Z","#))
    }
}
