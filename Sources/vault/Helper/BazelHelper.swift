internal import ArgumentParser
internal import Injection
internal import Resources
internal import Sodium

/// `vault helper bazel get`.
struct BazelHelper: ParsableCommand {
    enum Operation: String, ExpressibleByArgument, CaseIterable {
        case get
    }

    enum Miss: String, ExpressibleByArgument, CaseIterable {
        case error, empty
    }

    static let configuration = CommandConfiguration(
        commandName: "bazel", abstract: "For Bazel's --credential_helper.",
        discussion: "Reads {\"uri\":...} and prints the headers of the resource that it lies inside, as JSON.")

    @Argument(help: "What Bazel asks for.")
    var operation: Operation

    @Option(help: "What to answer for a URL outside of all resources: an error, which ends the build, or no header.")
    var onMiss = Miss.error

    @OptionGroup var options: HelperOptions

    func run() throws {
        let uri = try HelperSession.request(of: "Bazel").withBytes { try BazelCredentialHelper.uri(of: $0) }
        let url: ResourceURL
        do throws(ResourceError) {
            url = try ResourceURL(uri)
        } catch {
            // Nothing can lie inside a resource by such a URL. Whether Bazel can do with it is Bazel's business.
            guard onMiss == .empty else { throw error }
            try Output.write(BazelCredentialHelper.emptyAnswer)
            return
        }
        var session = try HelperSession("bazel", options)
        let (found, match) = try session.resource(for: url)
        guard let found else {
            guard onMiss == .empty else { throw match.missing }
            try Output.write(BazelCredentialHelper.emptyAnswer)
            return
        }
        let record = try session.record(named: found)
        try session.answer(with: record) { BazelCredentialHelper.append(record.resource, token: $0, to: &$1) }
    }
}
