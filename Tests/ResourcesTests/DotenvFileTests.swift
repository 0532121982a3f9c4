import Resources
import Sodium
import TestSupport
import Testing
import VaultFile

@Suite struct DotenvFileTests {
    private func read(_ text: String) throws -> [String: Converted] {
        try Converted.all(try DotenvFile.records(Array(text.utf8).span, now: Timestamp(seconds: 60)))
    }

    private func failure(_ text: String) throws -> (lines: [Int], reason: String) {
        let bytes = Array(text.utf8)
        return try conversionFailure { () throws(ConversionError) in
            _ = try DotenvFile.records(bytes.span, now: Timestamp(seconds: 60))
        }
    }

    /// The token of a file that has a comment and this value.
    private func token(_ value: String) throws -> String? {
        try read("# vault: name=a url=https://h header=\"X: {{token}}\"\nA_TOKEN=\(value)\n")["a"]?.tokens.first
    }

    // MARK: - Bound by a comment

    @Test func `A comment says what a variable cannot`() throws {
        let found = try #require(
            try read(
                """
                # vault: name=hub url=https://api.hub.example url=https://up.hub.example/v1 expires=2030-01-31
                #vault: header="X-Api-Key: {{token}}" env="WHO={{username}}"  username="Ada L\\u002e"

                # The comment holds over lines without a variable.
                export HUB_KEY=token-zero
                """)["hub"])
        #expect(found.line == 5)
        #expect(found.tokens == ["token-zero"])
        #expect(found.resource.urls.map(\.description) == ["https://api.hub.example", "https://up.hub.example/v1"])
        #expect(found.resource.headers.map(\.text) == ["X-Api-Key: {{token}}"])
        #expect(found.resource.listedEnvironment.map(\.text) == ["HUB_KEY={{token}}", "WHO={{username}}"])
        #expect(found.resource.username == "Ada L.")
        #expect(found.resource.token.expires?.description == "2030-01-31T00:00:00Z")
    }

    @Test(arguments: [
        ("HUB_TOKEN", "hub", true), ("MY_HUB_TOKEN", "my-hub", true), ("HUB_API_KEY", "hub", false),
        ("KEY", "key", false), ("TOKEN", "token", false), ("_1HUB_TOKEN", "1hub", true),
        ("hub_token", "hub-token", false),
    ])
    func `A name that is not given is made of the variable's`(variable: String, name: String, isDefault: Bool) throws {
        let found = try #require(try read("# vault: url=https://h\n\(variable)=token-zero")[name])
        #expect((found.resource.givenEnvironment == nil) == isDefault)
        #expect(found.resource.listedEnvironment.first?.text == "\(variable)={{token}}")
    }

    @Test func `A comment with a name alone is for one more variable of a resource`() throws {
        let text = "# vault: name=hub url=https://h\nHUB_TOKEN='token-zero'\n# vault: name=hub\nGH=\"token-zero\"\n"
        let found = try #require(try read(text)["hub"])
        #expect(found.resource.listedEnvironment.map(\.text) == ["HUB_TOKEN={{token}}", "GH={{token}}"])
        #expect(try failure(text.replacing("\"token-zero", with: "\"token-one")).lines == [4])
    }

    // MARK: - Bound by a variable beside it

    @Test(arguments: [
        ("HUB_URL=https://api.hub.example/v1", "https://api.hub.example/v1"),
        ("HUB_BASE_URL='https://api.hub.example'", "https://api.hub.example"),
        ("export HUB_API_URL = \"https://api.hub.example/\" # there", "https://api.hub.example"),
        ("HUB_HOST=api.hub.example:8443", "https://api.hub.example:8443"),
        ("HUB_HOST=https://api.hub.example", "https://api.hub.example"),
        ("HUB_URL=https://h.example\nHUB_HOST=h.example", "https://h.example"),
        ("HUB_URL=https://h.example\nHUB_API_URL=", "https://h.example"),
    ])
    func `A URL beside it binds a token, before and behind it`(line: String, url: String) throws {
        for suffix in ["TOKEN", "API_TOKEN", "ACCESS_TOKEN", "AUTH_TOKEN", "API_KEY"] {
            for text in ["\(line)\nHUB_\(suffix)=token-zero", "HUB_\(suffix)=token-zero\n\(line)"] {
                let found = try #require(try read(text)["hub"])
                #expect(found.resource.urls.map(\.description) == [url])
                #expect(found.resource.listedEnvironment.first?.text == "HUB_\(suffix)={{token}}")
                #expect(found.resource.headers == [.default])
            }
        }
    }

    @Test(arguments: [
        ("HUB_URL=https://a.example\nHUB_API_URL=https://b.example\nHUB_TOKEN=token-zero", 3),
        ("HUB_URL=https://ada:s3cr3t@h.example\nHUB_TOKEN=token-zero", 1),
        ("HUB_URL=h.example\nHUB_TOKEN=token-zero", 1),
        ("HUB_TOKEN=token-zero\nHUB_URL=https://h.example?x=1", 2), ("HUB_URL=$BASE/x\nHUB_TOKEN=token-zero", 1),
        ("HUB_URL=postgres://h.example\nHUB_TOKEN=token-zero", 1),
    ])
    func `A URL that is none, or not clear, is refused`(text: String, line: Int) throws {
        #expect(try failure(text).lines == [line])
    }

    @Test(arguments: [
        ("PORT=3000\n\nDB_HOST=localhost\nDB_PASSWORD=token-zero", [1, 3, 4]), ("HUB_TOKEN=token-zero", [1]),
        ("_TOKEN=token-zero\n_URL=https://h", [1, 2]), ("HUB_URL=https://h.example", [1]),
        ("HUB_TOKEN=token-zero\nHUBS_URL=https://h.example\nHUB_URI=https://h.example", [1, 2, 3]),
        ("A=$B\nB=token,zero", [1, 2]),
    ])
    func `What nothing is said of is never guessed, and all of it is named`(text: String, lines: [Int]) throws {
        #expect(try failure(text).lines == lines)
        let error = #expect(throws: ConversionError.self) {
            let bytes = Array(text.utf8)
            _ = try DotenvFile.records(bytes.span, now: Timestamp(seconds: 60))
        }
        guard case .invalid(_, .binding) = try #require(error).reason else { return #expect(Bool(false)) }
    }

    @Test func `What is said to be no token is passed over, whatever it is, and so is what has no value`() throws {
        let text = """
            # vault: skip
            KEY="-----BEGIN
            HUB_TOKEN=inside
            $x `y` -----END" z
            EMPTY=
            EMPTY2="" # nothing
            EMPTY3=''
            EMPTY4= # nothing
            # vault: skip
            KEY=again
            # vault: url=https://h
            HUB_TOKEN=token-zero
            """
        let records = try read(text)
        #expect(Array(records.keys) == ["hub"])
        #expect(records["hub"]?.line == 12)
    }

    // MARK: - Values

    @Test(arguments: [
        ("token-zero", "token-zero"), ("token-zero  \t", "token-zero"), ("token-zero # words", "token-zero"),
        ("token-zero\t#words", "token-zero"), ("  token-zero", "token-zero"), ("token-zero\r", "token-zero"),
        ("token=zero==", "token=zero=="), ("a&b;c|d<e>(f)*?~!{}[]", "a&b;c|d<e>(f)*?~!{}[]"),
        ("tökén-zero", "tökén-zero"),
        ("'token-zero'", "token-zero"), ("'to ken #$`\\\\\"x' # words", "to ken #$`\\\\\"x"),
        (#"'it'\''s '\'''\''fine'"#, "it's ''fine"), (#"'ends in one'\'''"#, "ends in one'"),
        ("\"token-zero\"", "token-zero"), (#""a \"b\" \\c \$d \`e it's #f""#, "a \"b\" \\c $d `e it's #f"),
        ("\"token-zero\" # \"words\"", "token-zero"), ("\"token-zero\"\r", "token-zero"),
    ])
    func `Values are what they are to everybody, or to a shell in single quotes`(written: String, meant: String) throws
    {
        #expect(try token(written) == meant)
    }

    @Test(arguments: [
        "to ken-zero", "token-zero words #", "token#zero", "token-$ZERO", "token-zero$", "token`zero`", "token\\-zero",
        "token'zero'", "\"token-zero\"x", "'token-zero'#x", "'token-''zero'", "'token'\"-zero\"", "=token-zero",
        "\"token-$ZERO\"", "\"token-`x`\"", "\"token\\nzero\"", "\"token\\zero\"", "\"token-zero\\\n\"",
        "\"token-zero\" words", "'token\nzero'", "\"token\nzero\"", "'token-zero", "\"token-zero", "\"token-zero\\\"",
        "short", "'token-zero'\\'", "#token-zero",
    ])
    func `A value that programs read differently, or that is no token, is refused`(written: String) throws {
        #expect(try failure("# vault: name=a url=https://h header=\"X: {{token}}\"\nA_TOKEN=\(written)").lines == [2])
    }

    // MARK: - What is refused

    @Test(arguments: [
        ("\nghp_abcdefgh", 2), ("export HUB_TOKEN", 1), ("export A B=token-zero", 1), ("1A=token-zero", 1),
        ("A-B=token-zero", 1), ("A.B=token-zero", 1), ("É=token-zero", 1), ("=token-zero", 1), ("A: token-zero", 1),
        ("# vault: skip\nA=b\nA=c", 3), ("# vault: url=https://h\nA=token-zero\nA=token-one", 3),
        ("# vault: url=https://h", 1),
        ("# vault: url=https://h\n\nA=", 3), ("# vault: name=x\nA=token-zero", 1), ("\n# vault: skip name=x\nA=b", 2),
        ("# vault: token=x\nA=token-zero", 1), ("# vault: see there\nA=token-zero", 1),
        ("# vault: name=x name=y url=https://h\nA=token-zero", 1), ("# vault: name=-x url=https://h\nA=token-zero", 1),
        ("# vault: url=ftp://h\nA=token-zero", 1), ("# vault: url=https://h expires=soon\nA=token-zero", 1),
        ("# vault: url=https://h header=\"X: {{tokn}}\"\nA=token-zero", 1),
        ("# vault: url=https://h header=\"X\nA=token-zero", 1), ("# vault: url=\"https://h\"x\nA=token-zero", 1),
        ("# vault: url=https://h\nGIT_TOKEN=token-zero", 2), ("# vault: url=https://h\n__=token-zero", 2),
        ("# vault: name=x url=https://h\nA=token-zero\n# vault: name=x url=https://i\nB=token-zero", 4),
        ("A=b\0", 1), ("# vault: skip\nA=\"b\n\nc", 2),
    ])
    func `The line that is at fault is named`(text: String, line: Int) throws {
        #expect(try failure(text).lines == [line])
    }

    @Test(arguments: [
        "s3cr3t-s3cr3t", "s3cr3t=", "# vault: s3cr3t\nA=b", "# vault: s3cr3t=s3cr3t\nA=b", "# vault: url=s3cr3t\nA=b",
        "# vault: name=s3cr3t!\nA=b", "# vault: url=https://h\nA=s3cr", "# vault: url=https://h\nA=s3cr3t,s3cr3t",
        "# vault: url=https://h\nA='s3cr3t", "s3cr3t==s3cr3t", "# vault: url=https://h\ns3cr3t==s3cr3t",
        "s3cr3t=s3cr3t",
        "s3cr3t s3cr3t=x", "# vault: url=https://h header=\"s3cr3t\"\nA=s3cr3t-s3cr3t", "A_URL=s3cr3t\nA_TOKEN=s3cr3t",
    ])
    func `No message has any of the file in it`(text: String) throws {
        if text == "s3cr3t=" { return #expect(try read(text).isEmpty) }
        #expect(try !failure(text).reason.contains("s3cr"))
    }

    @Test func `Hostile sizes are no trouble`() throws {
        let many = (0..<5000).map { "H\($0)_URL=https://h\($0).example\nH\($0)_TOKEN=token-zero\n" }.joined()
        #expect(try read(many).count == 5000)
        let unbound = (0..<100_000).map { "V\($0)=x\n" }.joined()
        #expect(try failure(unbound).lines.count == 100_000)
        #expect(try failure("A=\"" + String(repeating: "\\\n", count: 500_000)).lines == [1])
        #expect(try failure("A='" + String(repeating: #"'\''"#, count: 100_000)).lines == [1])
        #expect(try failure("# vault: " + String(repeating: "skip ", count: 100_000)).lines == [1])
        #expect(try failure("# vault: url=\"" + String(repeating: "[", count: 100_000)).lines == [1])
    }

    // MARK: - Writing

    private func written(_ json: String) throws -> String {
        let record = try readRecord(json)
        var output = SecretBuffer()
        let names = try DotenvFile.variables(of: record.resource)
        record.withToken { DotenvFile.append(record.resource, variables: names, token: $0, to: &output) }
        return String(decoding: output.finish().bytes, as: UTF8.self)
    }

    @Test func `A resource is a comment and its variable`() throws {
        #expect(
            try written(#"{"name":"my-hub","urls":["https://h","https://i/v1"],"token":{"value":"token-zero"}}"#)
                == "# vault: name=my-hub url=https://h url=https://i/v1\nMY_HUB_TOKEN='token-zero'\n")
    }

    @Test func `What was written is read again`() throws {
        let json = #"""
            {"name":"a","urls":["https://h"],"headers":["X: {{token}} \"q\""],"env":["A={{token}}","B={{basic}}",\#
            "C={{token}}"],"username":"ada\u200elovelace","token":{"value":"it's \"$\"","expires":"2030-01-31T00:00:00Z"}}
            """#.replacing("\n", with: "")
        let text = try written(json)
        #expect(!text.contains("\u{200e}"))
        let found = try #require(try read(text)["a"])
        let before = try readRecord(json)
        #expect(found.tokens == before.tokens)
        #expect(found.resource.urls == before.resource.urls)
        #expect(found.resource.headers == before.resource.headers)
        #expect(found.resource.username == before.resource.username)
        #expect(found.resource.token.expires == before.resource.token.expires)
        #expect(found.resource.listedEnvironment.map(\.text) == ["A={{token}}", "C={{token}}", "B={{basic}}"])
    }

    @Test(arguments: [
        ("token-zero", "'token-zero'", false), ("a \"b\" $c `d` #e", "'a \"b\" $c `d` #e'", false),
        ("it's fine", "\"it's fine\"", false), ("it's \"so\"", #"'it'\''s "so"'"#, true),
        ("it's $so", #"'it'\''s $so'"#, true),
        ("it's `so", #"'it'\''s `so'"#, true), (#"a\b-zero"#, #"'a\b-zero'"#, true),
        (#"it's \so"#, #"'it'\''s \so'"#, true),
        ("''''''''", #""''''''''""#, false),
    ])
    func `A token is quoted so that as many as possible read it`(token: String, text: String, isForShells: Bool) throws
    {
        var output = SecretBuffer()
        let name = try #require(RecordName("a"))
        let resource = Resource(name: name, urls: [try ResourceURL("https://h")], now: Timestamp(seconds: 0))
        let bytes = Array(token.utf8)
        DotenvFile.append(resource, variables: ["A_TOKEN"], token: bytes.span, to: &output)
        #expect(String(decoding: output.finish().bytes, as: UTF8.self).hasSuffix("\nA_TOKEN=\(text)\n"))
        #expect(DotenvFile.isForShellsAlone(bytes.span) == isForShells)
        #expect(try self.token(text) == token)
    }

    @Test func `Variables that hold more or less than the token have no place`() throws {
        let resource = try readRecord(
            #"{"name":"a","urls":["https://h"],"env":["A=Bearer {{token}}","B={{headers}}"],"token":{"value":"token-zero"}}"#
        ).resource
        #expect(try DotenvFile.variables(of: resource).isEmpty)
    }
}
