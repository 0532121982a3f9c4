import Resources
import Sodium
import TestSupport
import Testing
import VaultFile

@Suite struct NetrcFileTests {
    /// The records of a file, each as it would be stored, with its line; and what was left out.
    private func read(_ text: String) throws -> (records: [String: Converted], notes: [Int]) {
        let records = try NetrcFile.records(Array(text.utf8).span, now: Timestamp(seconds: 60))
        let notes = records.notes.map(\.line)
        return (try Converted.all(records), notes)
    }

    private func failure(_ text: String) throws -> (lines: [Int], reason: String) {
        let bytes = Array(text.utf8)
        return try conversionFailure { () throws(ConversionError) in
            _ = try NetrcFile.records(bytes.span, now: Timestamp(seconds: 60))
        }
    }

    // MARK: - What becomes of a machine

    @Test func `A machine with a login is Basic, and named after its host`() throws {
        let record = try #require(
            try read("machine API.Example.com login ada password token-zero").records["api.example.com"])
        #expect(record.line == 1)
        #expect(record.tokens == ["token-zero"])
        #expect(record.resource.urls.map(\.description) == ["https://api.example.com"])
        #expect(record.resource.username == "ada")
        #expect(record.resource.headers.map(\.text) == ["Authorization: Basic {{basic}}"])
        #expect(record.resource.givenEnvironment == nil)
    }

    @Test func `A machine without a login is bearer, and that is said`() throws {
        let (records, notes) = try read("\nmachine h.example password token-zero")
        #expect(records["h.example"]?.resource.headers == [.default])
        #expect(records["h.example"]?.resource.username == nil)
        #expect(notes == [2])
    }

    @Test func `An empty login is one`() throws {
        let (records, notes) = try read(#"machine h.example login "" password token-zero"#)
        #expect(records["h.example"]?.resource.username == "")
        #expect(records["h.example"]?.resource.headers.map(\.text) == ["Authorization: Basic {{basic}}"])
        #expect(notes.isEmpty)
    }

    @Test func `Several logins of one host have a name each`() throws {
        let (records, _) = try read(
            """
            machine h.example login ada password token-zero
            machine h.example login b@c/d:é password token-one
            machine h.example password token-two
            machine other.example login ada password token-three
            """)
        #expect(Set(records.keys) == ["h.example-ada", "h.example-b-c-d---", "h.example", "other.example"])
        #expect(records["h.example-b-c-d---"]?.resource.username == "b@c/d:é")
    }

    // MARK: - Words

    @Test(arguments: [
        "machine\nh.example\nlogin\nada\npassword\ntoken-zero",
        "machine\th.example\tlogin\tada password   token-zero\n",
        "machine h.example\r\n  login ada\r\n  password token-zero\r\n",
        "MACHINE h.example Login ada PassWord token-zero", "machine h.example password token-zero login ada",
        "\u{feff}machine h.example login ada password token-zero",
        "# machine x login y password z\nmachine h.example # password token-one\nlogin ada password token-zero #x",
        #"machine "h.example" login "ada" password "token-zero""#,
        #"machine h.example login ada password "\t\oken-zero""#.replacing(#"\t"#, with: "t"),
    ])
    func `Words are read as curl reads them`(text: String) throws {
        let record = try #require(try read(text).records["h.example"])
        #expect(record.tokens == ["token-zero"])
        #expect(record.resource.username == "ada")
    }

    @Test(arguments: [
        (#""two words here""#, "two words here"), (#""a \"b\" \\c d""#, #"a "b" \c d"#),
        (#"a"b"c\d\n#e"#, #"a"b"c\d\n#e"#),
        (##""#token-zero""##, "#token-zero"), ("tökén-zero", "tökén-zero"), ("machine-x", "machine-x"),
    ])
    func `Passwords are what they are to curl`(written: String, meant: String) throws {
        let (records, _) = try read("machine h.example login ada password \(written)\n")
        #expect(records["h.example"]?.tokens == [meant])
    }

    // MARK: - What is left out

    @Test func `What is bound to no host, or to no HTTP, is left out and named`() throws {
        let (records, notes) = try read(
            """
            machine ftp.example login ada
            machine h.example login ada account ftp-account password token-zero macdef init
            cd /pub
            machine inside.example login ada password token-one

            default login anonymous password token-two
            """)
        #expect(Array(records.keys) == ["h.example"])
        #expect(notes == [1, 2, 2, 6])
    }

    @Test(arguments: ["", "\n", "# nothing", "default login a password token-zero", "macdef x\nmachine h password p"])
    func `A file may have no machine`(text: String) throws {
        #expect(try read(text).records.isEmpty)
    }

    // MARK: - What is refused

    @Test(arguments: [
        ("machine h.example:8443 login a password token-zero", 1), ("\nmachine https://h.example password x", 2),
        ("machine a@h.example password token-zero", 1), ("machine ::1 password token-zero", 1),
        ("machine 2130706433 password token-zero", 1), ("machine h..example password token-zero", 1),
        ("machine _h.example password token-zero", 1), ("machine hé.example password token-zero", 1),
        ("login ada", 1), ("\n\npassword token-zero", 3), ("machine h.example\nlogin a\nlogin b", 3),
        ("machine h.example password token-zero\npassword token-one", 2), ("machine", 1),
        ("machine h.example password", 1), ("machine h.example\npassword #token-zero", 2),
        ("machine h.example password token zero", 1), ("\n\"machine\" h.example", 2),
        ("machine h.example password \"token-zero\n\"", 1), ("machine h.example password \"token-zero\\", 1),
        ("machine h.example password \"token-zero\"x", 1), ("machine h.example password \"", 1),
        ("machine h.example\npassword short", 2), ("machine h.example password token,zero", 1),
        ("machine h.example login a\npassword \"token\\nzero\"", 2), ("machine h.example\0", 1), ("\n\na\0b", 3),
        ("machine h.example login token-zero\npassword x-oauth-basic", 1),
        ("machine h.example password \"\"", 1),
    ])
    func `The line that is at fault is named`(text: String, line: Int) throws {
        #expect(try failure(text).lines == [line])
    }

    @Test(arguments: [
        "machine s3cr3t: password s3cr3t-s3cr3t", "s3cr3t-s3cr3t", "machine h.example password s3cr3t s3cr3t-s3cr3t",
        "machine h.example login s3cr3t-s3cr3t password x-oauth-basic", "machine s3cr3t..s3cr3t password s3cr3t-s3cr3t",
        "machine h.example password \"s3cr3t-s3cr3t", "machine h.example password s3cr3t",
        "machine h.example password s3cr3t,s3cr3t", "login s3cr3t-s3cr3t",
    ])
    func `No message has any of the file in it`(text: String) throws {
        #expect(try !failure(text).reason.contains("s3cr"))
    }

    @Test func `Bytes that are no text are refused, and comments may be any`() throws {
        let start = Array("machine h.example login ".utf8)
        for (login, password) in [
            ([0xff], Array("token-zero".utf8)), (Array("ada".utf8), Array("token-zero".utf8) + [0xff]),
        ]
            as [([UInt8], [UInt8])]
        {
            let text = start + login + Array(" password ".utf8) + password
            _ = try conversionFailure { () throws(ConversionError) in
                _ = try NetrcFile.records(text.span, now: Timestamp(seconds: 60))
            }
        }
        let comment = [UInt8(ascii: "#"), 0xff, 0xfe, UInt8(ascii: "\n")] + Array("machine h password token-zero".utf8)
        #expect(try NetrcFile.records(comment.span, now: Timestamp(seconds: 60)).entries.map(\.line) == [2])
    }

    @Test func `Hostile sizes are no trouble`() throws {
        let many = (0..<5000).map { "machine h\($0).example login ada password token-zero-\($0)\n" }.joined()
        #expect(try read(many).records.count == 5000)
        let quotes = "machine h.example password \"" + String(repeating: "\\", count: 1_000_001)
        #expect(try failure(quotes).lines == [1])
        #expect(try failure("machine h.example password " + String(repeating: "a", count: 16_385)).lines == [1])
        #expect(try failure(String(repeating: "machine ", count: 100_001)).lines == [1])
    }
}
