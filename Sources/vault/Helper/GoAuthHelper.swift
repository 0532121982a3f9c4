internal import ArgumentParser
internal import Injection
internal import Resources
internal import Sodium

/// `vault helper goauth`.
struct GoAuthHelper: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "goauth", abstract: "For Go's GOAUTH.",
        discussion: """
            Prints the headers of the resource that the URL lies inside. Without a URL, as Go runs it first, it prints \
            nothing: Go comes back with the URL of what it could not get.
            """)

    @Argument(help: "The URL, which Go gives.")
    var url: String?

    @OptionGroup var options: HelperOptions

    func run() throws {
        guard let text = url else { return }
        let url = try ResourceURL(text)
        var session = try HelperSession("goauth", options)
        let (found, match) = try session.resource(for: url)
        guard let found else { throw match.missing }
        try session.trail.checking {
            guard url.scheme == "https" else { throw Failure(.notAllowed, "Go takes credentials for https alone") }
        }
        let record = try session.record(named: found)
        let resource = record.resource
        try session.trail.checking {
            if let header = GoAuth.forwardedHeader(of: resource) {
                throw Failure(
                    .notAllowed,
                    "Go would send the header \(header) of \(found) on to whatever host it is redirected to",
                    hint: "Go does not do that with Authorization alone")
            }
        }
        try session.answer(with: record) { GoAuth.append(resource, for: url, token: $0, to: &$1) }
    }
}
