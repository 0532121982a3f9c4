import Foundation
import TestSupport
import Testing

/// What users see of each verb is kept as text, so that a change of it is seen by whoever reviews it.
@Suite(.waitsForPrograms) struct HelpTests {
    static let verbs = [
        "vault", "init", "add", "rotate", "edit", "rename", "remove", "list", "show", "history", "rollback", "token",
        "headers", "exec", "inject", "import", "export", "check", "log", "doctor", "redact", "scan", "member",
        "member list",
        "member add",
        "member remove", "rekey", "remote", "remote set", "remote status", "remote remove", "pull", "push", "watch",
        "unlock", "lock", "status", "identity", "identity new", "identity show", "passphrase",
        "helper", "helper bazel", "helper git", "helper docker", "helper kubectl", "helper goauth", "helper terraform",
        "git", "git setup", "git merge", "git diff",
    ]

    /// To write all of them anew: `vault VERB --help >Tests/CommandTests/Help/VERB.txt`.
    @Test(arguments: verbs)
    func helpIsWhatWasReviewed(_ verb: String) throws {
        let file = "\(Home.testFolder)/Help/\(verb.replacing(" ", with: "-")).txt"
        let words = verb == "vault" ? [] : verb.split(separator: " ").map(String.init)
        let output = try Home().run("vault", words + ["--help"])
        #expect(output.status == 0)
        #expect(output.errorText.isEmpty)
        #expect(output.text == (try String(contentsOfFile: file, encoding: .utf8)))
    }

    @Test func everyVerbIsReviewed() throws {
        let help = try Home().run("vault", ["--help"]).text
        let listed = help.matches(of: /^  ([a-z]+) {2,}/.anchorsMatchLineEndings()).map { String($0.1) }
        #expect(Set(listed) == Set(verbsOfOneWord))
    }

    private var verbsOfOneWord: [String] { Self.verbs.filter { !$0.contains(" ") && $0 != "vault" } }
}
