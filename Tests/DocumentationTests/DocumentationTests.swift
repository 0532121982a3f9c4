import Foundation
import TestSupport
import Testing

/// The program that the documents speak of.
private let binary = ProcessInfo.processInfo.environment["VAULT_BINARY"]

/// DocC's compiler, which is a part of the toolchain.
private let docc = ProcessInfo.processInfo.environment["PATH", default: ""].split(separator: ":")
    .map { "\($0)/docc" }.first { FileManager.default.isExecutableFile(atPath: $0) }

@Suite struct DocumentationTests {
    @Test(arguments: try Document.all) func linksLeadSomewhere(_ document: Document) {
        for path in document.linkedPaths {
            #expect(FileManager.default.fileExists(atPath: Document.root.appending(path: path).path), "\(path)")
        }
    }

    @Test(
        .enabled(if: docc != nil, "there is no docc in PATH"),
        arguments: try Document.catalogues)
    func cataloguesConvertWithoutWarnings(_ catalogue: String) throws {
        let folder = try TemporaryFolder()
        let result = try Command.run(
            docc ?? "docc",
            [
                "convert", Document.root.appending(path: catalogue).path, "--output-path", "\(folder.path)/out",
                "--warnings-as-errors",
            ], timeout: .seconds(120))
        #expect(result.status == 0, "\(result.errorText)")
        #expect(!result.errorText.contains("warning:"), "\(result.errorText)")
    }

    @Test(
        .enabled(if: binary != nil, "set VAULT_BINARY to the program to test"),
        arguments: try Document.all)
    func commandsExistWithTheirOptions(_ document: Document) throws {
        for command in document.commands {
            let help = try help(command.verb)
            for option in command.options {
                #expect(help.contains(option), "vault \(command.verb.joined(separator: " ")) has no \(option)")
            }
        }
    }

    @Test(.enabled(if: binary != nil, "set VAULT_BINARY to the program to test"))
    func optionsOfTheReferenceExist() throws {
        let reference = try Document("Sources/vault/vault.docc/CommandLine.md")
        let all = Set(
            try [
                "init", "add", "exec", "headers", "import", "check", "scan", "passphrase", "git setup", "git merge",
                "remote set", "pull", "push", "watch",
            ].flatMap { try help($0.split(separator: " ").map(String.init)) })
        // It speaks of curl's as well.
        let curl = Set(
            try Command.run("curl", ["-q", "--help", "all"]).text.matches(of: /--[a-z][a-z0-9.-]*/).map { String($0.0) }
        )
        for span in reference.codeSpans where span.hasPrefix("--") {
            #expect(all.union(curl).contains(String(span.prefix { $0 != " " })), "\(span)")
        }
    }

    /// The options in a verb's help.
    private func help(_ verb: [String]) throws -> Set<String> {
        let result = try Command.run(binary ?? "vault", verb + ["--help"])
        let name = verb.joined(separator: " ")
        #expect(result.status == 0, "vault \(name) --help")
        // For an unknown verb, a parser may well show the help of the program.
        let isThere = result.text.contains("vault \(name)")
        #expect(isThere, "there is no verb \(name)")
        return Set(result.text.matches(of: /--[a-z][a-z-]*/).map { String($0.0) })
    }
}
