import Foundation
import TestSupport
import Testing

/// At no moment does the argument list of any process hold a token.
@Suite(.waitsForPrograms) struct LeakTests {
    /// Of these tests alone, in all its parts: other tests do have theirs in arguments.
    static let token = "demo+token/\(UUID().uuidString)~"

    /// Each runs for a while, so that whatever it starts is seen; and what it ends with.
    static let commands: [(text: String, status: Int32)] = [
        ("printf %s \"$T\" | { sleep 0.2; vault add other --url https://x.example; }", 0),
        ("vault exec demo -- sleep 0.3", 0),
        ("vault exec demo -- sh -c 'sleep 0.3; :'", 0),
        ("vault exec demo -- sh -c 'sleep 0.3; cat {{headers}} {{curl_config}} >/dev/null' {{headers}}", 0),
        ("vault exec demo --no-env -- sh -c 'sleep 0.3; cat \"$1\" >/dev/null' - {{headers}}", 0),
        ("vault exec demo -- timeout 5 curl -s -m 0.4 --config {{curl_config}} http://127.0.0.1:1", 7),
        ("vault headers demo | { sleep 0.3; cat >/dev/null; }", 0),
        ("echo '{{demo.token}} {{demo.headers}}' | vault inject | { sleep 0.3; cat >/dev/null; }", 0),
        ("vault token demo | { sleep 0.2; vault rotate third; }", 0),
        ("vault export | { sleep 0.2; vault import --replace; }", 0),
        ("vault list; vault show demo; vault show demo --json --reveal; vault history demo --reveal", 0),
    ]

    @Test func noArgumentListHoldsTheToken() throws {
        let home = try Home()
        let made = try home.bash(
            #"new_vault; printf %s "$T" | vault add demo --url https://x.example --quiet; add third"#,
            adding: ["T": Self.token])
        try #require(made.status == 0)
        let watcher = ProcessWatcher(Self.token, home: home)
        for command in Self.commands {
            let output = try home.bash("set -o pipefail; \(command.text)", adding: ["T": Self.token])
            #expect(output.status == command.status, "\(command.text): \(output.errorText)")
        }
        let (sightings, rounds, seen) = watcher.stop()
        #expect(sightings.filter { $0.place == .arguments } == [])
        #expect(rounds > 50)
        // What ran was looked at, and more than once: a program may change what it shows.
        #expect(seen.contains { $0.key.hasPrefix("sleep\u{0}0.3") && $0.value > 1 })
    }

    @Test func theWatcherSees() throws {
        let home = try Home()
        let watcher = ProcessWatcher("shown-token-0123456789", home: home)
        _ = try home.bash("bash -c 'sleep 0.3; :' \"$T\"", adding: ["T": "shown-token-0123456789"])
        let shown = watcher.stop().sightings.filter { $0.place == .arguments }
        #expect(shown == [.init(secret: "the token", place: .arguments, program: "bash")])
    }
}
