import ArgumentParser
import Testing

@testable import vault

/// The short parser of `exec` takes only what it reads exactly as the declared one does.
@Suite struct ExecParserTests {
    /// Whether the short parser takes a command line itself.
    enum Taken { case yes, no }

    static let table: [(Taken, [String])] = [
        (.yes, ["demo", "--", "true"]),
        (.yes, ["demo", "--", "curl", "-H", "@{{headers}}", "--", "--help", ""]),
        (.yes, ["a,b/c", "--no-mask", "--", "true"]),
        (.yes, ["demo", "--no-inject", "--", "curl", "-L"]),
        (.yes, ["--no-mask", "--no-env", "demo", "--", "true"]),
        (.yes, ["--clean-env", "--keep", "A", "demo", "--keep", "B", "--no-env", "--no-template", "--", "true"]),
        (.yes, ["demo", "--allow-expired", "--min-ttl", "1h", "--dry-run", "--", "true"]),
        (.yes, ["demo", "--vault", "a b", "--identity", "x", "--identity", "y", "--vault-id", "v", "--", "true"]),
        (.yes, ["demo", "--accept-older", "--no-input", "--quiet", "--passphrase-fd", "7", "--", "true"]),
        (.yes, ["demo", "--vault", "a", "--vault", "b", "--min-ttl", "1h", "--min-ttl", "2h", "--", "true"]),
        (.yes, ["demo", "--quiet", "--quiet", "--", "true"]),
        (.yes, ["demo", "--keep", "", "--", "true"]),
        (.yes, ["demo", "--max-age", "30s", "--max-age", "1m", "--", "true"]),
        (.no, ["demo", "--max-age", "-1s", "--", "true"]),
        (.no, ["demo", "--max-age=30s", "--", "true"]),
        (.yes, ["", "--", "true"]),
        (.yes, ["demo", "--", "--quiet", "other"]),
        (.no, ["demo", "--max-work-factor", "18", "--", "true"]),
        (.no, ["demo", "--vault=a", "--", "true"]),
        (.no, ["demo", "--keep=A=B", "--", "true"]),
        (.no, ["demo"]),
        (.no, ["demo", "--"]),
        (.no, ["--", "true"]),
        (.no, []),
        (.no, ["demo", "true"]),
        (.no, ["demo", "true", "--", "true"]),
        (.no, ["demo", "--vault", "--", "true"]),
        (.no, ["demo", "--vault", "--quiet", "--", "true"]),
        (.no, ["demo", "--vault"]),
        (.no, ["demo", "--passphrase-fd", "x", "--", "true"]),
        (.no, ["demo", "--passphrase-fd", "99999999999", "--", "true"]),
        (.no, ["demo", "--passphrase-fd", "-1", "--", "true"]),
        (.no, ["demo", "--vault", "-x", "--", "true"]),
        (.no, ["demo", "-q", "--", "true"]),
        (.no, ["demo", "--no-such", "--", "true"]),
        (.no, ["demo", "--qui", "--", "true"]),
        (.no, ["-", "--", "true"]),
        (.no, ["demo", "--help", "--", "true"]),
        (.no, ["demo", "--version", "--", "true"]),
    ]

    @Test(arguments: table)
    func shortParserTakesWhatItShould(_ taken: Taken, _ arguments: [String]) {
        #expect((ExecRequest(fast: ["exec"] + arguments) != nil) == (taken == .yes))
    }

    @Test(arguments: table.filter { $0.0 == .yes })
    func bothParsersAskForTheSame(_ taken: Taken, _ arguments: [String]) throws {
        let short = try #require(ExecRequest(fast: ["exec"] + arguments))
        let declared = try #require(try RootCommand.parseAsRoot(["exec"] + arguments) as? ExecCommand)
        let number = arguments.count - declared.command.count + 2
        #expect(short.commandStart == number)
        #expect(description(short) == description(declared.request(commandStart: number)))
    }

    private func description(_ request: ExecRequest) -> String {
        var text = ""
        dump(request, to: &text)
        return text
    }
}
