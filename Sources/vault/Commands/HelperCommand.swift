internal import ArgumentParser

struct HelperCommand: ParsableCommand {
    static let verb = "helper"

    static let configuration = CommandConfiguration(
        commandName: verb, abstract: "Hand tokens to programs that ask a credential helper.",
        discussion: """
            Each speaks the protocol of one program, which starts it. It answers for a URL that lies inside exactly one \
            resource, asks nobody, and changes nothing.

            git, docker and terraform find it by the names git-credential-\(Process.name), \
            docker-credential-\(Process.name) and terraform-credentials-\(Process.name).
            """,
        subcommands: [
            BazelHelper.self, GitHelper.self, DockerHelper.self, KubectlHelper.self, GoAuthHelper.self,
            TerraformHelper.self,
        ])
}
