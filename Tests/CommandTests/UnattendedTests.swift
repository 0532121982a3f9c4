import Foundation
import TestSupport
import Testing

/// Where nobody is to be asked, each verb works, or fails at once.
@Suite(.waitsForPrograms) struct UnattendedTests {
    /// How each verb is called. What it needs is there, as far as something can be.
    static let calls = [
        "init": "init --vault new.age", "add": "add other --url https://other.example", "rotate": "rotate demo",
        "edit": "edit demo --note text", "rename": "rename demo renamed", "remove": "remove demo", "list": "list",
        "show": "show demo", "history": "history demo", "rollback": "rollback demo", "token": "token demo",
        "headers": "headers demo", "inject": "inject", "exec": "exec demo -- true", "import": "import",
        "export": "export",
        "check": "check",
        "log": "log", "doctor": "doctor", "redact": "redact", "scan": "scan .", "member list": "member list",
        "member add": "member add bob age1lggyhqrw2nlhcxprm67z43rta597azn8gknawjehu9d9dl0jq3yqqvfafg",
        "member remove": "member remove bob", "rekey": "rekey",
        "remote set": "remote set https://demo.example/vault.age", "remote status": "remote status",
        "remote remove": "remote remove", "pull": "pull", "push": "push", "watch": "watch", "unlock": "unlock --ttl 1s",
        "lock": "lock",
        "status": "status", "identity new": "identity new --passphrase -o new", "identity show": "identity show",
        "passphrase": "passphrase", "helper bazel": "helper bazel get", "helper git": "helper git get",
        "helper docker": "helper docker list",
        "helper kubectl": "helper kubectl demo",
        "helper goauth": "helper goauth https://demo.example", "helper terraform": "helper terraform get demo.example",
        "git setup": "git setup --check", "git merge": "git merge --prefer newest",
        "git diff": "git diff .local/share/vault/vault.age",
    ]

    /// What kubectl asks; other clients do so by standard input.
    private static let request = #"{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential"}"#

    /// What there is to open the vault with.
    enum Identity: String, CaseIterable {
        case none = "rm $IDENTITY"
        case locked = "printf words >words; vault passphrase --new-passphrase-fd 5 5<words --quiet"
        case plain = "true"
    }

    /// What says that nobody is to be asked.
    enum Sign: String, CaseIterable {
        case noTerminal = "setsid --wait vault $CALL </dev/null"
        case noInput = "setsid --wait vault $CALL <&-"
        case variable = "terminal -- env CI=true vault $CALL"
        case option = "terminal -- vault $CALL --no-input"
        case everything = "env CI=true setsid --wait vault $CALL <&-"
    }

    /// All pairs would say no more.
    static let cases: [(Identity, Sign)] =
        [(.none, .everything), (.plain, .everything)] + Sign.allCases.map { (.locked, $0) }

    @Test(arguments: cases)
    func noVerbWaits(_ identity: Identity, _ sign: Sign) throws {
        let home = try Home()
        // Made once, since a passphrase takes its time, and there anew for each verb.
        let prepared = try TemporaryFolder()
        let made = try home.bash("new_vault && add demo && { \(identity.rawValue); } && cp -a ~/. '\(prepared.path)'")
        try #require(made.status == 0, "\(made.errorText)")
        for (verb, call) in Self.calls.sorted(by: { $0.key < $1.key }) {
            // Behind its -- stands the command's own.
            if sign == .option, verb == "exec" { continue }
            let restored = try home.bash("rm -rf ~/* ~/.[!.]*; cp -a '\(prepared.path)/.' ~", timeout: .seconds(20))
            try #require(restored.status == 0, "\(restored.errorText)")
            let command = sign.rawValue.replacing("$CALL", with: call)
            let output = try home.bash(
                "timeout --kill-after 1 5 \(command)", adding: ["KUBERNETES_EXEC_INFO": Self.request],
                timeout: .seconds(20))
            let shown = output.text + output.errorText
            #expect(![124, 137].contains(output.status), "\(verb) waits")
            // That the answer is no is an answer as well.
            let isAnswered = [0, 1].contains(output.status)
            // A failure says why, and that is not a bug.
            #expect(isAnswered || shown.contains("vault: "), "\(verb): \(shown)")
            #expect(output.status != 70, "\(verb): \(shown)")
            #expect(!shown.contains(/Passphrase for|New passphrase|Token for/), "\(verb) asks")
            #expect(identity != .plain || isAnswered || Self.asks.contains(verb), "\(verb): \(shown)")
        }
    }

    /// Those that need what only standard input or a person has, or that there is not.
    static let asks: Set = [
        "add", "rotate", "import", "redact", "identity new", "passphrase", "member remove", "rollback",
        "helper bazel", "helper git", "git setup", "git merge", "remote status", "remote remove", "pull", "push",
        "watch",
    ]

    @Test func everyVerbIsCalled() {
        let groups: Set = ["vault", "identity", "member", "helper", "git", "remote"]
        #expect(Set(Self.calls.keys) == Set(HelpTests.verbs).subtracting(groups))
    }
}
