internal import ArgumentParser
internal import Injection
internal import Resources
internal import Sodium
internal import VaultFile

/// `vault helper docker`, which is `docker-credential-vault` as well.
struct DockerHelper: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "docker", abstract: "For docker's credHelpers.",
        discussion: """
            Answers get with user name and token, and list with the registries that there is a token for. store and \
            erase are refused. Errors are on standard output, as docker wants them.
            """)

    @Argument(
        help: "What docker asks for: get, list, store, erase or version.",
        completion: .list(["get", "list", "store", "erase", "version"]))
    var operation: String

    @Option(help: "The user name, where the resource has none. Default: \(GitCredential.defaultUsername).")
    var username: String?

    @OptionGroup var options: HelperOptions

    func run() throws {
        do {
            try Failure.checkUsername(username)
            switch operation {
            case "get": try get()
            case "list": try list()
            case "version": try Output.write("docker-credential-\(Process.name) \(RootCommand.version)\n")
            case "store":
                throw Failure(
                    .notAllowed, "docker does not store anything in the vault; use '\(Process.name) add' or 'rotate'")
            case "erase":
                throw Failure(
                    .notAllowed, "docker does not remove anything from the vault; use '\(Process.name) remove'")
            default: throw Failure(.usage, "unknown operation")
            }
        } catch {
            // docker reads why on standard output, and knows one exit code.
            let failure = Failure(error)
            try Output.write(Messages.visible(failure.message) + "\n")
            Messages.write(failure.hints.map { "hint: \(Messages.visible($0))\n" }.joined())
            throw Failure.no
        }
    }

    private func get() throws {
        let server = try HelperSession.request(of: "docker").withBytes { try DockerCredentialHelper.server(of: $0) }
        var session = try HelperSession("docker", options)
        let (found, match) = try session.resource(for: server.url)
        guard let found else {
            session.noteNarrower(match)
            throw Failure(.missing, DockerCredentialHelper.notFound)
        }
        let record = try session.record(named: found)
        let username = username(for: record.resource)
        try session.check(username: username)
        try session.trail.checking {
            if username == DockerCredentialHelper.identityTokenUsername {
                throw Failure(
                    .notAllowed,
                    "with the user name <token> docker sends the token to whatever server the registry names",
                    hint: "give the resource another one with '\(Process.name) edit \(found) --username …'")
            }
        }
        try session.answer(with: record) {
            DockerCredentialHelper.append(server, username: username, token: $0, to: &$1)
        }
    }

    private func list() throws {
        var session = try HelperSession("docker", options)
        var resources: [Resource] = []
        try session.forEachResource { resources.append($0) }
        try Output.write(DockerCredentialHelper.list(of: resources, at: .now, username: username(for:)))
    }

    private func username(for resource: Resource) -> String {
        resource.username ?? username ?? GitCredential.defaultUsername
    }
}
