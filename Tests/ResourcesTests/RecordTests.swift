import Foundation
import Resources
import Sodium
import TestSupport
import Testing
import VaultFile

@Suite struct RecordTests {
    private static let whole =
        #"{"name":"github","urls":["https://api.github.com","http://localhost:8080/v1"],"#
        + #""headers":["Authorization: Bearer {{token}}","X-Name: {{name}}"],"env":["GITHUB_TOKEN={{token}}"],"#
        + #""username":"alice","note":"für \"Ünï\" \\ 🙂","tags":["ci","prod"],"created":"2026-01-01T00:00:00Z","#
        + #""updated":"2026-02-01T00:00:00Z","token":{"value":"token-zero","added":"2026-02-01T00:00:00Z","#
        + #""expires":"2027-01-01T00:00:00Z"},"history":[{"value":"token-one","added":"2026-01-15T00:00:00Z","#
        + #""retired":"2026-02-01T00:00:00Z"},{"value":"token-two","added":"2026-01-01T00:00:00Z","#
        + #""expires":"2026-01-20T00:00:00Z","retired":"2026-01-15T00:00:00Z"}]}"#
    private static let least = #"{"name":"a","urls":["https://h"],"token":{"value":"token-zero"}}"#

    // MARK: - Reading and writing

    @Test func `A record that has everything is read`() throws {
        let record = try readRecord(Self.whole)
        let resource = record.resource
        #expect(resource.name.description == "github")
        #expect(resource.urls.map(\.description) == ["https://api.github.com", "http://localhost:8080/v1"])
        #expect(resource.headers.map(\.text) == ["Authorization: Bearer {{token}}", "X-Name: {{name}}"])
        #expect(try resource.environment().map(\.text) == ["GITHUB_TOKEN={{token}}"])
        #expect(resource.username == "alice")
        #expect(resource.note == "für \"Ünï\" \\ 🙂")
        #expect(resource.tags == ["ci", "prod"])
        #expect(resource.created?.description == "2026-01-01T00:00:00Z")
        #expect(resource.updated?.description == "2026-02-01T00:00:00Z")
        #expect(resource.token.added?.description == "2026-02-01T00:00:00Z")
        #expect(resource.token.expires?.description == "2027-01-01T00:00:00Z")
        #expect(resource.token.retired == nil)
        #expect(resource.history.map { $0.retired?.description } == ["2026-02-01T00:00:00Z", "2026-01-15T00:00:00Z"])
        #expect(resource.history.map { $0.expires?.description } == [nil, "2026-01-20T00:00:00Z"])
        #expect(record.tokens == ["token-zero", "token-one", "token-two"])
    }

    @Test func `A record that has the least is read`() throws {
        let record = try readRecord(Self.least)
        #expect(record.tokens == ["token-zero"])
        #expect(record.resource.headers == [.default])
        #expect(record.resource.givenEnvironment == nil)
        #expect(record.resource.created == nil)
        #expect(record.resource.token == Resource.TokenDates(added: nil, expires: nil))
        #expect(record.resource.history.isEmpty)
    }

    @Test(arguments: [whole, least])
    func `A record that is written again is the same`(text: String) throws {
        let record = try readRecord(text)
        #expect(try record.edited(record.resource).text == text)
        #expect(try readView(text).text(of: text) == text)
    }

    @Test func `White space and the order of members make no other record`() throws {
        let text =
            "{ \"token\" : {\t\"expires\":\"2027-01-01T01:00:00+01:00\" , \"value\":\"token-zero\"},"
            + "\"tags\":[ ], \"urls\" :[ \"HTTPS://H:443/\" ] ,\"name\":\"a\" , \"headers\":[],\"env\":[]}"
        let record = try readRecord(text)
        #expect(
            try record.edited(record.resource).text
                == #"{"name":"a","urls":["https://h"],"headers":[],"env":[],"#
                + #""token":{"value":"token-zero","expires":"2027-01-01T00:00:00Z"}}"#)
    }

    @Test func `A new record is one line that begins with its name`() throws {
        let resource = Resource(
            name: try #require(RecordName("a/b")), urls: [try ResourceURL("https://h")],
            headers: [try HeaderTemplate("X: \"{{token}}\"\\")],
            environment: [try EnvironmentTemplate("A=\u{2028}{{token}}")],
            username: "a\"b", note: "\u{7f}", tags: ["\\"], now: Timestamp(seconds: 0), expires: Timestamp(seconds: 60))
        let record = try Record(resource, token: SecretBytes(Array("to\"k\\en ü".utf8)))
        #expect(record.resource == resource)
        #expect(record.tokens == ["to\"k\\en ü"])
        #expect(record.text.hasPrefix(#"{"name":"a/b","urls":["https://h"],"#))
        #expect(record.text.contains(#""token":{"value":"to\"k\\en ü","added":"1970-01-01T00:00:00Z","#))
        #expect(!record.text.utf8.contains { $0 < 0x20 || $0 == 0x7f })
        // Somebody else's reader sees the same.
        let object = try #require(
            try JSONSerialization.jsonObject(with: Data(record.text.utf8)) as? [String: any Sendable])
        #expect((object["token"] as? [String: any Sendable])?["value"] as? String == "to\"k\\en ü")
        #expect(object["headers"] as? [String] == ["X: \"{{token}}\"\\"])
        #expect(object["env"] as? [String] == ["A=\u{2028}{{token}}"])
    }

    @Test(arguments: [
        (#"plain-token"#, "plain-token"), (#"quo\"te\\back"#, "quo\"te\\back"), (#"sl\/ash-to"#, "sl/ash-to"),
        (#"\u0074oken\u002dA"#, "token-A"), (#"\u00e9\u20AC\ud83d\ude42"#, "é€🙂"), ("é€🙂-token", "é€🙂-token"),
        ("", ""), (#"\\u0041"#, "\\u0041"),
    ])
    func `A token is what its escapes stand for, and is written in one spelling`(spelled: String, token: String) throws
    {
        let text = #"{"name":"a","urls":[],"token":{"value":"\#(spelled)"},"history":[{"value":"\#(spelled)"}]}"#
        let record = try readRecord(text)
        #expect(record.tokens == [token, token])
        let one = token.replacing("\\", with: #"\\"#).replacing("\"", with: #"\""#)
        #expect(try record.edited(record.resource).text == text.replacing("\"\(spelled)\"", with: "\"\(one)\""))
        #expect(try record.rotated(to: "token-new", at: 0).tokens == ["token-new", token, token])
        #expect(try record.rolledBack(now: Timestamp(seconds: 0)).tokens == [token, token])
    }

    @Test(arguments: ["headers", "env", "username", "note", "tags", "created", "updated", "history"])
    func `Null is the same as absent`(member: String) throws {
        let text = Self.least.replacing("}}", with: "},\"\(member)\":null}")
        let record = try readRecord(text)
        #expect(try record.resource == readRecord(Self.least).resource)
        #expect(try record.edited(record.resource).text == Self.least)
        for date in ["added", "expires", "retired"] {
            let text = Self.least.replacing("}}", with: ",\"\(date)\":null}}")
            let record = try readRecord(text)
            #expect(try record.edited(record.resource).text == Self.least)
        }
    }

    // MARK: - Records that are none

    @Test(arguments: [
        (#"{"urls":[],"token":{"value":"x"}}"#, "?", #"it has no "name""#),
        (#"{"name":"a","token":{"value":"x"}}"#, "a", #"it has no "urls""#),
        (#"{"name":"a","urls":[]}"#, "a", #"it has no "token" with a "value""#),
        (#"{"name":null,"urls":[],"token":{"value":"x"}}"#, "?", #"it has no "name""#),
        (#"{"name":"a","urls":null,"token":{"value":"x"}}"#, "a", #"it has no "urls""#),
        (#"{"name":"a","urls":[],"token":null}"#, "a", #"it has no "token" with a "value""#),
    ])
    func `A record that lacks what it needs is none`(text: String, name: String, reason: String) {
        let error = #expect(throws: ResourceError.self) { _ = try readRecord(text) }
        #expect(error == .malformedRecord(name: name, reason))
        #expect(throws: ResourceError.self) { _ = try readView(text) }
    }

    @Test(arguments: [
        "", " ", "x", "[]", "null", "{", "{}x", "{}\n", "{} ", "{\"name\":\"a\"",
        // A name, a URL, a header, a variable that cannot be.
        #"{"name":"","urls":[],"token":{"value":"x"}}"#, #"{"name":"-a","urls":[],"token":{"value":"x"}}"#,
        #"{"name":"a b","urls":[],"token":{"value":"x"}}"#, #"{"name":"ä","urls":[],"token":{"value":"x"}}"#,
        #"{"name":1,"urls":[],"token":{"value":"x"}}"#, #"{"name":["a"],"urls":[],"token":{"value":"x"}}"#,
        #"{"name":"a","urls":["h"],"token":{"value":"x"}}"#, #"{"name":"a","urls":"https://h","token":{"value":"x"}}"#,
        #"{"name":"a","urls":[null],"token":{"value":"x"}}"#, #"{"name":"a","urls":[1],"token":{"value":"x"}}"#,
        #"{"name":"a","urls":["https://u@h"],"token":{"value":"x"}}"#,
        #"{"name":"a","urls":[],"headers":["X"],"token":{"value":"x"}}"#,
        #"{"name":"a","urls":[],"headers":["X: a\r\nY: b"],"token":{"value":"x"}}"#,
        #"{"name":"a","urls":[],"headers":{},"token":{"value":"x"}}"#,
        #"{"name":"a","urls":[],"env":["LD_PRELOAD=x"],"token":{"value":"x"}}"#,
        #"{"name":"a","urls":[],"env":["PATH={{token}}"],"token":{"value":"x"}}"#,
        #"{"name":"a","urls":[],"env":["X={{other}}"],"token":{"value":"x"}}"#,
        #"{"name":"a","urls":[],"username":1,"token":{"value":"x"}}"#,
        #"{"name":"a","urls":[],"note":{},"token":{"value":"x"}}"#,
        #"{"name":"a","urls":[],"tags":"ci","token":{"value":"x"}}"#,
        // Dates.
        #"{"name":"a","urls":[],"created":"","token":{"value":"x"}}"#,
        #"{"name":"a","urls":[],"created":1700000000,"token":{"value":"x"}}"#,
        #"{"name":"a","urls":[],"updated":"2026-02-30","token":{"value":"x"}}"#,
        #"{"name":"a","urls":[],"token":{"value":"x","added":"soon"}}"#,
        #"{"name":"a","urls":[],"token":{"value":"x","expires":"90d"}}"#,
        #"{"name":"a","urls":[],"token":{"value":"x"},"history":[{"value":"y","retired":"2026"}]}"#,
        // Tokens.
        #"{"name":"a","urls":[],"token":"x"}"#, #"{"name":"a","urls":[],"token":{}}"#,
        #"{"name":"a","urls":[],"token":{"value":null}}"#, #"{"name":"a","urls":[],"token":{"value":1}}"#,
        #"{"name":"a","urls":[],"token":[{"value":"x"}]}"#, #"{"name":"a","urls":[],"token":{"added":"2026-01-01"}}"#,
        #"{"name":"a","urls":[],"token":{"value":"x"},"history":{}}"#,
        #"{"name":"a","urls":[],"token":{"value":"x"},"history":[null]}"#,
        #"{"name":"a","urls":[],"token":{"value":"x"},"history":["y"]}"#,
        #"{"name":"a","urls":[],"token":{"value":"x"},"history":[{}]}"#,
        // Members that stand twice, also when an escape hides it.
        #"{"name":"a","name":"b","urls":[],"token":{"value":"x"}}"#,
        #"{"name":"a","urls":[],"token":{"value":"x"},"token":{"value":"y"}}"#,
        #"{"name":"a","urls":[],"token":{"value":"x","value":"y"}}"#,
        #"{"name":"a","urls":[],"token":{"value":"x","v\u0061lue":"y"}}"#,
        #"{"name":"a","urls":[],"token":{"value":"x"},"other":1,"other":1}"#,
        #"{"name":"a","urls":[],"token":{"value":"x"},"other":{"b":1,"b":2}}"#,
        #"{"name":"a","urls":[],"note":null,"note":"x","token":{"value":"x"}}"#,
        // Broken JSON.
        #"{"name":"a","urls":[],"token":{"value":"x}}"#, #"{"name":"a","urls":[],"token":{"value":"x"},}"#,
        #"{"name":"a","urls":[,],"token":{"value":"x"}}"#,
        "{\"name\":\"a\",\"urls\":[],\"token\":{\"value\":\"x\ny\"}}",
        #"{"name":"a","urls":[],"token":{"value":"\ud800"}}"#, #"{"name":"a","urls":[],"token":{"value":"\x"}}"#,
        #"{"name":"a","urls":[],"token":{"value":"x"},"other":nul}"#,
    ])
    func `A record that is malformed is none`(text: String) throws {
        let error = #expect(throws: ResourceError.self) { _ = try readRecord(text) }
        guard case .malformedRecord = try #require(error) else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(throws: ResourceError.self) { _ = try readView(text) }
    }

    @Test func `A record that is no UTF-8 is none`() {
        var bytes = Array(Self.least.utf8)
        bytes[bytes.count - 5] = 0xff
        #expect(throws: ResourceError.self) { _ = try Record(bytes.span) }
    }

    @Test(arguments: [
        #"{"name":"a","urls":[],"token":{"value":"hunter22hunter22"#,
        #"{"name":"a","urls":[],"token":{"value":"hunter22\x"}}"#,
        #"{"name":"a","urls":[],"token":{"value":"hunter22"},"history":[{"value":"hunter22"}]"#,
        #"{"name":"a","urls":[],"token":{"value":"hunter22","value":"hunter22"}}"#,
        #"{"name":"a","urls":[],"token":["hunter22"]}"#, #"{"name":"a","urls":[],"token":"hunter22"}"#,
        #"{"name":"a","urls":[],"token":{"value":"x"},"created":"hunter22"}"#,
    ])
    func `No message holds any of a token`(text: String) throws {
        let error = #expect(throws: ResourceError.self) { _ = try readRecord(text) }
        #expect(!"\(try #require(error))".contains("hunter"))
    }

    // MARK: - Members of later versions

    private static let foreign =
        #"{"name":"a","x1":{"deep":[1,{"er":null}]},"urls":["https://h"],"x2":"é\u00e9","token":{"t1":true,"#
        + #""value":"token-zero","t2":[]},"x3":-1.5e3,"history":[{"value":"token-one","h1":"one"},"#
        + #"{"h2":{"a":"b"},"value":"token-two"}],"x4":null}"#
    private static let members = [
        #""x1":{"deep":[1,{"er":null}]}"#, #""x2":"é\u00e9""#, #""x3":-1.5e3"#, #""x4":null"#,
    ]

    @Test func `Members of later versions are kept by an edit`() throws {
        let record = try readRecord(Self.foreign)
        var resource = record.resource
        resource.note = "new"
        resource.name = try #require(RecordName("b"))
        let edited = try record.edited(resource)
        #expect(
            edited.text
                == #"{"name":"b","urls":["https://h"],"note":"new","token":{"value":"token-zero","t1":true,"t2":[]},"#
                + #""history":[{"value":"token-one","h1":"one"},{"value":"token-two","h2":{"a":"b"}}],"#
                + Self.members.joined(separator: ",") + "}")
        #expect(try edited.edited(edited.resource).text == edited.text)
        #expect(try readView(Self.foreign).text(of: Self.foreign) == record.edited(record.resource).text)
    }

    @Test func `Members of later versions go into the history with their token`() throws {
        let rotated = try readRecord(Self.foreign).rotated(to: "token-new", at: 60, expires: 120)
        #expect(
            rotated.text
                == #"{"name":"a","urls":["https://h"],"updated":"1970-01-01T00:01:00Z","#
                + #""token":{"value":"token-new","added":"1970-01-01T00:01:00Z","expires":"1970-01-01T00:02:00Z"},"#
                + #""history":[{"value":"token-zero","t1":true,"t2":[],"retired":"1970-01-01T00:01:00Z"},"#
                + #"{"value":"token-one","h1":"one"},{"value":"token-two","h2":{"a":"b"}}],"#
                + Self.members.joined(separator: ",") + "}")
    }

    @Test func `Members of later versions come back out of the history with their token`() throws {
        let back = try readRecord(Self.foreign).rolledBack(now: Timestamp(seconds: 60))
        #expect(
            back.text
                == #"{"name":"a","urls":["https://h"],"updated":"1970-01-01T00:01:00Z","#
                + #""token":{"value":"token-one","h1":"one"},"#
                + #""history":[{"value":"token-zero","t1":true,"t2":[],"retired":"1970-01-01T00:01:00Z"},"#
                + #"{"value":"token-two","h2":{"a":"b"}}],"#
                + Self.members.joined(separator: ",") + "}")
    }

    @Test func `A member of a later version that is null is kept in a token as well`() throws {
        let text = #"{"name":"a","urls":[],"token":{"value":"token-zero","t1":null}}"#
        let record = try readRecord(text)
        #expect(try record.edited(record.resource).text == text)
    }

    // MARK: - Rotating

    @Test func `A new token takes the place of the current one, with dates of its own`() throws {
        let record = try readRecord(Self.whole)
        let rotated = try record.rotated(to: "token-\"new\\", at: 1_800_000_000)
        #expect(rotated.tokens == ["token-\"new\\", "token-zero", "token-one", "token-two"])
        #expect(rotated.resource.token == .init(added: Timestamp(seconds: 1_800_000_000), expires: nil))
        #expect(rotated.resource.updated == Timestamp(seconds: 1_800_000_000))
        #expect(rotated.resource.created == record.resource.created)
        // The expiry is the token's.
        #expect(rotated.resource.history[0].expires == record.resource.token.expires)
        #expect(rotated.resource.history[0].added == record.resource.token.added)
        #expect(rotated.resource.history[0].retired == Timestamp(seconds: 1_800_000_000))
        #expect(Array(rotated.resource.history.dropFirst()) == record.resource.history)
        #expect(rotated.resource.note == record.resource.note)
    }

    @Test func `The history keeps five tokens, the latest first`() throws {
        var record = try readRecord(Self.least)
        for number in 1...8 { record = try record.rotated(to: "token-\(number)", at: number) }
        #expect(record.tokens == ["token-8", "token-7", "token-6", "token-5", "token-4", "token-3"])
        #expect(record.resource.history.map { $0.retired?.seconds } == [8, 7, 6, 5, 4])
        #expect(record.resource.history.map { $0.added?.seconds } == [7, 6, 5, 4, 3])
    }

    @Test(arguments: [
        (0, ["token-new"]), (1, ["token-new", "token-zero"]), (2, ["token-new", "token-zero", "token-one"]),
    ])
    func `The history can be kept shorter`(limit: Int, tokens: [String]) throws {
        let rotated = try readRecord(Self.whole).rotated(to: "token-new", at: 0, limit: limit)
        #expect(rotated.tokens == tokens)
        #expect(rotated.text.contains("history") == (limit > 0))
    }

    @Test func `An edit with a shorter history drops the oldest tokens`() throws {
        let record = try readRecord(Self.whole)
        var resource = record.resource
        resource.history.removeLast()
        #expect(try record.edited(resource).tokens == ["token-zero", "token-one"])
    }

    @Test func `A record fits into a block or does not`() throws {
        let size = 65_535 - Self.least.utf8.count  // What is left for a note.
        let text = Self.least.replacing("}}", with: "},\"note\":\"\"}")
        #expect(try readRecord(text.replacing("\"\"", with: "\"\(String(repeating: "n", count: size - 10))\"")).fits)
        #expect(try !readRecord(text.replacing("\"\"", with: "\"\(String(repeating: "n", count: size - 9))\"")).fits)
    }

    // MARK: - Rolling back

    @Test func `The previous token comes back, with its dates`() throws {
        let record = try readRecord(Self.whole)
        let back = try record.rolledBack(now: Timestamp(seconds: 60))
        #expect(back.tokens == ["token-one", "token-zero", "token-two"])
        #expect(back.resource.token == .init(added: record.resource.history[0].added, expires: nil))
        #expect(back.resource.history[0].expires == record.resource.token.expires)
        #expect(back.resource.history[0].retired == Timestamp(seconds: 60))
        #expect(back.resource.history[1] == record.resource.history[1])
        #expect(back.resource.updated == Timestamp(seconds: 60))
    }

    @Test func `Rolling back twice changes nothing of the tokens`() throws {
        let record = try readRecord(Self.whole)
        let twice = try record.rolledBack(now: Timestamp(seconds: 60)).rolledBack(now: Timestamp(seconds: 120))
        #expect(twice.tokens == record.tokens)
        #expect(twice.resource.token == record.resource.token)
        #expect(twice.resource.history.map(\.expires) == record.resource.history.map(\.expires))
    }

    @Test func `Without an earlier token there is nothing to go back to`() throws {
        #expect(throws: ResourceError.noEarlierToken) {
            _ = try readRecord(Self.least).rolledBack(now: Timestamp(seconds: 0))
        }
    }

    // MARK: - Replacing

    private static let incoming =
        #"{"name":"github","urls":["https://h"],"x5":5,"token":{"value":"token-new","t5":5},"#
        + #""updated":"2026-03-01T00:00:00Z","created":"2026-03-01T00:00:00Z"}"#

    @Test func `A record with another token retires the current one`() throws {
        let old = try readRecord(Self.whole)
        let replaced = try old.replaced(by: readRecord(Self.incoming))
        #expect(replaced.tokens == ["token-new", "token-zero", "token-one", "token-two"])
        #expect(replaced.resource.history[0].retired?.description == "2026-03-01T00:00:00Z")
        #expect(replaced.resource.history[0].expires == old.resource.token.expires)
        #expect(replaced.resource.created == old.resource.created)
        #expect(replaced.resource.updated?.description == "2026-03-01T00:00:00Z")
        // The configuration is the new one, also where that has nothing.
        #expect(replaced.resource.urls.map(\.description) == ["https://h"])
        #expect(replaced.resource.note == nil)
        #expect(replaced.resource.tags.isEmpty)
    }

    @Test func `A record with the same token keeps the history and the token's age`() throws {
        let old = try readRecord(Self.whole)
        let added = #""token":{"value":"token-zero","added":"2026-03-01T00:00:00Z","t5":5}"#
        let new = Self.incoming.replacing(#""token":{"value":"token-new","t5":5}"#, with: added)
        let replaced = try old.replaced(by: readRecord(new))
        #expect(replaced.tokens == old.tokens)
        #expect(replaced.resource.history == old.resource.history)
        // It is not newer for being stored once more, and does not end later for not saying when.
        #expect(replaced.resource.token == old.resource.token)
        #expect(replaced.resource.urls.map(\.description) == ["https://h"])
        #expect(replaced.resource.note == nil)
    }

    @Test func `A token that is the same keeps its age also beside another history`() throws {
        let old = try readRecord(Self.least.replacing("}}", with: #","added":"2026-01-01T00:00:00Z"}}"#))
        let new = Self.least.replacing(
            "}}", with: #","added":"2026-03-01T00:00:00Z"},"history":[{"value":"token-one"}]}"#)
        let replaced = try old.replaced(by: readRecord(new))
        #expect(replaced.tokens == ["token-zero", "token-one"])
        #expect(replaced.resource.token.added?.description == "2026-01-01T00:00:00Z")
    }

    @Test func `A record with a history of its own is taken as it is`() throws {
        let replaced = try readRecord(Self.least).replaced(by: readRecord(Self.foreign))
        #expect(replaced.tokens == ["token-zero", "token-one", "token-two"])
        let other = try readRecord(Self.foreign)
        #expect(try replaced.text == other.edited(other.resource).text)
    }

    private static let rolledBack =
        #"{"name":"a","urls":["https://h"],"updated":"2026-03-01T00:00:00Z","token":{"value":"token-two"},"#
        + #""history":[{"value":"token-one","h1":1}]}"#

    @Test func `The current token is kept beside a history that does not have it`() throws {
        let old = try readRecord(
            #"{"name":"a","urls":["https://h"],"token":{"value":"token-three","t3":3,"expires":"2027-01-01"},"#
                + #""history":[{"value":"token-two"},{"value":"token-one"}]}"#)
        let replaced = try old.replaced(by: readRecord(Self.rolledBack))
        #expect(replaced.tokens == ["token-two", "token-three", "token-one"])
        #expect(replaced.resource.history[0].retired?.description == "2026-03-01T00:00:00Z")
        #expect(replaced.resource.history[0].expires == old.resource.token.expires)
        #expect(replaced.text.contains(#"{"value":"token-three","t3":3,"#))
        #expect(replaced.text.contains(#"{"value":"token-one","h1":1}"#))
    }

    @Test func `A history that has the current token already is taken as it is`() throws {
        let old = try readRecord(Self.least.replacing("token-zero", with: "token-one"))
        let replaced = try old.replaced(by: readRecord(Self.rolledBack))
        #expect(try replaced.text == readRecord(Self.rolledBack).edited(replaced.resource).text)
        #expect(replaced.tokens == ["token-two", "token-one"])
    }

    @Test func `The members of later versions are those of both, and first of the record that came`() throws {
        let old = try readRecord(Self.foreign)
        let other = try old.replaced(by: readRecord(Self.incoming))
        #expect(other.text.hasSuffix(#","x5":5,"# + Self.members.joined(separator: ",") + "}"))
        #expect(other.text.contains(#""token":{"value":"token-new","t5":5"#))
        #expect(other.text.contains(#"{"value":"token-zero","t1":true,"t2":[],"retired""#))
        #expect(other.text.contains(#"{"value":"token-one","h1":"one"}"#))
        let same = try old.replaced(by: readRecord(Self.incoming.replacing("token-new", with: "token-zero")))
        #expect(same.text.contains(#""token":{"value":"token-zero","t5":5,"t1":true,"t2":[]"#))
        let newer = try old.replaced(by: readRecord(Self.incoming.replacing(#""x5":5"#, with: #""x\u0031":2"#)))
        #expect(newer.text.contains(#","x\u0031":2,"x2":"#))
        #expect(!newer.text.contains(#""x1""#))
        #expect(same.text.contains(#"{"value":"token-one","h1":"one"}"#))
    }

    @Test func `Replacing keeps to the limit of the history`() throws {
        var record = try readRecord(Self.least)
        for number in 1...5 { record = try record.rotated(to: "token-\(number)", at: number) }
        let replaced = try record.replaced(by: readRecord(Self.incoming))
        #expect(replaced.tokens == ["token-new", "token-5", "token-4", "token-3", "token-2", "token-1"])
        // Also when it is the incoming record that has one.
        let back = try readRecord(Self.incoming).replaced(by: replaced.rotated(to: "token-6", at: 6))
        #expect(back.tokens == ["token-6", "token-new", "token-5", "token-4", "token-3", "token-2"])
        let other = try readRecord(Self.incoming.replacing("token-new", with: "token-x"))
        #expect(
            try other.replaced(by: record).tokens == ["token-5", "token-x", "token-4", "token-3", "token-2", "token-1"])
    }
}
