import TestSupport
import Testing

@Suite(.waitsForPrograms) struct ScriptTests {
    @Test(arguments: Script.all)
    func behaviour(_ script: Script) throws {
        let home = try Home()
        if let requirement = try script.missingRequirement(home) {
            try Test.cancel("this machine does not have what it takes: \(requirement)")
        }
        let results = try script.run(home)
        for (step, result) in zip(script.steps, results) where !result.fits(step.result) {
            Issue.record(
                """
                \(script.name): $ \(step.command.joined(separator: "\n> "))
                expected:
                \(step.result.text)
                found:
                \(result.text)
                """)
        }
        #expect(results.count == script.steps.count, "a command ended the shell")
    }

    @Test(arguments: [
        "$ echo a\nb", "$ echo a\n", "$ echo a; echo b\na", "$ echo a\na\nb", "$ echo a >&2\na", "$ echo a\n! a",
        "$ false", "$ true\n[exit 1]", "$ (exit 3)\n[exit 4]", "$ printf a\na", "$ echo abc\na…b", "$ echo aba\nab…ba",
        "$ echo; echo a\na", "$ cd /\n\n$ pwd\n~",
    ])
    func differenceIsSeen(_ text: String) throws {
        let script = try Script(name: "wrong", text: text)
        let results = try script.run(Home())
        #expect(!zip(script.steps, results).allSatisfy { $1.fits($0.result) })
    }

    @Test(arguments: [
        "# comment\n\n$ echo a\na", "$ echo a >&2; echo b; exit_with() { return $1; }; exit_with 64\nb\n! a\n[exit 64]",
        "$ printf a\na\n[no newline]", "$ echo abcdc\na…c…c", "$ echo a\n…", "$ cat <<END\n> a\n> END\na",
        "$ cd /; x=1\n\n$ pwd; echo $x\n/\n1", "$ echo ~\n~", "$ cat",
    ])
    func samenessIsSeen(_ text: String) throws {
        let script = try Script(name: "right", text: text)
        let results = try script.run(Home())
        #expect(results.count == script.steps.count)
        #expect(zip(script.steps, results).allSatisfy { $1.fits($0.result) })
    }

    @Test func theShellThatEndsIsSeen() throws {
        let script = try Script(name: "short", text: "$ exit 0\n\n$ true")
        #expect(try script.run(Home()).isEmpty)
    }

    @Test(arguments: ["", "# nothing\n", "output without a command\n", "$ true\n\nstray"])
    func malformedFileIsRefused(_ text: String) {
        #expect(throws: Script.Malformed.self) { try Script(name: "malformed", text: text) }
    }
}
