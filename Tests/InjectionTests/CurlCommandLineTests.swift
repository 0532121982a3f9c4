import Injection
import Resources
import TestSupport
import Testing
import VaultFile

/// Which command lines of curl's get headers.
@Suite struct CurlCommandLineTests {
    private func resource(_ name: String, _ urls: [String], _ headers: [String]? = nil) throws -> Resource {
        try Resource(
            name: #require(RecordName(name)), urls: urls.map { try ResourceURL($0) },
            headers: headers?.map { try HeaderTemplate($0) }, now: #require(Timestamp("2026-01-01T00:00:00Z")))
    }

    private func hosts(_ headers: [String]? = nil) throws -> [Resource] {
        try [
            resource(
                "api", ["https://api.test", "https://other.test/v1", "http://plain.test", "https://127.0.0.1:8443"],
                headers)
        ]
    }

    /// What becomes of a command line, whose words stand apart by spaces.
    private func use(_ line: String, for resources: [Resource]? = nil) throws -> CurlCommandLine.Use {
        let words = line.split(separator: " ", omittingEmptySubsequences: false).map { Array($0.utf8) }
        return try CurlCommandLine(words).use(for: resources ?? hosts())
    }

    // MARK: - Fit

    @Test(arguments: [
        "https://api.test", "https://api.test/", "-fsS https://api.test/user", "https://api.test/user -fsS",
        "HTTPS://API.TEST/user", "https://api.test:443/a?b=c#d", "https://api.test?a=b", "--url https://api.test",
        "--url https://api.test https://api.test/b", "-sSfLo out https://api.test", "-sSfLoout https://api.test",
        "-XPOST https://api.test", "-X POST https://api.test", "-sXDELETE https://api.test",
        "-L --max-redirs 3 https://api.test", "--follow https://api.test", "-- https://api.test",
        "-s -- https://api.test https://api.test/b", "-q https://api.test", "-o -fake https://api.test",
        "-o -- https://api.test", "-H Accept:text/plain https://api.test", "-H Accept: https://api.test",
        "-H Accept; https://api.test", "-HAccept:a https://api.test", "-d @body https://api.test",
        "--json {\"a\":1} https://api.test", "--data-binary @- https://api.test", "-T file https://api.test/",
        "-T - https://api.test/a", "-T . https://api.test/a", "-gT {a} https://api.test/a",
        "-F a=@file https://api.test", "-G -d a=b https://api.test", "-b a=b -c jar https://api.test",
        "-g https://api.test/a?filter[x]={y}", "https://api.test/a?x={y} -g", "--globoff https://api.test/{a}",
        "-x http://proxy.test https://api.test", "--resolve api.test:443:10.0.0.1 https://api.test",
        "--connect-to ::a.test: --noproxy * https://api.test", "--unix-socket s https://api.test",
        "--no-buffer -N --no-progress-meter https://api.test", "--no-insecure https://api.test",
        "-v https://api.test", "-v -v https://api.test", "--proxy-header a:b https://api.test",
        "-4 -6 -0 https://api.test",
        "https://other.test/v1", "https://other.test/v1/a", "https://other.test/v1?a=/../..", "http://plain.test/a",
        "-k https://127.0.0.1:8443/", "-H Host:a https://127.0.0.1:8443/", "-w %{http_code} https://api.test",
        "-U user:password https://api.test", "-E cert:password --key key https://api.test",
        "--cacert ca -m 5 --retry 3 --retry-all-errors https://api.test", "-Z https://api.test https://api.test/2",
        "-# --parallel-max 3 -OJR https://api.test/f", "--basic --anyauth https://api.test",
        "-X POST -H Content-Length:0 https://api.test",
        "-H Transfer-Encoding:chunked -T - https://api.test/a", "--crlf https://api.test",
        "--noproxy * http://plain.test", "-sx  http://plain.test",
    ])
    func `What is understood gets headers`(line: String) throws {
        guard case .headers = try use(line) else {
            Issue.record("\(line): no headers")
            return
        }
    }

    @Test(arguments: [
        ("https://api.test", "proto-redir = \"=https\"\n", false),
        ("https://api.test https://other.test/v1", "proto-redir = \"=https\"\n", false),
        ("-L https://api.test", "proto-redir = \"=https\"\n", true),
        ("--follow https://api.test", "proto-redir = \"=https\"\n", true),
        ("http://plain.test", "noproxy = \"*\"\n", false),
        ("https://api.test http://plain.test", "noproxy = \"*\"\n", false),
        ("-k https://127.0.0.1:8443", "noproxy = \"*\"\n", false),
    ])
    func `The config keeps a request where its URL says`(line: String, options: String, follows: Bool) throws {
        guard case .headers(let injection) = try use(line) else {
            Issue.record("\(line): no headers")
            return
        }
        #expect(injection.options == options)
        #expect(injection.followsRedirects == follows)
    }

    @Test(
        arguments: [
            ("https://api.test", []),
            ("https://api.test --next https://api.test", [2]),
            ("https://api.test -: https://api.test", [2]),
            ("https://api.test -s: https://api.test/2 -o f --next -s https://api.test", [2, 6]),
            ("-o --next https://api.test", []),
            ("https://api.test --", []),
        ] as [(String, [Int])])
    func `The headers are given again behind what resets them`(line: String, resets: [Int]) throws {
        guard case .headers(let injection) = try use(line) else {
            Issue.record("\(line): no headers")
            return
        }
        #expect(injection.resets == resets)
    }

    @Test func `One resource has all of the URLs`() throws {
        let both = try [
            resource("a", ["https://a.test", "https://both.test"]),
            resource("b", ["https://b.test", "https://both.test"]),
        ]
        for (line, number) in [("https://a.test", 0), ("https://b.test", 1), ("https://b.test https://both.test", 1)] {
            guard case .headers(let injection) = try use(line, for: both) else {
                Issue.record("\(line): no headers")
                continue
            }
            #expect(injection.resource == number)
        }
        for (line, reason) in [
            ("https://both.test", "lie inside a and b"), ("https://a.test https://b.test", "no single resource"),
            ("https://c.test", "https://c.test:443, is not inside a or b"),
        ] {
            let refusal = #expect(throws: CurlCommandLine.Refusal.self) { try use(line, for: both) }
            #expect(refusal?.reason.contains(reason) == true, "\(line): \(refusal?.reason ?? "")")
        }
    }

    // MARK: - Traps

    @Test(arguments: [
        // What cannot be read with certainty.
        ("--frobnicate https://api.test", "argument 1 of curl, --frobnicate,"),
        ("--loc https://api.test", "--loc"), ("--LOCATION https://api.test", "argument 1 of curl is no option"),
        ("--url=https://api.test", "value of --url behind"), ("--noproxy=x https://api.test", "--noproxy behind"),
        ("--silent=1 https://api.test", "--silent behind"), ("--sslv3 https://api.test", "--sslv3"),
        ("-hs https://api.test", "goes on behind -h"), ("--no-inject https://api.test", "of this program"),
        ("--no-url https://api.test", "--no-url"),
        ("--no-location-trust https://api.test", "--no-location-trust"), ("-? https://api.test", "-?"),
        ("- https://api.test", "-"), ("https://api.test -o", "--output needs a value"),
        ("https://api.test --max-time", "--max-time needs a value"), ("https://api.test -sm", "--max-time needs"),
        ("--expand-url https://api.test", "--expand-url"), ("--variable a=b https://api.test", "--variable"),
        ("https://api.test -:s https://api.test", "goes on behind -:"), ("--next https://api.test", "no URL before it"),
        ("-2o https://api.test https://api.test", "-2"), ("-3 https://api.test", "-3"),
        ("--sslv2 https://api.test", ""),
        // What brings options or URLs that cannot be seen.
        ("-K file https://api.test", "--config"), ("--config file", "--config"), ("-sK file", "--config"),
        ("--url @file", "--url takes"), ("--metalink https://api.test", "--metalink"), ("-s", "no URL"),
        // URLs.
        ("api.test", "no scheme"), ("", "is empty"), ("https://api.test/{a,b}", "a brace or a bracket"),
        ("https://api.test/[1-3]", "a brace or a bracket"), ("https://{api,evil}.test", "a brace or a bracket"),
        ("-g https://api.test --no-globoff https://api.test/{a}", "a brace or a bracket"),
        ("-g https://api.test --next https://api.test/{a}", "a brace or a bracket"),
        ("-T {a,b} https://api.test/", "a pattern"), ("-T /a/.. https://api.test/", "out of the URL's folder"),
        ("-T .. https://other.test/v1/", "out of the URL's folder"),
        ("-T x\\.. https://api.test/", "out of the URL's folder"),
        ("-T a/..;b https://api.test/", "out of the URL's folder"), ("--crlf -T f https://api.test/", "--crlf"),
        ("-T f https://api.test/ --next -B https://api.test", "--use-ascii"),
        ("https://evil.test", "https://evil.test:443, is not inside api"),
        ("https://api.test https://evil.test", "argument 2"),
        ("https://api.test --next https://evil.test", "argument 3"),
        ("-o out https://api.test --url https://evil.test", "evil.test"), ("-- https://evil.test", "evil.test"),
        ("https://api.test -- -s", "no scheme"), ("http://api.test", "http://api.test:80"),
        ("https://api.test:8443", "https://api.test:8443"), ("https://api.test.evil.example", "api.test.evil.example"),
        ("https://api.test@evil.example", "user name"), ("https://u:p@api.test", "user name"),
        ("https://api.test\\@evil.example", "no backslash"), ("https://api.test.", "ends in a dot"),
        ("https://äpi.test", "ASCII"), ("https://api.test%2eevil.test", "letters, digits"),
        ("https://2130706433", "a number"),
        ("http:/api.test", "//"), ("http:///api.test", "no host"), ("ftp://api.test/", "neither https nor http"),
        ("file:///etc/passwd", "neither https nor http"), ("https://other.test/v10", "the path"),
        ("https://other.test/v1/../admin", "\"..\""), ("https://other.test/v1/%2e%2e/admin", "\"..\""),
        ("https://other.test/", "the path"), ("https://[::1/", "brace or a bracket"),
        // What leads elsewhere, or shows headers.
        ("--location-trusted https://api.test", "--location-trusted"), ("-k https://api.test", "--insecure"),
        ("-sk https://127.0.0.1:8443 https://api.test", "--insecure"), ("-L http://plain.test", "redirect"),
        ("-L https://api.test http://plain.test", "redirect"), ("-kL https://127.0.0.1:8443", "--insecure"),
        ("--follow http://plain.test", "redirect"), ("--trace file https://api.test", "--trace "),
        ("--trace-ascii - https://api.test", "--trace-ascii"), ("--trace-time https://api.test", "--trace-time"),
        ("--trace-ids https://api.test", "--trace-ids"), ("--trace-config all https://api.test", "--trace-config"),
        ("-vvv https://api.test", "--verbose"), ("-v -vv https://api.test", "--verbose"),
        ("--stderr - https://api.test", "--stderr"), ("--libcurl file https://api.test", "--libcurl"),
        ("--request-target /x https://api.test", "--request-target"), ("-X get https://api.test", "--request "),
        ("-X  https://api.test", "--request "),
        ("-XP\u{d}\u{a} https://api.test", "--request "), ("-H Host:evil https://api.test", "Host"),
        ("-H host;evil https://api.test", "Host"), ("-H Host\u{9}:evil https://api.test", "Host"),
        ("-H \u{9}Host:evil https://api.test", "not one header"), ("-H :evil https://api.test", "not one header"),
        ("-H A:b\u{d}\u{a}Host:evil https://api.test", "not one header"), ("-H @file https://api.test", "from a file"),
        ("-H @- https://api.test", "from a file"), ("-H Authorization https://api.test", "not one header"),
        ("-H Content-Length:5 https://api.test", "where a request ends"),
        ("-H content-length: -d x https://api.test", "where a request ends"),
        ("-H Content-Length:0 -d x https://api.test", "where a request ends"),
        ("-H Content-Length; -T f https://api.test", "where a request ends"),
        ("-H Transfer-Encoding:identity https://api.test", "where a request ends"),
        ("-H X-Original-URL:/admin https://api.test", "another path"),
        ("--haproxy-clientip 1\u{a} https://api.test", "--haproxy-clientip"),
        ("-A a\u{a}b https://api.test", "--user-agent"),
        ("-e a\u{d}b https://api.test", "--referer"), ("-b a=\u{a} https://api.test", "--cookie"),
        ("-r 0-\u{a} https://api.test", "--range"), ("--proto =http https://api.test", "--proto "),
        ("--proto-redir all https://api.test", "--proto-redir"),
        ("--proxy-header @f https://api.test", "--proxy-header"),
        // What an unprotected request must not have.
        ("-x p http://plain.test", "--proxy "), ("--proxy1.0 p http://plain.test", "--proxy1.0"),
        ("--preproxy p http://plain.test", "--preproxy"), ("--socks4 p http://plain.test", "--socks4"),
        ("--socks4a p http://plain.test", "--socks4a"), ("--socks5 p http://plain.test", "--socks5"),
        ("--socks5-hostname p http://plain.test", "--socks5-hostname"), ("--noproxy x http://plain.test", "--noproxy"),
        ("-p http://plain.test", "--proxytunnel"), ("--connect-to ::a: http://plain.test", "--connect-to"),
        ("--resolve a:80:1 http://plain.test", "--resolve"), ("--unix-socket s http://plain.test", "--unix-socket"),
        ("--abstract-unix-socket s http://plain.test", "--abstract"), ("--doh-url u http://plain.test", "--doh-url"),
        ("--dns-servers 1 http://plain.test", "--dns-servers"), ("--interface x http://plain.test", "--interface"),
        ("--alt-svc f http://plain.test", "--alt-svc"), ("--hsts f http://plain.test", "--hsts"),
        ("-k --resolve a:1:2 https://127.0.0.1:8443", "--resolve"),
        ("https://api.test -x p http://plain.test", "--proxy"),
    ])
    func `A trap is refused with the part that makes it one`(line: String, reason: String) throws {
        let refusal = #expect(throws: CurlCommandLine.Refusal.self, "\(line)") { try use(line) }
        #expect(refusal?.reason.contains(reason) == true, "\(line): \(refusal?.reason ?? "")")
    }

    @Test func `Only Authorization is sent where redirects are followed`() throws {
        for headers in [["X-Api-Key: {{token}}"], ["Authorization: Bearer {{token}}", "X-Api-Key: a"]] {
            #expect(throws: CurlCommandLine.Refusal.self) { try use("-L https://api.test", for: hosts(headers)) }
            guard case .headers = try use("https://api.test", for: hosts(headers)) else {
                Issue.record("no headers")
                return
            }
        }
        guard case .headers = try use("-L https://api.test", for: hosts(["AUTHORIZATION: {{token}}"])) else {
            Issue.record("no headers")
            return
        }
    }

    @Test(arguments: [
        "https://api.test/secret-in-a-path/..", "https://user:secret@api.test", "--secret=x https://api.test",
        "-Hsecret https://evil.test/secret?secret#secret", "--SECRETsecret", "--url secret",
        "-X secret https://api.test",
        "-H @secret https://api.test", "-T {secret} https://api.test", "--proxy secret http://plain.test",
        "https://other.test/secret", "--ABCDEFGHsecretABCDEFGHIJKLMN",
    ])
    func `Nothing of a value is repeated`(line: String) throws {
        let refusal = #expect(throws: CurlCommandLine.Refusal.self, "\(line)") { try use(line) }
        #expect(refusal.map { "\($0.reason)\($0.hint ?? "")".contains("secret") } == false)
    }

    // MARK: - Hands off

    @Test(arguments: [
        ("-u a:b https://evil.test", "--user"), ("-sua:b evil", "--user"), ("-n https://evil.test", "--netrc"),
        ("--netrc-file f https://evil.test", "--netrc-file"), ("--netrc-optional evil", "--netrc-optional"),
        ("--oauth2-bearer x evil", "--oauth2-bearer"), ("--aws-sigv4 aws:amz evil", "--aws-sigv4"),
        ("--negotiate evil", "--negotiate"), ("--ntlm evil", "--ntlm"), ("--digest evil", "--digest"),
        ("-H Authorization:x evil", "header authorization"), ("-H authorization: evil", "header authorization"),
        ("-HAUTHORIZATION; evil", "header authorization"), ("-H Authorization\u{9}:x evil", "header authorization"),
        ("-K file -u a:b https://evil.test", "--user"), ("https://api.test --next -u a:b https://evil.test", "--user"),
    ])
    func `An authorization of the user's own is left alone`(line: String, what: String) throws {
        guard case .own(let own) = try use(line) else {
            Issue.record("\(line): not left alone")
            return
        }
        #expect(own.contains(what))
    }

    @Test func `A header counts as the user's own when a resource sets it`() throws {
        guard case .headers = try use("-H X-Api-Key:a https://api.test") else {
            Issue.record("no headers")
            return
        }
        guard case .own = try use("-H x-api-key:a https://api.test", for: hosts(["X-Api-Key: {{token}}"])) else {
            Issue.record("not left alone")
            return
        }
    }

    @Test(arguments: ["--version", "-V", "-h", "--help all", "-sV --frobnicate", "--manual", "https://evil.test -V"])
    func `A question about curl itself gets nothing`(line: String) throws {
        #expect(try use(line) == .information)
    }

    // MARK: - The table

    /// Options that are refused as if they were not known: they differ between versions.
    private static let leftOut: Set<String> = ["sslv2", "sslv3"]

    /// Each option that this system's curl has, as its help lists it, with its letter and whether it takes a value.
    private static func listed() throws -> [(name: String, letter: Character?, hasValue: Bool)] {
        let help = try Command.run("curl", ["-q", "--help", "all"]).text
        return help.split(separator: "\n").compactMap { line in
            var words = line.split(separator: " ")[...]
            guard words.first?.hasPrefix("-") == true else { return nil }
            var letter: Character?
            if words[words.startIndex].hasSuffix(",") { letter = words.removeFirst().dropFirst().first }
            let name = words.removeFirst().dropFirst(2)
            return (String(name), letter, words.first.map { "<[".contains($0.first ?? " ") } ?? false)
        }
    }

    @Test func `The table agrees with curl about which options take a value`() throws {
        let listed = try Self.listed()
        try #require(listed.count > 200)
        for (name, letter, hasValue) in listed where !Self.leftOut.contains(name) && name != "help" {
            // With nothing behind it, an option that takes a value is refused.
            let takesValue = (try? CurlCommandLine([Array("--\(name)".utf8)])) == nil
            #expect(takesValue == (hasValue || name == "next"), "--\(name)")
            guard let letter else { continue }
            let short = (try? CurlCommandLine([Array("-\(letter)".utf8)])) == nil
            #expect(short == (hasValue || name == "next"), "-\(letter)")
        }
    }
}
