import Foundation
import TestSupport

/// A home folder of a test's own, and an environment with nothing in it of the one who runs the tests.
final class Home: Sendable {
    private let folder: TemporaryFolder
    private let programs: TemporaryFolder
    /// Where an agent would be: one that finds its folder gone ends.
    private let runtime: TemporaryFolder

    /// All of the environment that programs get.
    let environment: [String: String]

    var path: String { folder.path }

    /// Where these tests lie.
    static let testFolder = URL(filePath: #filePath).deletingLastPathComponent().path

    /// The program under test: the one that `VAULT_BINARY` names, else the one that was built with the tests.
    static let binary: String = {
        let environment = ProcessInfo.processInfo.environment
        if let path = environment["VAULT_BINARY"] { return URL(filePath: path).standardizedFileURL.path }
        // It lies beside the program that runs the tests.
        return URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
            .appending(path: "vault").path
    }()

    init() throws {
        folder = try TemporaryFolder()
        programs = try TemporaryFolder()
        runtime = try TemporaryFolder()
        let tools = ["terminal", "jobcontrol", "lock-identity", "memory"].map { ($0, Self.testFolder + "/Tools/\($0)") }
        for (name, target) in [("vault", Self.binary)] + tools {
            try FileManager.default.createSymbolicLink(
                atPath: programs.file(name), withDestinationPath: target)
        }
        // Some tests run it as somebody else.
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: programs.path)
        environment = [
            "HOME": folder.path,
            "PATH": programs.path + ":/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "LC_ALL": "C.UTF-8", "TMPDIR": "/tmp", "XDG_RUNTIME_DIR": runtime.path,
        ]
    }

    /// The path of something below the home.
    func file(_ name: String) -> String { folder.file(name) }

    /// Runs a program in this home.
    func run(
        _ program: String, _ arguments: [String] = [], input: String = "", adding variables: [String: String] = [:],
        timeout: Duration = .seconds(180)
    ) throws -> Command.Output {
        try Command.run(
            "/usr/bin/env", ["-C", path, program] + arguments, input: Array(input.utf8),
            environment: environment.merging(variables) { $1 }, timeout: timeout)
    }

    /// Runs commands of bash in this home, with the names that scripts have.
    func bash(_ commands: String, adding variables: [String: String] = [:], timeout: Duration = .seconds(180)) throws
        -> Command.Output
    {
        try run(
            "bash", ["-c", ". '\(Self.testFolder)/Tools/setup.bash'\n\(commands)"], adding: variables, timeout: timeout)
    }
}
