import Foundation
import TestSupport
import Testing

/// Following a store.
@Suite(.waitsForPrograms) struct WatchTests {
    private static let shared = Result { try EtcdCluster() }

    /// Waits until a file has as many lines.
    private static let await = """
        lines() { for n in {1..400}; do [ "$(wc -l <"$1")" -ge "$2" ] && return; sleep 0.05; done; echo "not $2 in $1" >&2; }
        """

    @Test func commandRunsOnEachChange() throws {
        let team = try Team(try Self.shared.get())
        let output = try team.second.bash(
            """
            \(Self.await)
            vault watch -- sh -c 'vault list --json | jq -r "map(.name) | join(\\",\\")" >>~/runs; env >~/env' 2>err &
            watch=$!
            touch ~/runs; lines ~/runs 1
            HOME=\(team.first.path) vault rename demo one --quiet
            lines ~/runs 2
            HOME=\(team.first.path) vault rename one two --quiet
            lines ~/runs 3
            sleep 0.3
            # A change that is made here is one as well.
            vault rename two three --quiet; lines ~/runs 4
            kill $watch; wait $watch; echo $?
            cat ~/runs ~/err; grep -c VAULT_PASSPHRASE ~/env
            """, adding: ["VAULT_PASSPHRASE": "not needed"])
        #expect(output.text == "143\ndemo\none\ntwo\nthree\n0\n", "\(output.errorText)")
    }

    @Test func commandThatFailsIsToldAndNotTheEnd() throws {
        let team = try Team(try Self.shared.get())
        let output = try team.second.bash(
            """
            \(Self.await)
            vault watch -- sh -c 'echo run >>~/runs; exit 3' 2>err &
            watch=$!
            touch ~/runs; lines ~/runs 1; lines ~/err 1
            HOME=\(team.first.path) vault rename demo one --quiet
            lines ~/runs 2; lines ~/err 2
            kill -INT $watch; kill $watch; wait $watch; echo $?
            cat ~/err
            """)
        #expect(
            output.text.hasSuffix(
                "\nvault: the command failed with exit code 3\nvault: the command failed with exit code 3\n"))
    }

    @Test func changesDuringARunAreOneMore() throws {
        let team = try Team(try Self.shared.get())
        let output = try team.second.bash(
            """
            \(Self.await)
            vault watch -- sh -c 'echo run >>~/runs; sleep 1.5' &
            watch=$!
            touch ~/runs; lines ~/runs 1
            for n in 1 2 3; do HOME=\(team.first.path) vault edit demo --note $n --quiet; done
            lines ~/runs 2; sleep 2.5
            kill $watch; wait $watch
            cat ~/runs; vault show demo --json | jq -r .note
            """)
        #expect(output.text == "run\nrun\n3\n", "\(output.errorText)")
    }

    @Test func signalEndsTheCommandAsWell() throws {
        let team = try Team(try Self.shared.get())
        let output = try team.second.bash(
            """
            \(Self.await)
            vault watch -- sh -c 'trap "echo ended >>~/runs; exit" TERM; echo run >>~/runs; while sleep 0.1; do :; done' &
            watch=$!
            touch ~/runs; lines ~/runs 1
            kill $watch; wait $watch; echo $?; cat ~/runs
            """, timeout: .seconds(20))
        #expect(output.text == "143\nrun\nended\n", "\(output.errorText)")
    }

    @Test func whatIsNotAllowedIsTheEnd() throws {
        let team = try Team(try EtcdCluster())
        let output = try team.second.bash("rm -f $KNOWN; vault watch -- true")
        #expect(output.status == 77)
        #expect(output.errorText.ranges(of: "is not known here").count == 1, "\(output.errorText)")
    }

    @Test func storeIsFoundAgain() throws {
        let team = try Team(try EtcdCluster())
        let watch = BackgroundThread { [second = team.second] in
            try second.bash(
                """
                \(Self.await)
                vault watch --interval 5s -- sh -c 'echo run >>~/runs' 2>~/err &
                watch=$!; echo $watch >~/watch
                touch ~/runs; lines ~/runs 1; touch ~/ready
                lines ~/runs 2; lines ~/err 2
                kill $watch; wait $watch; echo $?; cat ~/err
                """, timeout: .seconds(60))
        }
        for _ in 0..<800 where !FileManager.default.fileExists(atPath: team.second.file("ready")) { usleep(50_000) }
        team.cluster.kill(0)
        for _ in 0..<800 where (try? Data(contentsOf: URL(filePath: team.second.file("err"))))?.isEmpty ?? true {
            usleep(50_000)
        }
        try team.cluster.restart(0)
        try team.cluster.waitUntilHealthy()
        #expect(try team.first.bash("add other").errorText.isEmpty)
        let output = try watch.result()
        #expect(
            output.text.wholeMatch(
                of: /143\nvault: the shared store cannot be reached: .*\nvault: the vault follows the store again\n/)
                != nil,
            "\(output.text)\(output.errorText)")
        #expect(try team.second.bash("vault token other").status == 0)
    }
}
