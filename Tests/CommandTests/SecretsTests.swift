import ArgumentParser
import Foundation
import Synchronization
import TestSupport
import Testing

@testable import vault

/// Every verb, with secrets that nothing else could be, and a look at everything that came of it: each file, argument
/// list, environment, message and core. Each secret is where the step says, and nowhere else.
@Suite struct SecretsTests {
    /// Something that is done, and where its secrets may be: and have to be, or the search would prove nothing.
    struct Step {
        let verbs: [String]
        let command: String
        var status: Int32
        /// What standard output has.
        var shows: Set<String>
        /// What is in the environment of programs that are not `vault`.
        var hands: Set<String>
        /// What is in the environment that `vault` itself was given.
        var gets: Set<String>
        /// What other programs, and not `vault`, send over the network.
        var sends: Set<String>
        /// Files that have secrets from then on, below the home.
        var files: [String: Set<String>]

        init(
            _ verbs: String, _ command: String, status: Int32 = 0, shows: Set<String> = [], hands: Set<String> = [],
            gets: Set<String> = [], sends: Set<String> = [], files: [String: Set<String>] = [:]
        ) {
            self.verbs = verbs.split(separator: ",").map(String.init)
            self.command = command
            self.status = status
            self.shows = shows
            self.hands = hands
            self.gets = gets
            self.sends = sends
            self.files = files
        }
    }

    private static let everyToken: Set = ["plain", "second", "quoted", "basic", "third", "netrc", "dotenv"]
    private static let identity = ".config/vault/identity"

    /// What is done, in this order, in one home. `$I` is a folder with a file for each secret, which nothing looks at.
    private static let steps = [
        Step("init", "vault init"),
        Step("init", "vault init", status: 73),
        Step("identity show", "vault identity show"),
        Step("identity show", "vault identity show --identity $I/plain", status: 65),
        Step("add", "vault add plain --url https://plain.example <$I/plain"),
        Step("add", "vault add plain --url https://plain.example <$I/second", status: 73),
        Step("add", "vault add other --url https://other.example <$I/quoted", status: 64),
        Step(
            "add",
            "vault add quoted --url https://quoted.example --header 'X-Api-Key: {{token}}' --token-fd 5 5<$I/quoted"),
        Step(
            "add",
            "vault add name --url https://basic.example/v1 --username ada --header 'Authorization: Basic {{basic}}' <$I/basic"
        ),
        Step("add", "vault add --no-such-option <$I/plain", status: 64),
        // Of the server that says what it was sent.
        Step("add", "vault add echo --url $ECHO <$I/plain"),
        Step("rename", "vault rename name basic"),
        Step("rename", "vault rename none other", status: 66),
        Step("rotate", "vault rotate plain <$I/second"),
        Step("rotate", "vault rotate plain <$I/second", status: 64),
        Step("rotate", "vault rotate none <$I/third", status: 66),
        Step("rollback", "vault rollback plain"),
        Step("rollback", "vault rollback basic", status: 66),
        Step("edit", "vault edit plain --note text --tag ci"),
        Step("edit", "vault edit none --note text", status: 66),
        Step("list", "vault list; vault list --json"),
        Step("list", "vault list --vault $I/plain", status: 65),
        Step("show", "vault show plain; vault show quoted --json"),
        Step("show", "vault show plain --json --reveal", shows: ["plain"]),
        Step("show", "vault show none --reveal", status: 66),
        Step("history", "vault history plain; vault history plain --json"),
        Step("history", "vault history plain --reveal", shows: ["second"]),
        Step("history", "vault history plain --reveal >/dev/full", status: 74),
        Step("token", "vault token plain; vault token quoted", shows: ["plain", "quoted"]),
        Step("token", "vault token plain >/dev/full", status: 74),
        Step("token", "set -o pipefail; { sleep 0.1; vault token plain; } | true", status: 141),
        Step("token", "vault token plan", status: 66),
        Step("token", "vault token plain --identity $I/another-key", status: 77),
        Step("headers", "vault headers plain quoted", shows: ["plain", "quoted"]),
        Step("headers", "vault headers basic --format json", shows: ["basic"]),
        Step("headers", "vault headers quoted --format curl", shows: ["quoted"]),
        Step("headers", "vault headers --for https://elsewhere.example/", status: 77),
        Step("headers", "vault headers plain >/dev/full", status: 74),
        Step("inject", "echo 'a {{plain.token}} {{basic.basic}}' | vault inject", shows: ["plain", "basic"]),
        Step(
            "inject", "echo 'a {{quoted.headers}}' >template; vault inject template -o out",
            files: ["out": ["quoted"]]),
        Step("inject", "echo 'a {{plain.token}} {{plan.token}}' | vault inject -o none", status: 66),
        Step("inject", "echo '{{plain.token}}' | vault inject -o no-folder/none", status: 73),
        Step("inject", "echo '{{plain.token}}' | vault inject >/dev/full", status: 74),
        Step("exec", "vault exec plain -- sh -c 'sleep 0.3; printenv PLAIN_TOKEN'", hands: ["plain"]),
        Step("exec", "vault exec plain --no-mask -- printenv PLAIN_TOKEN", shows: ["plain"], hands: ["plain"]),
        Step(
            "exec",
            "vault exec quoted,basic -- sh -c 'cat \"$1\" \"$2\" $QUOTED_HEADERS $BASIC_CURL_CONFIG >&2' - {{headers:quoted}} {{curl_config:basic}}",
            hands: ["quoted", "basic"]),
        Step("exec", "vault exec plain --no-env --no-mask -- cat {{headers}}", shows: ["plain"]),
        Step(
            "exec", "vault exec plain --no-env --no-mask -- curl -s --config {{curl_config}} $ECHO", shows: ["plain"],
            sends: ["plain"]),
        Step("exec", "vault exec echo -- curl -s $ECHO", sends: ["plain"]),
        Step("exec", "vault exec plain -- curl -s $ECHO", status: 125),
        Step("exec", "vault exec plain --dry-run -- true"),
        Step("exec", "vault exec plain -- no-such-program", status: 127),
        // The system was asked, and said no.
        Step("exec", "vault exec plain -- $I/plain", status: 126, hands: ["plain"]),
        Step("exec", "vault exec none -- true <$I/plain", status: 125),
        Step("exec", "vault exec plain -- printenv PLAIN_TOKEN >/dev/full", status: 125, hands: ["plain"]),
        Step("exec", "VAULT_IDENTITY=$(grep AGE $I/key) vault exec plain -- env", hands: ["plain"], gets: ["key"]),
        Step(
            "exec", "VAULT_IDENTITY=$(grep AGE $I/key) vault exec plain --no-mask -- true", hands: ["plain"],
            gets: ["key"]),
        Step(
            "exec", "VAULT_IDENTITY=$(grep AGE $I/key) vault exec plain --no-mask --keep VAULT_IDENTITY -- true",
            hands: ["plain", "key"], gets: ["key"]),
        Step("import", "vault import <$I/records"),
        Step("import", "vault import --format netrc --dry-run $I/records.netrc"),
        Step("import", "vault import --format netrc $I/records.netrc; vault import --format dotenv $I/records.env"),
        Step("import", "vault import <$I/records", status: 73),
        Step("import", "vault import <$I/records.broken", status: 64),
        Step("import", "vault import --format netrc $I/records.broken", status: 64),
        Step("export", "vault export", shows: everyToken),
        Step(
            "export", "vault export --format dotenv", shows: ["plain", "quoted", "basic", "third", "netrc", "dotenv"]),
        Step("export", "vault export >/dev/full", status: 74),
        Step("check", "vault check --json; vault check"),
        Step("check", "vault check --added-since 2099-01-01", status: 1),
        Step("doctor", "vault doctor", status: 1),
        Step("doctor", "vault doctor --json --identity $I/another-key", status: 1),
        Step("redact", "cat $I/plain $I/quoted $I/records | vault redact"),
        Step("redact", "vault redact plain none <$I/plain", status: 66),
        Step("redact", "cat $I/plain $I/quoted | vault redact >/dev/full", status: 74),
        Step("scan", "vault scan $I", status: 1),
        Step("scan", "vault scan .local .config"),
        Step("scan", "vault scan no-such-folder", status: 66),
        Step("member add", "vault member add bob $(cat $I/another-key.pub)"),
        Step("member add", "vault member add bob not-a-recipient", status: 64),
        Step("member list", "vault member list; vault member list --json"),
        Step("member list", "vault member list --identity $I/plain", status: 65),
        Step("member remove", "vault member remove bob"),
        Step("member remove", "vault member remove bob", status: 66),
        Step("rekey", "vault rekey"),
        Step("rekey", "vault rekey --identity $I/another-key", status: 77),
        Step("remote set", "vault remote set $STORE --user vault --password-file $I/password"),
        Step("remote set", "vault remote set nonsense://x", status: 64),
        Step("remote status", "vault remote status; vault remote status --json", sends: ["password"]),
        Step("push", "vault push", sends: ["password"]),
        Step("push", "VAULT_REMOTE_PASSWORD=$(cat $I/wrong) vault push", status: 77, gets: ["wrong"], sends: ["wrong"]),
        Step("pull", "VAULT_REMOTE_PASSWORD=$(cat $I/password) vault pull", gets: ["password"], sends: ["password"]),
        Step("pull", "vault pull --vault none.age", status: 64),
        Step("rotate", "vault rotate basic <$I/fourth", sends: ["password"]),
        Step(
            "watch",
            """
            vault watch -- sh -c 'sleep 0.2; touch watched' &
            for n in {1..50}; do vault edit plain --note $n --quiet; [ ! -e watched ] || break; sleep 0.2; done
            kill $!; wait $!; [ $? = 143 ] && [ -e watched ]
            """, sends: ["password"]),
        Step("watch", "vault watch --vault none.age -- true", status: 64),
        Step("remote status", "vault remote status --vault none.age", status: 64),
        Step("remote remove", "vault remote remove"),
        Step("remote remove", "vault remote remove", status: 64),
        Step(
            "helper git", "printf 'protocol=https\\nhost=plain.example\\n\\n' | vault helper git get", shows: ["plain"]),
        Step("helper git", "{ printf 'protocol=https\\nhost='; cat $I/plain; } | vault helper git get", status: 64),
        Step(
            "helper git",
            "{ printf 'protocol=https\\nhost=plain.example\\npassword='; cat $I/second; echo; } | vault helper git store"
        ),
        Step("helper bazel", "echo '{\"uri\":\"https://plain.example/x\"}' | vault helper bazel get", shows: ["plain"]),
        Step("helper bazel", "vault helper bazel get <$I/records", status: 64),
        Step(
            "helper docker", "echo https://basic.example/v1 | vault helper docker get; vault helper docker list",
            shows: ["fourth"]),
        Step("helper docker", "vault helper docker get <$I/plain", status: 1),
        Step(
            "helper kubectl", "KUBERNETES_EXEC_INFO='\(kubernetesRequest)' vault helper kubectl plain", shows: ["plain"]
        ),
        Step("helper kubectl", "vault helper kubectl none", status: 64),
        Step("helper goauth", "vault helper goauth https://plain.example", shows: ["plain"]),
        Step("helper goauth", "vault helper goauth https://plain.example <$I/plain", shows: ["plain"]),
        Step("helper goauth", "vault helper goauth not-a-url", status: 64),
        Step("helper terraform", "vault helper terraform get plain.example", shows: ["plain"]),
        Step("helper terraform", "vault helper terraform store plain.example <$I/records", status: 77),
        Step(
            "git setup,git merge,git diff",
            """
            set -e
            export VAULT_FILE=v.age GIT_CONFIG_GLOBAL=$HOME/.gitconfig
            git config --global user.name ada; git config --global user.email ada@team.example
            git init -q -b main repo; cd repo; vault init --quiet; vault add one --url https://one.example --quiet <$I/plain
            vault git setup --quiet; git add .; git commit -qm first
            git checkout -qb other; vault rotate one --quiet <$I/second; git commit -qam other; git checkout -q main
            vault rotate one --quiet --accept-older <$I/third; git commit -qam mine
            git merge -q other || vault git merge --prefer newest v.age
            git commit -qm merged; git log -p v.age; vault git diff v.age; vault git setup --check
            """),
        Step("git setup", "vault git setup --check", status: 64),
        Step("git merge", "vault git merge $I/plain $I/second $I/third v.age", status: 65),
        Step("git diff", "vault git diff none.age", status: 66),
        Step("identity new", "vault identity new -o new.key", files: ["new.key": [SecretSearch.anyKey]]),
        Step("identity new", "vault identity new -o new.key", status: 73),
        Step("identity new", "vault identity new --oneline", shows: [SecretSearch.anyKey]),
        Step("passphrase", "vault passphrase --new-passphrase-fd 5 --identity none 5<$I/wrong", status: 66),
        Step("passphrase", "vault passphrase --new-passphrase-fd 5 5<$I/passphrase", files: [identity: []]),
        Step("token", "VAULT_PASSPHRASE=$(cat $I/wrong) vault token plain", status: 77, gets: ["wrong"]),
        Step(
            "exec", "VAULT_PASSPHRASE=$(cat $I/passphrase) vault exec plain --no-mask -- true", hands: ["plain"],
            gets: ["passphrase"]),
        Step("unlock", "vault unlock --passphrase-fd 5 5<$I/wrong", status: 77),
        Step(
            "unlock,status,lock,agent",
            """
            set -e
            VAULT_PASSPHRASE=$(cat $I/passphrase) vault unlock
            vault status; vault status --json; vault token plain; vault exec quoted -- sh -c 'sleep 0.2; env'; vault doctor || [ $? = 1 ]
            vault lock
            """, shows: ["plain"], hands: ["quoted"], gets: ["passphrase"]),
        Step("status", "vault status --no-such-option <$I/plain", status: 64),
        Step("lock", "vault lock --no-such-option", status: 64),
        Step("agent", "vault agent", status: 64),
        Step(
            "passphrase", "vault passphrase --remove --passphrase-fd 5 5<$I/passphrase",
            files: [identity: ["key", SecretSearch.anyKey]]),
        Step("log", "vault log; vault log plain --json"),
        Step("log", "vault log --since yesterday", status: 64),
        Step("remove", "vault remove quoted"),
        Step("remove", "vault remove quoted", status: 66),
        Step(
            "vault",
            "for s in bash zsh fish; do vault --generate-completion-script $s; done; vault ---completion token -- positional@0 0 0 ''; vault --help; vault --version"
        ),
        Step("vault", "vault nonsense <$I/plain", status: 64),
    ]

    private static let kubernetesRequest = #"{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential"}"#

    /// A place with secrets in files beside it, and what looks for them.
    private final class Place {
        let home: Home
        let inputs: TemporaryFolder
        let traces: TemporaryFolder
        let search: SecretSearch
        private(set) var variables: [String: String] = [:]
        private var known: [SecretSearch.Version: Set<String>] = [:]

        init() throws {
            home = try Home()
            inputs = try TemporaryFolder()
            traces = try TemporaryFolder()
            func random(_ count: Int) -> String {
                let letters = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz0123456789"
                return String((0..<count).map { _ in letters.randomElement() ?? "x" })
            }
            // What RFC 6750 allows, and what it does not.
            func bearer() -> String { "\(random(11))+\(random(5))/\(random(4))~\(random(3))_\(random(9)).==" }
            var secrets = [
                "plain": bearer(), "second": bearer(), "third": bearer(), "fourth": bearer(), "netrc": random(40),
                "dotenv": bearer(), "basic": "\(random(7)):\(random(9))%&\(random(9))?#=\(random(9))",
                "quoted": #"\#(random(9))"\#(random(5))'\#(random(4))\ \#(random(9))$`<&>\#(random(3))é\#(random(12))"#,
                "password": "\(random(12)) \(random(12))", "passphrase": "\(random(12)) \(random(12))",
                "wrong": "\(random(12))-\(random(12))",
            ]
            for key in ["key", "another-key"] {
                let made = try home.bash("vault identity new --quiet -o \(inputs.file(key)) >\(inputs.file(key)).pub")
                try #require(made.status == 0, "\(made.errorText)")
                let text = try String(contentsOfFile: inputs.file(key), encoding: .utf8)
                // Behind what all keys begin with.
                secrets[key] = text.split(separator: "\n").last.map { String($0.dropFirst(16)) }
            }
            var searched = secrets.mapValues { Array($0.utf8) }
            searched["key bytes"] = Self.keyBytes(secrets["key"] ?? "")
            search = SecretSearch(searched)
            func json(_ text: String) throws -> String {
                String(decoding: try JSONEncoder().encode(text), as: UTF8.self)
            }
            func value(_ name: String) -> String { secrets[name] ?? "" }
            var files = secrets.filter { !$0.key.hasSuffix("key") }
            files["records"] = """
                {"name":"three","urls":["https://three.example"],"token":{"value":\(try json(value("third")))}}\n
                """
            files["records.broken"] = files["records"].map { $0.dropLast(3) + "]]" }
            files["records.netrc"] = "machine netrc.example login ada password \(value("netrc"))\n"
            files["records.env"] = "# vault: url=https://dotenv.example\nDOTENV_TOKEN=\(value("dotenv"))\n"
            for (name, content) in files { try write(content, to: inputs.file(name)) }
            try FileManager.default.createDirectory(
                atPath: home.file(".config/vault"), withIntermediateDirectories: true)
            try FileManager.default.createDirectory(atPath: home.file("tmp"), withIntermediateDirectories: true)
            try FileManager.default.copyItem(
                atPath: inputs.file("key"), toPath: home.file(".config/vault/identity"))
            variables = ["TMPDIR": home.file("tmp"), "I": inputs.path]
        }

        /// The key itself, of the text behind `AGE-SECRET-KEY-1`.
        private static func keyBytes(_ text: String) -> [UInt8] {
            let alphabet = Array("QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L")
            var bytes: [UInt8] = []
            var (bits, count) = (0, 0)
            // The last six are a checksum.
            for character in text.dropLast(6) {
                bits = (bits << 5 | (alphabet.firstIndex(of: character) ?? 0)) & 0xfff
                count += 5
                if count >= 8 {
                    count -= 8
                    bytes.append(UInt8(truncatingIfNeeded: bits >> count))
                }
            }
            return bytes
        }

        func write(_ text: String, to file: String) throws {
            try Data(text.utf8).write(to: URL(filePath: file))
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file)
        }

        func set(_ name: String, _ value: String) { variables[name] = value }

        /// Runs a command with all that it starts under strace, where that works.
        func run(_ command: String) throws -> (output: Command.Output, trace: SystemCallTrace?) {
            let file = traces.file("trace")
            let isTraced = SystemCallTrace.isPossible
            let words = (isTraced ? SystemCallTrace.prefix(file) : []) + ["bash", "-c", command]
            let output = try home.run(words[0], Array(words.dropFirst()), adding: variables)
            return (output, isTraced ? try SystemCallTrace(file) : nil)
        }

        /// All that has secrets below the home, and in the folders for sockets and temporary files.
        func files() -> [String: Set<String>] {
            let runtime = home.environment["XDG_RUNTIME_DIR"] ?? "/dev/null"
            return [home.path, runtime].reduce(into: [:]) { found, folder in
                found.merge(search.found(below: folder, known: &known)) { $0.union($1) }
            }
        }
    }

    /// What a trace says of where secrets were.
    private struct Traffic: Equatable {
        var arguments: Set<String> = []
        var handed: Set<String> = []
        var given: Set<String> = []
        var sent: Set<String> = []
        /// What `vault` itself sent over a network.
        var sentByVault: Set<String> = []
        /// What went from one process to another of this machine, by a socket.
        var told: Set<String> = []
        /// By path.
        var written: [String: Set<String>] = [:]

        init(_ trace: SystemCallTrace, _ search: SecretSearch) {
            var programs: [Int: String] = [:]
            for (process, event) in trace.events {
                switch event {
                case .executes(let words, let variables):
                    let program = String(decoding: words.first ?? [], as: UTF8.self)
                    programs[process] = program
                    for word in words { arguments.formUnion(search.found(in: word)) }
                    let found = variables.reduce(into: Set<String>()) { $0.formUnion(search.found(in: $1)) }
                    if program == "vault" { given.formUnion(found) } else { handed.formUnion(found) }
                case .writes(let target, let bytes):
                    let found = search.found(in: bytes)
                    if found.isEmpty { continue }
                    let isVault = programs[process, default: "vault"] == "vault"
                    if target.hasPrefix("TCP") || target.hasPrefix("UDP") {
                        if isVault { sentByVault.formUnion(found) } else { sent.formUnion(found) }
                    } else if target.hasPrefix("UNIX") {
                        told.formUnion(found)
                    } else if target.hasPrefix("/"), !target.hasPrefix("/memfd:"), !target.hasPrefix("/dev/") {
                        written[target, default: []].formUnion(found)
                    }
                }
            }
        }
    }

    private static func check(
        _ step: Step, _ place: Place, _ watcher: ProcessWatcher, _ allowed: inout [String: Set<String>]
    )
        throws
    {
        let context: Comment = "\(step.command)"
        let (output, trace) = try place.run(step.command)
        #expect(output.status == step.status, "\(step.command): \(output.errorText)")
        // A key that is known is also one of any.
        func named(_ secrets: Set<String>) -> Set<String> {
            secrets.contains("key") ? secrets.union([SecretSearch.anyKey]) : secrets
        }
        #expect(place.search.found(in: output.stdout) == named(step.shows), context)
        #expect(place.search.found(in: output.stderr) == [], context)

        allowed.merge(step.files) { $1 }
        #expect(place.files() == allowed.filter { !$0.value.isEmpty }, context)

        let mayBeHanded = named(step.hands)
        let mayBeGiven = named(step.gets)
        if let trace {
            let traffic = Traffic(trace, place.search)
            #expect(traffic.arguments == [], context)
            #expect(traffic.handed == mayBeHanded, context)
            #expect(traffic.given == mayBeGiven, context)
            #expect(traffic.sent == step.sends, context)
            #expect(traffic.sentByVault == [], context)
            // The agent is told the key once, and tells it nobody.
            #expect(traffic.told == (step.verbs.contains("agent") && step.status == 0 ? named(["key"]) : []), context)
            let files = Dictionary(
                uniqueKeysWithValues: step.files.filter { !$0.value.isEmpty }.map {
                    (place.home.file($0.key), $0.value)
                })
            for (path, secrets) in traffic.written {
                // The new file has another name until it is whole.
                let isExpected = files.contains { file, expected in
                    let folder = URL(filePath: file).deletingLastPathComponent().path
                    return path.hasPrefix(folder + "/") && secrets.isSubset(of: expected)
                }
                #expect(isExpected, "\(step.command): \(path) was written with \(secrets)")
            }
        }
        for sighting in watcher.take() {
            let isVault = sighting.program.hasSuffix("vault")
            let isExpected =
                sighting.place == .environment && (isVault ? mayBeGiven : mayBeHanded).contains(sighting.secret)
            #expect(isExpected, "\(step.command): \(sighting)")
        }
    }

    @Test func everySecretIsWhereItBelongsAndNowhereElse() async throws {
        try await onOwnThread {
            let place = try Place()
            let cluster = try EtcdCluster()
            try cluster.enableUsers(
                String(contentsOfFile: place.inputs.file("password"), encoding: .utf8), prefix: "secrets")
            let echo = try EchoServer()
            place.set("STORE", "etcd://\(cluster.hostList)/secrets/vault")
            place.set("ECHO", "http://127.0.0.1:\(echo.port)/")
            let watcher = ProcessWatcher(place.search, home: place.home)
            var allowed = [Self.identity: Set(["key", SecretSearch.anyKey])]
            for step in Self.steps {
                try Self.check(step, place, watcher, &allowed)
            }
            #expect(watcher.stop().rounds > 50)
        }
    }

    /// The verbs of a command and of those below it.
    private static func verbs(of command: any ParsableCommand.Type, _ prefix: String = "") -> [String] {
        let configuration = command.configuration
        return configuration.subcommands.flatMap { subcommand in
            let name = prefix + subcommand._commandName
            return subcommand.configuration.subcommands.isEmpty ? [name] : verbs(of: subcommand, name + " ")
        }
    }

    @Test func everyVerbIsTriedAndMadeToFail() {
        let verbs = Set(Self.verbs(of: RootCommand.self))
        #expect(verbs.isSuperset(of: UnattendedTests.calls.keys))
        let succeeding = Set(Self.steps.filter { $0.status == 0 }.flatMap(\.verbs))
        let failing = Set(Self.steps.filter { $0.status != 0 }.flatMap(\.verbs))
        // The doctor finds something in any home of a test.
        #expect(verbs.subtracting(succeeding) == ["doctor"])
        #expect(verbs.subtracting(failing) == [])
    }

    /// What leaks on purpose, and where that is found.
    @Test func leaksAreFound() async throws {
        try await onOwnThread {
            let place = try Place()
            let made = try place.home.bash(
                "new_vault; vault add plain --url https://plain.example --quiet <$I/plain", adding: place.variables)
            try #require(made.status == 0, "\(made.errorText)")
            let watcher = ProcessWatcher(place.search, home: place.home)
            func traffic(_ command: String) throws -> Traffic? {
                try place.run("vault exec plain -- sh -c '\(command)'").trace.map { Traffic($0, place.search) }
            }
            let before = place.files()

            let inArgument = try traffic(#"sh -c "sleep 0.5; :" $PLAIN_TOKEN"#)
            let seen = watcher.stop().sightings
            #expect(
                seen.isSuperset(of: [
                    .init(secret: "plain", place: .arguments, program: "sh"),
                    .init(secret: "plain", place: .environment, program: "sh"),
                ]))
            let inFile = try traffic("printenv PLAIN_TOKEN >leak")
            #expect(place.files() == before.merging(["leak": ["plain"]]) { $1 })
            let inRemovedFile = try traffic("mkdir other; printenv PLAIN_TOKEN | base64 >other/leak; rm -r other")
            let half = try traffic("printenv PLAIN_TOKEN | cut -c 12-23 >half")
            #expect(place.files() == before.merging(["leak": ["plain"], "half": ["plain"]]) { $1 })
            let inName = try traffic("touch $(printenv PLAIN_TOKEN | basenc --base16)")
            #expect(place.files().count == before.count + 3)

            guard SystemCallTrace.isPossible else { return }
            #expect(inArgument?.arguments == ["plain"])
            #expect(inArgument?.written == [:])
            #expect(inFile?.written == [place.home.file("leak"): ["plain"]])
            #expect(inRemovedFile?.written == [place.home.file("other/leak"): ["plain"]])
            #expect(half?.written == [place.home.file("half"): ["plain"]])
            #expect(inName?.arguments == ["plain"])
            #expect(inName?.handed == ["plain"])
        }
    }

    /// By the programs that people use, and not by the one that is tested.
    @Test(arguments: [
        "cat", "base64 -w 0", "{ printf user:; cat; } | base64 -w 0", "{ printf ab:; cat; } | base64 -w 0",
        "basenc --base64url -w 0", "{ printf xy; cat; printf more; } | basenc --base64url -w 0", "basenc --base16 -w 0",
        "od -An -v -tx1 | tr -d ' \\n'", "jq -Rr @uri", "jq -R .", "jq -R '{a: .} | tojson'", "jq -Rr @sh",
        "python3 -c 'import sys, urllib.parse; print(urllib.parse.quote(sys.stdin.read(), safe=str()))'",
        "python3 -c 'import sys, urllib.parse; print(urllib.parse.quote_plus(sys.stdin.read()))'",
        "python3 -c 'import sys; sys.stdout.buffer.write(sys.stdin.read().encode(\"utf-16-le\"))'",
        "python3 -c 'import sys; print(repr(sys.stdin.read()))'",
        "cut -c 1-11", "cut -c 9-22", "tail -c 11",
    ])
    func formsAreFound(_ program: String) throws {
        let home = try Home()
        for token in ["pL4in~Qx7+Zr/9vK_w2-Jt.8HsG3dYb==", #"q"uo'te Q7x\ ZrK&%9vw2J<t8>HsG$`3dYé"#] {
            try Data(token.utf8).write(to: URL(filePath: home.file("token")))
            let search = SecretSearch(["token": Array(token.utf8)])
            let output = try home.bash(
                "{ head -c 5000 /dev/urandom; { \(program); } <token; head -c 999 /dev/urandom; } 2>&1")
            #expect(search.found(in: output.stdout) == ["token"], "\(program)")
            // Without it there is nothing to find.
            try Data(token.utf8.reversed()).write(to: URL(filePath: home.file("token")))
            let other = try home.bash("{ head -c 100000 /dev/urandom | od -x; \(program); } <token 2>&1")
            #expect(search.found(in: other.stdout) == [], "\(program)")
        }
    }

    /// A process that dies of a signal leaves no image of its memory, be it `exec` that waits for its command or the
    /// agent; that of a command has what the command was given, and would be found.
    @Test func noCoreHasASecret() async throws {
        try await onOwnThread {
            let place = try Place()
            let pattern = try String(contentsOfFile: "/proc/sys/kernel/core_pattern", encoding: .utf8)
            guard pattern == "core\n", try place.home.run("bash", ["-c", "ulimit -c unlimited"]).status == 0 else {
                try Test.cancel("this machine does not leave cores where a process works")
            }
            let before = try place.home.bash(
                "new_vault; vault add plain --url https://plain.example --quiet <$I/plain; vault unlock --quiet",
                adding: place.variables)
            try #require(before.status == 0, "\(before.errorText)")
            let known = place.files()
            let ended = try place.home.bash(
                """
                ulimit -c unlimited
                for signal in ABRT QUIT SEGV; do
                    vault exec plain -- bash -c 'trap "" ABRT QUIT; touch started; sleep 1.5' 2>/dev/null &
                    while [ ! -e started ]; do sleep 0.02; done
                    kill -$signal $!
                    [ $signal != SEGV ] || { wait $!; echo $?; }
                    rm started
                done
                ls | grep -c core
                agent=$(agent_id)
                # It works elsewhere than here, and this is where it would leave one.
                cd "$(readlink /proc/$agent/cwd)"; ls >~/files
                kill -SEGV $agent; await_end $agent
                ls | diff ~/files -
                """, adding: place.variables)
            #expect(ended.text == "139\n0\n", "\(ended.errorText)")
            #expect(place.files() == known)

            let left = try place.home.bash(
                "ulimit -c unlimited; vault exec plain -- bash -c 'kill -SEGV $$'; ls | grep -c core",
                adding: place.variables)
            #expect(left.text.hasSuffix("1\n"), "\(left.text)\(left.errorText)")
            #expect(place.files().filter { $0.key.contains("core") }.map(\.value) == [["plain"]])
        }
    }
}
