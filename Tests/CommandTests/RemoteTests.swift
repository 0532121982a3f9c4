import Foundation
import Synchronization
import TestSupport
import Testing

/// Sharing a vault by a store: a real etcd cluster of one member, for all of these tests.
@Suite(.waitsForPrograms) struct RemoteTests {
    private static let shared = Result { try EtcdCluster() }

    private func team(_ count: Int = 2) throws -> Team { try Team(try Self.shared.get(), machines: count) }

    @Test func newMachinePulls() throws {
        let team = try team()
        let before = try team.second.run("vault", ["list"])
        #expect(before.status == 66)
        let pulled = try team.second.bash("vault pull && vault token demo && vault status --json")
        #expect(pulled.errorText == "vault: took the version of the store\n")
        #expect(pulled.text.hasPrefix("demo-token-0123456789\n"))
        #expect(pulled.text.contains(#""in_step":true}"#))
        #expect(try team.first.vaultBytes() == team.second.vaultBytes())
    }

    @Test func newMachineTrustsNobody() throws {
        let team = try team()
        let output = try team.second.bash("rm $KNOWN; vault pull")
        #expect(output.status == 77)
        #expect(output.errorText.contains("set VAULT_ID=vault1"))
        #expect(!FileManager.default.fileExists(atPath: team.second.vault))
        // Given from elsewhere, it is written down, and asked for no more.
        let pulled = try team.second.bash("vault pull --quiet --vault-id \(id(of: team.first)) && vault list")
        #expect(pulled.status == 0)
    }

    @Test func olderCopyIsNotPushed() throws {
        let team = try team()
        let output = try team.first.bash(
            """
            cp $VAULT old.age; add other --offline
            cp old.age $VAULT; vault remote set $(vault remote status --json | jq -r .url)-new --quiet
            vault push
            """)
        #expect(output.status == 65)
        #expect(output.errorText.contains("is older than a version already seen"), "\(output.errorText)")
        #expect(try team.first.bash("vault push --accept-older").status == 0)
    }

    private func id(of machine: Home) throws -> String {
        try machine.bash("id_of $VAULT").text.trimmingCharacters(in: .newlines)
    }

    @Test func writesArePushed() throws {
        let team = try team()
        _ = try team.second.run("vault", ["pull"])
        for write in [
            "add other", "token_of new | vault rotate other --quiet", "vault edit other --note text --quiet",
            "vault rename other renamed --quiet", "vault rollback renamed --quiet", "vault remove renamed --quiet",
            #"echo '{"name":"imported","urls":["https://i.example"],"token":{"value":"12345678"}}' | vault import -q"#
                .replacing("-q", with: "--quiet"),
            "vault member add bob age1lggyhqrw2nlhcxprm67z43rta597azn8gknawjehu9d9dl0jq3yqqvfafg --quiet",
            "vault member remove bob --quiet",
        ] {
            let written = try team.first.bash(write)
            #expect(written.status == 0, "\(write): \(written.errorText)")
            #expect(written.errorText.isEmpty)
            let pulled = try team.second.bash("vault pull")
            #expect(pulled.errorText == "vault: took the version of the store\n", "\(write)")
            #expect(try team.first.vaultBytes() == team.second.vaultBytes(), "\(write)")
        }
    }

    @Test func writesOfTwoMachinesAreMerged() throws {
        let team = try team()
        _ = try team.second.run("vault", ["pull"])
        #expect(try team.first.bash("add one --offline").status == 0)
        #expect(try team.second.bash("add two").errorText.isEmpty)
        let status = try team.first.run("vault", ["remote", "status"])
        #expect(status.text.contains("\nstate    diverged\n"))
        let pushed = try team.first.run("vault", ["push"])
        #expect(pushed.errorText.contains("vault: merged the version of the store with the changes here\n"))
        let bytes = try team.settle()
        #expect(!bytes.isEmpty)
        #expect(try team.second.bash("vault list --json | jq -r .[].name").text == "demo\none\ntwo\n")
    }

    @Test func writesAtOnceAreAllThere() throws {
        let team = try team(4)
        for machine in team.machines { _ = try machine.run("vault", ["pull"]) }
        let failed = Mutex<[String]>([])
        atOnce(4) { number in
            for round in 0..<3 {
                let output = try? team.machines[number].bash("add m\(number)-\(round)")
                if output?.status != 0 || output?.errorText != "" {
                    failed.withLock { $0.append(output?.errorText ?? "it did not run") }
                }
            }
        }
        #expect(failed.withLock { $0 } == [])
        _ = try team.settle()
        #expect(try team.first.bash("vault list --json | jq length").text == "13\n")
    }

    @Test func sameTokenOnTwoMachinesIsAConflict() throws {
        let team = try team()
        _ = try team.second.run("vault", ["pull"])
        #expect(try team.first.bash("token_of first | vault rotate demo --quiet --offline").status == 0)
        let second = try team.second.bash("sleep 1; token_of second | vault rotate demo --quiet")
        #expect(second.errorText.isEmpty)
        for verb in ["pull", "push"] {
            let before = try team.first.vaultBytes()
            let output = try team.first.run("vault", [verb])
            #expect(output.status == 1)
            #expect(
                output.errorText
                    == """
                    vault: the vault here and the one in the shared store have conflicts: demo: both sides changed the token
                    hint: say who is right with 'vault pull --prefer newest', ours or theirs; then 'vault push'

                    """)
            #expect(try team.first.vaultBytes() == before)
        }
        // A write stands all the same.
        let write = try team.first.bash("add other")
        #expect(write.status == 1)
        #expect(write.errorText.hasPrefix("vault: the change is in the vault here, and not in the shared store\n"))
        #expect(try team.first.run("vault", ["show", "other"]).status == 0)
        let settled = try team.first.run("vault", ["pull", "--prefer", "newest"])
        #expect(settled.errorText.contains("vault: settled: demo: both sides changed the token\n"))
        #expect(try team.first.bash("vault token demo").text == "second-token-0123456789\n")
        #expect(try team.first.bash("vault history demo --reveal").text.contains("first-token-0123456789"))
        _ = try team.settle()
        #expect(try team.second.run("vault", ["show", "other"]).status == 0)
    }

    @Test func readerPullsAndDoesNotPush() throws {
        let team = try team()
        let key = try Home()
        let made = try key.bash(
            "vault identity new -o key --quiet | { read -r recipient _; echo ${recipient#*=}; }; cat key")
        let lines = made.text.split(separator: "\n").map(String.init)
        let recipient = try #require(made.text.firstMatch(of: /age1[a-z0-9]+/)).output
        let added = try team.first.bash("vault member add reader \(recipient) --quiet")
        #expect(added.status == 0, "\(added.errorText)")
        let secret = try #require(lines.first { $0.hasPrefix("AGE-SECRET-KEY-") })
        try team.introduce(team.second, with: secret + "\n")
        #expect(try team.second.bash("vault pull --quiet && vault token demo").text == "demo-token-0123456789\n")
        #expect(try team.second.bash("add other").status == 77)
        // It has nothing of its own to bring.
        #expect(try team.second.run("vault", ["push"]).errorText == "vault: the store has it already\n")
        #expect(try team.first.bash("add third").errorText.isEmpty)
        #expect(try team.second.bash("vault pull --quiet && vault token third").status == 0)
        let pinned = try team.first.bash("vault member remove reader --quiet")
        #expect(pinned.status == 0)
        let removed = try team.second.run("vault", ["pull"])
        #expect(removed.status == 77)
        #expect(removed.errorText.contains("ask the vault's owner whether you are still a member"))
    }

    @Test func settingsAreRemoved() throws {
        let team = try team()
        let output = try team.first.bash(
            """
            vault remote remove && cat ~/.config/vault/remotes
            vault pull; echo $?
            vault exec demo --max-age 1s -- true; echo $?
            add other && vault list --json | jq length
            """)
        #expect(output.text == "64\n125\n2\n")
        #expect(output.errorText.contains("hint: give it one with 'vault remote set etcd://HOST/PREFIX'"))
        #expect(try team.second.bash("vault pull --quiet; vault list --json | jq length").text == "1\n")
    }

    @Test func readOnlyStore() throws {
        let home = try Home()
        let server = try NginxServer(home, locations: "location / {}")
        let made = try home.bash("new_vault && add demo && cp $VAULT \(server.file("vault.age"))")
        try #require(made.status == 0, "\(made.errorText)")
        let reader = try Home()
        let known = try home.bash("cat $KNOWN; cat $IDENTITY").text
        let output = try reader.bash(
            """
            mkdir -p ~/.config/vault && tail -n +2 >$IDENTITY <<'END'
            \(known)END
            chmod 600 $IDENTITY
            vault remote set \(server.url("https"))/vault.age --ca \(server.certificate) --quiet
            export VAULT_ID=\(known.prefix { $0 != " " })
            vault pull && vault token demo && vault pull && vault push; echo $?
            add other; echo $?
            """)
        #expect(output.text == "demo-token-0123456789\n77\n0\n")
        #expect(
            output.errorText
                == """
                vault: took the version of the store
                vault: there is nothing new in the store
                vault: the shared store can only be read
                hint: bring the file there as the web server has it, or give the vault an etcd:// store

                """)
        // What comes from there later is merged with what is here.
        // nginx tells versions apart by their size and the second in which they were written.
        #expect(try home.bash("sleep 1; add third && cp $VAULT \(server.file("vault.age"))").status == 0)
        let merged = try reader.bash("VAULT_ID=\(known.prefix { $0 != " " }) vault pull; vault list --json | jq length")
        #expect(merged.text == "3\n", "\(merged.errorText)")
    }

    @Test func webServerWithAPassword() throws {
        let home = try Home()
        let server = try NginxServer(
            home,
            locations: """
                location / {
                    if ($http_authorization != "Basic \(Data("reader:pass word".utf8).base64EncodedString())") { return 401; }
                }
                """)
        let set = "vault remote set \(server.url("https"))/vault.age --ca \(server.certificate) --quiet"
        let output = try home.bash(
            """
            new_vault && add demo && cp $VAULT \(server.file("vault.age"))
            \(set) --user reader && VAULT_REMOTE_PASSWORD='pass word' vault remote status | grep state
            VAULT_REMOTE_PASSWORD=wrong vault pull; echo $?
            \(set) --user read:er; echo $?
            """)
        #expect(output.text == "state    in step\n77\n64\n", "\(output.errorText)")
        #expect(output.errorText.hasSuffix("vault: a user name for a web server has no colon in it\n"))
    }

    @Test func statusWithoutAnythingInCommon() throws {
        let home = try Home()
        let server = try NginxServer(home, locations: "location / {}")
        let file = server.file("vault.age")
        let output = try home.bash(
            """
            state() { vault remote status --json | jq -r .state; }
            vault remote set \(server.url("https"))/vault.age --ca \(server.certificate) --quiet
            new_vault && add demo && cp $VAULT \(file) && cp $VAULT copy; state
            add one --offline; state
            cp $VAULT \(file); cp copy $VAULT; rm -r $STATE; state
            add two --offline; state
            findings | grep remote
            """)
        #expect(
            output.text.hasPrefix("in step\nahead\nbehind\ndiverged\n"), "\(output.text)\(output.errorText)")
        #expect(output.text.contains(" has had nothing in common with the vault yet\n"))
        #expect(!output.text.contains("push"))
    }

    @Test func passwordComesFromAFileOrAVariable() throws {
        let cluster = try EtcdCluster()
        let password = "a \"password\" \\ of ours"
        let home = try Home()
        let file = home.file("password")
        try Data((password + "\n").utf8).write(to: URL(filePath: file))
        try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: file)
        try cluster.enableUsers(password.replacing("\\", with: "\\\\").replacing("\"", with: "\\\""), prefix: "team")
        let set = "vault remote set etcd://\(cluster.hostList)/team --user vault --quiet"
        let refused = try home.bash("new_vault && add demo && \(set) --password-file password; vault push")
        #expect(refused.status == 77)
        #expect(refused.errorText.contains("hint: chmod 600 \(file)\n"))
        #expect(try home.bash("chmod 600 password; vault push").errorText.hasPrefix("vault: brought to etcd://"))
        #expect(try home.bash("\(set) && add other").status == 77)
        let pushed = try home.run("vault", ["push"], adding: ["VAULT_REMOTE_PASSWORD": password])
        #expect(pushed.status == 0, "\(pushed.errorText)")
        let wrong = try home.run("vault", ["push"], adding: ["VAULT_REMOTE_PASSWORD": "another one"])
        #expect(wrong.status == 77)
        let read = try home.run("vault", ["pull"], adding: ["VAULT_REMOTE_PASSWORD_FILE": file])
        #expect(read.status == 0, "\(read.errorText)")
        // No command gets it.
        let child = try home.bash(
            "vault exec demo -- env | grep -c REMOTE_PASSWORD", adding: ["VAULT_REMOTE_PASSWORD": password])
        #expect(child.text == "0\n")
    }

    @Test func certificatesOfClients() throws {
        let cluster = try EtcdCluster(usesTLS: true)
        let files = [
            "--ca", cluster.file("ca.crt"), "--cert", cluster.file("client.crt"), "--key", cluster.file("client.key"),
        ]
        let team = try Team(cluster, options: files)
        #expect(try team.second.bash("vault pull --quiet && vault token demo").text == "demo-token-0123456789\n")
        let refused = try team.second.bash(
            "vault remote set \(team.url) --ca \(cluster.file("other-ca.crt")) --quiet; vault pull")
        #expect(refused.status == 77)
        let unknown = try team.second.bash(
            "vault remote set \(team.url) --ca \(cluster.file("ca.crt")) --quiet; vault pull")
        // TLS 1.3 tells a client without a certificate so late that it may see no more than the end of the connection.
        #expect([69, 77].contains(unknown.status), "\(unknown.errorText)")
    }
}
