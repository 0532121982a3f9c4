internal import ChildProcess
internal import Glibc
internal import Sodium

/// Commands whose output is a secret: `VAULT_IDENTITY_CMD` and `VAULT_PASSPHRASE_CMD`.
enum SecretCommand {
    /// What `command`, an argument vector split on spaces, prints.
    static func output(of command: String, variable: String) throws -> SecretBuffer {
        let words = command.split(separator: " ").map(String.init)
        guard let first = words.first else { throw Failure(.setting, "\(variable) is empty") }
        // Neither the command nor its program is named in a message: it may be the secret itself, in a wrong place.
        var environment = Environment()
        environment.remove { Variables.secrets.contains($0) }
        let process: ReadableProcess
        do {
            let program = try Launch.find(first, searchPath: Variables.text("PATH") ?? Launch.defaultSearchPath)
            process = try ReadableProcess.start(program, arguments: words, environment: environment)
        } catch {
            let reason =
                switch error {
                case .notRunnable(_, let number): "cannot be run: \(Failure.text(number))"
                case .notFound: "was not found"
                }
            throw Failure(.setting, "the program of \(variable) \(reason)")
        }
        let content = try SecretInput.readAll(
            process.output, what: "the output of \(variable)", limit: SecretInput.maximumSize)
        let status = process.wait()
        guard status == 0 else { throw Failure(.notAllowed, "the program of \(variable) ended with status \(status)") }
        return content
    }
}
