import Foundation
import TestSupport
import Testing

/// The daily job, with a real curl and a real server that answers 401 without the token.
@Suite(.waitsForPrograms) struct CurlTests {
    /// Ways to make a request; each prints one line for each answer.
    static let ways: [(command: String, answers: Int)] = [
        ("vault exec demo -- curl $O $URL", 1),
        ("vault exec demo --no-env -- /usr/bin/curl $O $URL/x --url $URL/y -- $URL/z", 3),
        ("vault exec wrong,demo -- curl $O $URL/other", 1),
        ("vault exec demo --no-mask -- curl $O $URL/x --next $O -o- $URL/y -s: $O $URL/z", 3),
        ("vault exec demo -- curl $O -XPOST -d a=b -H Accept:text/plain -A agent -gv $URL/x?filter[a]={b} 2>err", 1),
        ("vault exec demo -- curl $O -fo out $URL && cat out", 1),
        ("vault exec demo -- curl $O -H @{{headers}} $URL", 1),
        ("vault exec demo --no-env -- curl $O -H @{{headers}} $URL $URL/x $URL/y", 3),
        ("vault exec demo -- curl $O --config {{curl_config}} $URL", 1),
        (
            "vault exec demo -- curl $O --config={{curl_config}} $URL || vault exec demo -- curl $O -K {{curl_config}} $URL",
            1
        ),
        ("vault exec demo,wrong -- curl $O -H @{{headers:demo}} $URL", 1),
        (#"vault exec demo -- sh -c 'curl $O --config "$DEMO_CURL_CONFIG" $URL'"#, 1),
        (#"vault exec demo -- sh -c 'curl $O -H "@$DEMO_HEADERS" $URL'"#, 1),
        (#"vault exec demo -- sh -c 'curl $O -H "Authorization: Bearer $DEMO_TOKEN" $URL'"#, 1),
        ("vault headers demo | curl $O -H @- $URL", 1),
        ("vault headers --for $URL/any/path | curl $O -H @- $URL", 1),
        ("vault headers demo --format curl | curl $O --config - $URL", 1),
        ("curl $O -H @<(vault headers demo) $URL", 1),
        (#"vault exec demo -- bash -c 'for n in {1..20}; do curl $O --config "$DEMO_CURL_CONFIG" $URL; done'"#, 20),
        (
            #"vault exec demo -- bash -c 'exec 3>three 9>nine; for n in 1 2 3; do curl $O -H "@$DEMO_HEADERS" $URL & done; wait'"#,
            3
        ),
        ("seq 8 | vault exec demo -- xargs -P 4 -I N curl $O -H @{{headers}} $URL/N", 8),
    ]

    @Test(arguments: ["http", "https"])
    func requestsArrive(_ scheme: String) throws {
        let home = try Home()
        let server = try NginxServer(home, token: "demo-token-0123456789")
        let variables = ["URL": server.url(scheme), "O": "-sS -m 20 --cacert \(server.certificate)"]
        let made = try home.bash(
            """
            new_vault
            token_of demo | vault add demo --url $URL --quiet
            token_of wrong | vault add wrong --url $URL/wrong --quiet
            """, adding: variables)
        #expect(made.errorText == "")
        for way in Self.ways {
            let output = try home.bash(way.command, adding: variables)
            #expect(output.text == String(repeating: "welcome\n", count: way.answers), "\(way.command)")
        }
        // The server does refuse.
        for command in [
            "curl $O $URL", "vault exec wrong -- curl $O -H @{{headers}} $URL",
            "vault headers wrong | curl $O -H @- $URL", "vault exec demo --no-inject -- curl $O $URL",
        ] {
            let output = try home.bash("\(command) -w '%{http_code}'", adding: variables)
            #expect(output.text == "go away\n401", "\(command)")
        }
        // A header file that is gone is a failure where it is a config, as the manual says.
        let gone = try home.bash(
            #"vault exec demo -- sh -c 'curl $O --config "$DEMO_CURL_CONFIG" $URL' 100<&- 101<&-"#, adding: variables)
        #expect(gone.text == "welcome\n")
    }

    @Test func aRedirectTakesTheTokenNowhereElse() throws {
        let home = try Home()
        let server = try NginxServer(home, token: "demo-token-0123456789")
        let other = try NginxServer(home, token: "other")
        let url = server.url("https")
        let made = try home.bash("new_vault; token_of demo | vault add demo --url $URL --quiet", adding: ["URL": url])
        #expect(made.errorText == "")
        let echo = try EchoServer()
        for (target, answer, status) in [
            // The way it goes where all is well, which shows that the answer can tell.
            ("\(url)/show", "got [vault:demo]\n", 0),
            (other.url("https") + "/show", "got \n", 0),
            (url.replacing("127.0.0.1", with: "localhost") + "/show", "got \n", 0),
            (server.url("http") + "/show", "", 1),
            ("http://127.0.0.1:\(echo.port)/", "", 1),
        ] {
            let output = try home.bash(
                "cat $CA $OTHER >both; vault exec demo --quiet -- curl -sS -m 20 -L --cacert both \"$URL/away?$TARGET\"",
                adding: [
                    "URL": url, "TARGET": target, "CA": server.certificate, "OTHER": other.certificate,
                ])
            #expect(output.text == answer, "\(target)")
            #expect(output.status == status, "\(target)")
        }
    }

    @Test func neitherConfigNorProxyLeadsTheTokenElsewhere() throws {
        let home = try Home()
        let server = try NginxServer(home, token: "demo-token-0123456789")
        let echo = try EchoServer()
        let thief = "http://127.0.0.1:\(echo.port)"
        let variables = ["URL": server.url("http"), "THIEF": thief]
        let made = try home.bash("new_vault; token_of demo | vault add demo --url $URL --quiet", adding: variables)
        #expect(made.errorText == "")
        for line in [
            "url = $THIEF", "proxy = $THIEF", "location-trusted\nproxy = $THIEF", "trace-ascii = trace",
            "stderr = trace",
            "unix-socket = none", "noproxy = none", "libcurl = trace",
        ] {
            let output = try home.bash(
                #"""
                printf "$LINE\n" >.curlrc
                vault exec demo --quiet -- curl -sv -m 20 $URL 2>err
                ls trace 2>/dev/null
                """#, adding: variables.merging(["LINE": line.replacing("$THIEF", with: thief)]) { $1 })
            #expect(output.text == "welcome\n", "\(line)")
        }
        // Left alone, curl does as it is told there: the lines are real.
        let alone = try home.bash(
            #"echo "proxy = $THIEF" >.curlrc; vault exec demo --quiet -- curl -s --config {{curl_config}} $URL"#,
            adding: variables)
        #expect(alone.text.contains("Authorization: [vault:demo]\r\n"))
        for variable in ["http_proxy", "all_proxy", "ALL_PROXY"] {
            let output = try home.bash(
                "rm -f .curlrc; vault exec demo --quiet -- curl -s -m 20 $URL",
                adding: variables.merging([variable: thief, "no_proxy": "none"]) { $1 })
            #expect(output.text == "welcome\n", "\(variable)")
        }
    }

    @Test func aServerThatIsNotTrustedGetsNothing() throws {
        let home = try Home()
        let server = try NginxServer(home, token: "demo-token-0123456789")
        let output = try home.bash(
            """
            new_vault; add demo
            token_of here | vault add here --url $URL --quiet
            vault exec here -- curl -sS -m 20 $URL
            test $? = 60 || exit
            vault exec demo -- curl -sS -m 20 -H @{{headers}} $URL
            """, adding: ["URL": server.url("https")])
        #expect(output.status == 60)
        #expect(output.text == "")
    }

    @Test func whatCurlTellsOfTheRequestIsMaskedAndNothingElseIsChanged() throws {
        let home = try Home()
        let server = try NginxServer(home, token: "demo-token-0123456789")
        let output = try home.bash(
            """
            new_vault; add demo
            for mask in '' --no-mask; do
                vault exec demo --quiet $mask -- curl -sv -m 20 -H @{{headers}} $URL 2>&1
            done
            """, adding: ["URL": server.url("http")])
        // Connections differ in their local port, and answers in their date.
        let lines = output.text.split(separator: "\r\n").flatMap { $0.split(separator: "\n") }
            .filter { !$0.contains("Date:") && !$0.contains("Connect") && !$0.contains("Trying") }
        let half = lines.count / 2
        try #require(lines.count == 2 * half && half > 8, "\(output.text)")
        #expect(lines[..<half].contains("> Authorization: [vault:demo]"))
        #expect(lines[half...].contains("> Authorization: Bearer demo-token-0123456789"))
        let masked = lines[half...].map { $0.replacing("Bearer demo-token-0123456789", with: "[vault:demo]") }
        #expect(Array(lines[..<half]) == masked)
    }

    /// What a netrc file has for a machine, as curl reads it.
    @Test(arguments: [
        "login ada password token-0123456789", "password token-0123456789 login ada",
        "login oauth2 password token-0123456789", #"login "" password token-0123456789"#,
        #"login "ada l" password "a \"b\" \\ c""#, #"login ada password a"b\c'd#e$f"#,
        ##"login ada password "#token-0123456789""##, "login adá password tökén-0123456789",
        "account x login ada\n# password none-0123456789\n\tpassword token-0123456789 # end",
        "login ada password token-0123456789\r", "login ada password token-0123456789\nmacdef init\nmachine x",
    ])
    func anImportSendsWhatCurlSendsByNetrc(_ words: String) throws {
        let home = try Home()
        let server = try EchoServer()
        try "machine 127.0.0.1 \(words)\n".write(toFile: home.file(".netrc"), atomically: false, encoding: .utf8)
        let output = try home.bash(
            """
            new_vault; vault import ~/.netrc --quiet
            curl -sS -m 20 --netrc http://127.0.0.1:$PORT/ | tr -d '\\r' | grep '^Authorization'
            vault headers 127.0.0.1
            """, adding: ["PORT": "\(server.port)"])
        #expect(output.errorText == "")
        let lines = output.text.split(separator: "\n")
        #expect(lines.count == 2 && lines[0] == lines[1] && lines[0].hasPrefix("Authorization: Basic "), "\(lines)")
    }

    @Test func curlsExitCodeIsTheCommands() throws {
        let home = try Home()
        let output = try home.bash(
            "new_vault; add demo; vault exec demo -- curl -sS -m 20 -H @{{headers}} http://127.0.0.1:1/")
        #expect(output.status == 7)
    }
}
