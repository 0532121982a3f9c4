internal import ArgumentParser
internal import Injection
internal import Resources
internal import Sodium

/// `vault helper git`, which is `git-credential-vault` as well.
struct GitHelper: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "git", abstract: "For git's credential.helper.",
        discussion: """
            Answers get with user name and token, or with the resource's Authorization header where git can send one. \
            For a resource whose URL has a path, set git's credential.useHttpPath. store and erase change nothing.
            """)

    @Argument(
        help: "What git asks for: get, store, erase or capability.",
        completion: .list(["get", "store", "erase", "capability"]))
    var operation: String

    @Option(help: "The user name, where the resource has none. Default: \(GitCredential.defaultUsername).")
    var username: String?

    @OptionGroup var options: HelperOptions

    func run() throws {
        try Failure.checkUsername(username)
        switch operation {
        case "get": try get()
        case "capability": try Output.write(GitCredential.capabilities)
        // The vault is the owner's to change, and git asks for what it does not know to be ignored.
        default: break
        }
    }

    private func get() throws {
        let request = try HelperSession.request(of: "git").withBytes { try GitCredential($0) }
        guard let url = try request.url() else { return }
        var session = try HelperSession("git", options)
        do {
            let (found, match) = try session.resource(for: url)
            guard let found else {
                // Another helper may know more, so that a miss is silent.
                if request.path == nil {
                    session.noteNarrower(
                        match, hint: "to have git say the path: git config --global credential.\(url).useHttpPath true")
                }
                return
            }
            let record = try session.record(named: found)
            let username = record.resource.username ?? username ?? GitCredential.defaultUsername
            guard request.accepts(username: username) else { return }
            try session.check(username: username)
            try session.answer(with: record) {
                request.append(record.resource, username: username, token: $0, to: &$1)
            }
        } catch let refusal as Failure where refusal.status == Status.notAllowed.rawValue {
            // The URL is the vault's, and the vault says no: nobody is asked for a password instead.
            try Output.write(GitCredential.quit)
            throw refusal
        }
    }
}
