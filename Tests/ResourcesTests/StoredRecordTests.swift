import Resources
import Sodium
import TestSupport
import Testing
import VaultFile

/// Records that a hostile writer, or another version, put into a vault.
@Suite struct StoredRecordTests {
    private func reason(_ text: String) throws -> String {
        let bytes = Array(text.utf8)
        let error = #expect(throws: ResourceError.self) { _ = try Record(bytes.span) }
        #expect(throws: ResourceError.self) { _ = try RecordView(bytes.span) }
        guard case .malformedRecord(let name, let reason) = try #require(error) else { return "" }
        #expect(name == "a")
        return reason
    }

    private func line(_ token: String = "token-zero", _ more: String = "") -> String {
        #"{"name":"a","urls":["https://h"],"token":{"value":"\#(token)"}\#(more)}"#
    }

    @Test(arguments: [
        #"token\nzero"#, #"token\r\nzero"#, #"token\u0000zero"#, #"token\u001bzero"#, "token\u{7f}zero",
        "token\u{85}zero", #"token\u009bzero"#, "short", "", "token zero",
    ])
    func `A token that no writer may store is refused by every reader`(token: String) throws {
        #expect(try reason(line(token)).hasPrefix("the token "))
    }

    @Test(arguments: [#"one\ntwo"#, #"\u0000"#, "\u{7f}", "\u{9b}31m"])
    func `So is an earlier one with a control character`(token: String) throws {
        #expect(try reason(line("token-zero", #","history":[{"value":"\#(token)"}]"#)).contains("token"))
    }

    @Test func `An earlier token may have another shape than the headers ask for now`() throws {
        let text = line("token-zero", #","history":[{"value":"to ken"}]"#)
        _ = try Record(Array(text.utf8).span)
    }

    @Test(arguments: [
        #""username":"a\nb""#, #""username":"a\u0000b""#, "\"username\":\"a\u{9b}b\"", #""note":"a\u001bb""#,
        #""note":"\u0085""#, #""tags":["ci","\u009b"]"#, #""headers":["A: {{basic}}"]"#,
        #""headers":["A: {{basic}}"],"username":"a:b""#, #""headers":["A: 1","a: 2"]"#,
        #""env":["A={{token}}","A={{name}}"]"#,
    ])
    func `A field that no writer may store is refused by every reader`(member: String) throws {
        #expect(try !reason(line("token-zero", "," + member)).isEmpty)
    }

    @Test func `A resource without a URL, or with a query in one, is refused by every reader`() throws {
        #expect(try !reason(line().replacing(#""https://h""#, with: "")).isEmpty)
        #expect(try !reason(line().replacing("https://h", with: "https://h?x")).isEmpty)
    }

    @Test func `Whether http was meant is the writer's business`() throws {
        _ = try Record(Array(line().replacing("https", with: "http").utf8).span)
    }

    @Test func `The name of a variable that is refused is refused when it is used`() throws {
        let text = line("token-zero", #","env":["GIT_ASKPASS={{token}}"]"#)
        let record = try Record(Array(text.utf8).span)
        #expect(record.resource.listedEnvironment.map(\.text) == ["GIT_ASKPASS={{token}}"])
        #expect(throws: ResourceError.self) { _ = try record.resource.environment() }
        #expect(throws: ResourceError.self) { try record.resource.check(allowsHTTP: true) }
        #expect(try record.edited(record.resource).text.contains(#""env":["GIT_ASKPASS={{token}}"]"#))
        // A new version of the program may know names that this one refuses; what is no name is none for it as well.
        #expect(try !reason(line("token-zero", #","env":["1={{token}}"]"#)).isEmpty)
    }

    // MARK: - The list

    private func summary(url: String) throws -> RecordSummary {
        try RecordSummary(Array(#"{"name":"a","urls":["\#(url)"],"token":{"value":"token-zero"}}"#.utf8).span)
    }

    @Test(arguments: ["https://h/\u{9b}", "https://h/\u{7f}", "https://h/ü", "https://h/ ", "\u{202e}"])
    func `A URL that a terminal would obey is not listed`(url: String) throws {
        #expect(throws: ResourceError.self) { _ = try summary(url: url) }
        _ = try summary(url: "https://h/~!")
    }

    // MARK: - Writing

    @Test func `A token that is spelled with escapes is written in one spelling`() throws {
        let text = line(#"\u0074oken\/zero"#, #","history":[{"value":"\u006fne\"\\two"}]"#)
        let record = try readRecord(text)
        #expect(
            try record.edited(record.resource).text == line("token/zero", #","history":[{"value":"one\"\\two"}]"#))
    }

    @Test func `As much of the history stays as fits`() throws {
        let big = String(repeating: "x", count: 16_000)
        var record = try readRecord(line())
        for number in 1...4 { record = try record.rotated(to: "\(number)\(big)", at: number) }
        let rotated = try record.rotated(to: "5\(big)", at: 5)
        guard let fitted = try rotated.fitted() else {
            Issue.record("a record that fits")
            return
        }
        let (before, after) = (rotated.fits, fitted.fits)
        #expect(!before && after)
        #expect(fitted.tokens.map { $0.prefix(1) } == ["5", "4", "3", "2"])
        let isShortened = try fitted.fitted() != nil
        #expect(!isShortened)
    }
}
