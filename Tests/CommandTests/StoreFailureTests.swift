import Foundation
import TestSupport
import Testing

/// A store that is away, or lies: what is here stays usable, and as it is.
@Suite(.waitsForPrograms) struct StoreFailureTests {
    private static let shared = Result { try EtcdCluster() }

    private func team() throws -> Team {
        let team = try Team(try Self.shared.get())
        _ = try team.second.run("vault", ["pull"])
        return team
    }

    @Test func everythingWorksFromTheCopy() throws {
        let team = try Team(try EtcdCluster())
        team.cluster.kill(0)
        let used = try team.first.bash(
            """
            vault list --json | jq length && vault token demo && vault exec demo --no-mask -- printenv DEMO_TOKEN &&
            add offline --offline && add other && vault remote status; echo $?
            vault status --json | jq -c .remote.in_step; findings | grep remote
            """)
        #expect(
            used.text.matches(of: /1\ndemo-token-0123456789\ndemo-token-0123456789\nurl      etcd:.*\nchecked  20.*\n/)
                .count == 1)
        #expect(used.text.contains("state    not known\n69\nfalse\ntodo  remote "), "\(used.text)")
        let line =
            "vault: not pushed yet: nobody answers at the store's host and port; the next change brings it to the store, or 'vault push' does\n"
        #expect(used.errorText.hasPrefix(line))
        for verb in ["pull", "push"] { #expect(try team.first.run("vault", [verb]).status == 69) }
        try team.cluster.restart(0)
        try team.cluster.waitUntilHealthy()
        #expect(try team.first.bash("vault push").errorText.hasPrefix("vault: brought to etcd://"))
        #expect(try team.second.bash("vault pull --quiet && vault list --json | jq length").text == "3\n")
    }

    /// As after a power cut between the swap and what is remembered of it: what this machine brought there is no conflict.
    @Test func forgottenPushIsNoConflict() throws {
        let team = try team()
        let pushed = try team.first.bash(
            """
            state=~/.local/state/vault/remotes; cp -a $state before && vault rotate demo <<<demo-token-pushed &&
            rm -r $state && cp -a before $state && vault rotate demo --offline <<<demo-token-of-here && vault push
            """)
        #expect(pushed.status == 0 && pushed.errorText.contains("brought to"), "\(pushed.errorText)")
    }

    /// By cp, which writes into the file that is there.
    @Test func vaultThatWasPutBackIsNotPushed() throws {
        let team = try team()
        let pushed = try team.first.bash(
            """
            vault rotate demo <<<demo-token-pushed && cd ~/.local/share/vault && cp vault.age.bak vault.age
            vault push; echo $?; rm vault.age && vault pull --quiet && vault history demo --json | jq length
            """)
        #expect(pushed.text == "65\n1\n", "\(pushed.errorText)")
    }

    @Test func vaultThatWasMadeAnewIsNotPushed() throws {
        let team = try team()
        let pushed = try team.first.bash("vault rekey --quiet >id; vault push; echo $?; add other; echo $?")
        #expect(pushed.text == "65\n65\n", "\(pushed.errorText)")
        #expect(try team.second.bash("vault pull && vault token demo").status == 0)
    }

    @Test func maximumAgeAsksTheStore() throws {
        let team = try Team(try EtcdCluster())
        _ = try team.second.run("vault", ["pull"])
        #expect(try team.first.bash("add other").errorText.isEmpty)
        // Young enough: the store is not asked, and the resource not seen.
        #expect(try team.second.bash("vault exec other --max-age 1h -- true").status == 125)
        let asked = try team.second.bash("vault exec other --max-age 0s -- printenv OTHER_TOKEN")
        #expect(asked.text == "[vault:other]\n")
        team.cluster.kill(0)
        let away = try team.second.bash("sleep 1; vault exec other --max-age 0s -- true")
        #expect(away.status == 0)
        #expect(
            away.errorText.wholeMatch(
                of:
                    /vault: going on with the copy here \(store asked \d+ seconds? ago\): the shared store cannot be .*\n/
            )
                != nil, "\(away.errorText)")
        #expect(try team.second.bash("vault exec other --max-age 1h -- true").errorText.isEmpty)
    }

    /// What a store that lies puts in the place of the head, or of what that leads to.
    enum Lie: CaseIterable {
        case rubbish, otherVault, rekeyedVault, oldVersion, truncated, mixed, garbledHead
    }

    @Test(arguments: Lie.allCases)
    func liesAreRefused(_ lie: Lie) throws {
        let team = try team()
        let cluster = team.cluster
        let prefix = String(team.url.split(separator: "/").last ?? "")
        // A version of several parts.
        let many = """
            for n in {1..1500}; do
            printf '{"name":"r%s","urls":["https://r.example"],"token":{"value":"%0900d"}}\\n' $n $n; done
            """
        let old = try pairs(cluster, prefix)
        #expect(try team.first.bash("\(many) | vault import --quiet").status == 0)
        _ = try team.second.run("vault", ["pull"])
        let seen = try pairs(cluster, prefix)
        #expect(try team.first.bash("add newest").errorText.isEmpty)
        let newest = try pairs(cluster, prefix)
        let head = "\(prefix)/head"
        func parts(_ pairs: [String: String]) -> [String] {
            pairs.keys.filter { $0 != head && (seen[$0] == nil) }.sorted()
        }
        switch lie {
        case .rubbish:
            for part in parts(newest) { try put(cluster, part, Data(repeating: 7, count: 1000).base64EncodedString()) }
        case .garbledHead: try put(cluster, head, Data("[]".utf8).base64EncodedString())
        case .oldVersion:
            for (key, value) in old { try put(cluster, key, value) }
        case .truncated:
            let part = try #require(parts(newest).last)
            let bytes = try #require(Data(base64Encoded: newest[part] ?? ""))
            try put(cluster, part, bytes.dropLast(100).base64EncodedString())
        case .mixed:
            // The first part of the version before, which is as large.
            let before = try #require(seen.keys.filter { $0 != head && old[$0] == nil }.sorted().first)
            try put(cluster, try #require(parts(newest).first), try #require(seen[before]))
        case .rekeyedVault:
            let rekeyed = try team.first.bash(
                "vault rekey --quiet && vault remote set \(team.url)-new --quiet && vault push")
            #expect(rekeyed.status == 0, "\(rekeyed.errorText)")
            for (key, value) in try pairs(cluster, "\(prefix)-new") {
                try put(cluster, key.replacing("\(prefix)-new", with: prefix), value)
            }
        case .otherVault:
            let other = try Team(cluster)
            let strange = try pairs(cluster, String(other.url.split(separator: "/").last ?? ""))
            for (key, value) in strange {
                try put(cluster, key.replacing(/^[^\/]+/, with: prefix), value)
            }
        }
        // A reader takes the parts as they were when the head was put.
        if [.rubbish, .truncated, .mixed].contains(lie) { try put(cluster, head, try #require(newest[head])) }
        let before = try team.second.vaultBytes()
        let pulled = try team.second.run("vault", ["pull"])
        // That it is another vault is seen only by who opens it, as one that was made anew for the same members.
        #expect(pulled.status == (lie == .otherVault ? 77 : 65), "\(pulled.errorText)")
        #expect(!pulled.errorText.contains("/proc/"))
        #expect(try team.second.vaultBytes() == before)
        let used = try team.second.bash("vault token demo && vault exec demo --max-age 0s --quiet -- true")
        #expect(used.status == 0)
        #expect(try team.second.vaultBytes() == before)
        // Nothing is put over what is not understood.
        let write = try team.second.bash("add mine")
        #expect(write.status != 0)
        #expect(write.errorText.hasPrefix("vault: the change is in the vault here, and not in the shared store\n"))
        #expect(try team.second.run("vault", ["show", "mine"]).status == 0)
    }

    @Test func storeOfABackupIsReplacedOnlyWhenAsked() throws {
        let team = try team()
        let prefix = String(team.url.split(separator: "/").last ?? "")
        let old = try pairs(team.cluster, prefix)
        #expect(try team.first.bash("add other").errorText.isEmpty)
        for (key, value) in old { try put(team.cluster, key, value) }
        let refused = try team.first.run("vault", ["push"])
        #expect(refused.status == 65)
        #expect(
            refused.errorText.contains("hint: if the store was restored from a backup, 'vault push --accept-older'"))
        #expect(try team.first.run("vault", ["push", "--accept-older"]).errorText.hasPrefix("vault: brought to"))
        #expect(try team.second.bash("vault pull --quiet && vault token other").status == 0)
    }

    @Test func acceptingOlderIsAboutTheVaultAlone() throws {
        let (team, _, old) = try teamThatRemoved()
        for (key, value) in old { try put(team.cluster, key, value) }
        let before = try team.first.vaultBytes()
        let used = try team.first.bash("vault exec kept --accept-older --max-age 0s --no-mask -- printenv KEPT_TOKEN")
        #expect(used.text == "kept-token-0123456789\n")
        #expect(used.errorText.contains("vault: going on with the copy here "))
        #expect(try team.first.vaultBytes() == before)
        let written = try team.first.bash("add mine --accept-older")
        #expect(written.status == 65)
        #expect(written.errorText.hasPrefix("vault: the change is in the vault here, and not in the shared store\n"))
        #expect(try team.first.bash("vault list --json | jq -r .[].name").text == "demo\nkept\nmine\nother\n")
        // Who asks for what the store has gets it.
        #expect(try team.second.bash("vault pull --quiet --accept-older && vault token gone").status == 0)
    }

    @Test func deadStoreIsLeftAloneForAWhile() throws {
        let team = try Team(try EtcdCluster())
        team.cluster.kill(0)
        let exec = "vault exec demo --max-age 0s -- true"
        let goingOn = "vault: going on with the copy here (store asked "
        #expect(try team.first.bash("sleep 1; \(exec)").errorText.contains("cannot be reached"))
        try team.cluster.restart(0)
        try team.cluster.waitUntilHealthy()
        let again = try team.first.bash(exec)
        #expect(again.errorText.hasPrefix(goingOn))
        #expect(again.errorText.contains(/: the shared store could not be reached \d+ seconds? ago\n/))
        #expect(again.status == 0)
        // After a while, it is asked again.
        let state = "~/.local/state/vault/remotes/*/state"
        let later = try team.first.bash(
            #"sed -i "s/^failed .*/failed $(date -u -d '31 seconds ago' +%FT%TZ)/" \#(state); \#(exec); grep -c ^failed \#(state)"#
        )
        #expect(later.errorText.isEmpty)
        #expect(later.text == "0\n")
        // What asks for the store itself is not kept from it.
        team.cluster.kill(0)
        #expect(try team.first.bash("sleep 1; \(exec)").errorText.contains("cannot be reached"))
        try team.cluster.restart(0)
        try team.cluster.waitUntilHealthy()
        #expect(try team.first.run("vault", ["pull"]).status == 0)
        #expect(try team.first.bash("sleep 1; \(exec)").errorText.isEmpty)
    }

    @Test func dryRunLeavesTheStoreAlone() throws {
        let team = try Team(try EtcdCluster())
        team.cluster.kill(0)
        let output = try team.first.bash("sleep 1; vault exec demo --dry-run --max-age 0s -- true")
        #expect(output.status == 0)
        #expect(!output.errorText.contains("going on with the copy here"), "\(output.errorText)")
    }

    @Test func lostStoreIsFilledAgain() throws {
        let team = try team()
        try clear(team.cluster, String(team.url.split(separator: "/").last ?? ""))
        #expect(
            try team.second.run("vault", ["pull"]).errorText.contains("there is nothing in the store; 'vault push'"))
        #expect(try team.first.bash("add other").errorText.isEmpty)
        #expect(try team.second.bash("vault pull --quiet && vault token other").status == 0)
    }

    /// Makes a vault that has taken a record away since the store had `old`, and one that both have.
    private func teamThatRemoved() throws -> (team: Team, prefix: String, old: [String: String]) {
        let team = try team()
        let prefix = String(team.url.split(separator: "/").last ?? "")
        #expect(try team.first.bash("add gone").errorText.isEmpty)
        let old = try pairs(team.cluster, prefix)
        #expect(try team.first.bash("vault remove gone --quiet && add kept && add other").errorText.isEmpty)
        return (team, prefix, old)
    }

    @Test func absentAndThenOldIsRefusedByWriters() throws {
        let (team, prefix, old) = try teamThatRemoved()
        let before = try team.first.vaultBytes()
        try clear(team.cluster, prefix)
        #expect(try team.first.run("vault", ["pull"]).errorText.contains("there is nothing in the store; 'vault push'"))
        #expect(try team.first.bash("vault status --json | jq .remote.in_step").text == "false\n")
        for (key, value) in old { try put(team.cluster, key, value) }
        for verb in ["pull", "push"] {
            let output = try team.first.run("vault", [verb])
            #expect(output.status == 65, "\(verb): \(output.errorText)")
            #expect(try team.first.vaultBytes() == before)
        }
        // Not with changes of its own either.
        #expect(try team.first.bash("add mine").status == 65)
        #expect(try team.first.bash("vault list --json | jq -r .[].name").text == "demo\nkept\nmine\nother\n")
        // A store that is empty once more is filled.
        try clear(team.cluster, prefix)
        #expect(try team.first.run("vault", ["push"]).errorText.hasPrefix("vault: brought to etcd://"))
        #expect(try team.second.bash("vault pull --quiet && vault token mine").status == 0)
    }

    @Test func whatWasInCommonOutlastsAMove() throws {
        let (team, prefix, old) = try teamThatRemoved()
        let elsewhere = "\(prefix)-new"
        for (key, value) in old { try put(team.cluster, key.replacing(prefix, with: elsewhere), value) }
        let moved = try team.first.bash(
            "vault remote set \(team.url)-new --quiet; vault status --json | jq -c '.remote | [.checked, .in_step]'")
        #expect(moved.text == "[null,false]\n")
        let before = try team.first.vaultBytes()
        #expect(try team.first.run("vault", ["pull"]).status == 65)
        #expect(try team.first.vaultBytes() == before)
    }

    /// Takes everything away below a prefix.
    private func clear(_ cluster: EtcdCluster, _ prefix: String) throws {
        let (key, end) = Self.range(prefix)
        _ = try cluster.post("kv/deleterange", #"{"key":"\#(key)","range_end":"\#(end)"}"#)
    }

    /// Where the keys below a prefix begin and end, in base64.
    private static func range(_ prefix: String) -> (key: String, end: String) {
        (Data("\(prefix)/".utf8).base64EncodedString(), Data("\(prefix)0".utf8).base64EncodedString())
    }

    /// All keys below a prefix, with their values in base64.
    private func pairs(_ cluster: EtcdCluster, _ prefix: String) throws -> [String: String] {
        struct Answer: Decodable {
            struct Pair: Decodable { let key, value: String }
            let kvs: [Pair]
        }
        let (key, end) = Self.range(prefix)
        let text = try cluster.post("kv/range", #"{"key":"\#(key)","range_end":"\#(end)"}"#)
        let pairs = try JSONDecoder().decode(Answer.self, from: Data(text.utf8)).kvs
        return Dictionary(
            uniqueKeysWithValues: pairs.map {
                (String(decoding: Data(base64Encoded: $0.key) ?? Data(), as: UTF8.self), $0.value)
            })
    }

    private func put(_ cluster: EtcdCluster, _ key: String, _ value: String) throws {
        let body = #"{"key":"\#(Data(key.utf8).base64EncodedString())","value":"\#(value)"}"#
        let answer = try cluster.post("kv/put", body)
        #expect(answer.contains("revision"), "\(answer)")
    }
}
