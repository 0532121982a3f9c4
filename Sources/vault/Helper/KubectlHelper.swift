internal import ArgumentParser
internal import Injection
internal import Resources
internal import Sodium
internal import VaultFile

/// `vault helper kubectl`.
struct KubectlHelper: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kubectl", abstract: "For an exec user of a kubeconfig.",
        discussion: """
            Prints an ExecCredential with the token of the resource that the cluster's server lies inside. For that the \
            kubeconfig says provideClusterInfo: true; without it, the resource is named.
            """)

    @Argument(
        help: "The resource; with provideClusterInfo, none is needed.",
        completion: .custom { _, _, _ in ResourceNames.complete() })
    var name: String?

    @OptionGroup var options: HelperOptions

    func run() throws {
        let name = try name.map { try RecordName.parse($0) }
        guard let variable = Variables.bytes(KubernetesExecCredential.variable) else {
            throw Failure(
                .usage, "\(KubernetesExecCredential.variable) is not set",
                hint: "this is for kubectl to start, from the users of a kubeconfig")
        }
        let request = try KubernetesExecCredential(variable.span)
        let url = try request.server.map { try ResourceURL($0) }
        if request.skipsVerification, !(url?.isLoopback ?? false) {
            throw Failure(
                .notAllowed, "anybody could be this cluster, since the kubeconfig has insecure-skip-tls-verify",
                hint: "give the cluster's certificate-authority instead")
        }
        var session = try HelperSession("kubectl", options)
        let found: RecordName
        switch (name, url) {
        case (let name?, let url):
            if let url { try session.check(url, isInside: name) }
            found = name
        case (nil, let url?):
            let (one, match) = try session.resource(for: url)
            guard let one else { throw match.missing }
            found = one
        case (nil, nil):
            throw Failure(
                .usage, "the request does not say which cluster it is for",
                hint: "set provideClusterInfo: true in the kubeconfig, or name the resource behind 'helper kubectl'")
        }
        let record = try session.record(named: found)
        let expires = record.resource.token.expires
        try session.answer(with: record) { request.append(token: $0, expires: expires, to: &$1) }
    }
}
