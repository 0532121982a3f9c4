internal import ArgumentParser
internal import Injection
internal import Resources
internal import Sodium

/// `vault helper terraform`, which is `terraform-credentials-vault` as well.
struct TerraformHelper: ParsableCommand {
    enum Operation: String, ExpressibleByArgument, CaseIterable {
        case get, store, forget
    }

    static let configuration = CommandConfiguration(
        commandName: "terraform", abstract: "For Terraform's and OpenTofu's credentials_helper.",
        discussion: """
            Answers get with the token of the resource that https://HOST lies inside, or with {}. store and forget are \
            refused.
            """)

    @Argument(help: "What Terraform asks for.")
    var operation: Operation

    @Argument(help: "The host, perhaps with a port.")
    var host: String

    @OptionGroup var options: HelperOptions

    func run() throws {
        switch operation {
        case .get: try get()
        case .store:
            throw Failure(
                .notAllowed, "Terraform does not store anything in the vault",
                hint: "use '\(Process.name) add' or '\(Process.name) rotate'")
        case .forget:
            throw Failure(
                .notAllowed, "Terraform does not remove anything from the vault", hint: "use '\(Process.name) remove'")
        }
    }

    private func get() throws {
        let url = try TerraformCredentialsHelper.url(ofHost: host)
        var session = try HelperSession("terraform", options)
        let (found, match) = try session.resource(for: url)
        guard let found else {
            session.noteNarrower(match)
            try Output.write(TerraformCredentialsHelper.emptyAnswer)
            return
        }
        let record = try session.record(named: found)
        try session.answer(with: record) { TerraformCredentialsHelper.append(token: $0, to: &$1) }
    }
}
