public import Resources
public import Sodium

/// The answer of a command in `GOAUTH` (Go 1.24): the URLs below which headers are sent, a blank line, the headers, and
/// a blank line.
///
/// Go runs the command once without an argument, for everything that it may have to say, and again with a URL when a
/// request for that has failed; what the server said is then on standard input, and of no use here.
public enum GoAuth {
    /// The name of a header that Go would send on to another host; nil when there is none. Go's client follows redirects,
    /// and takes only those off that it knows to be credentials.
    public static func forwardedHeader(of resource: Resource) -> String? {
        resource.headers.first { $0.value.isSecret && $0.name.lowercased() != "authorization" }?.name
    }

    /// Appends the headers of a resource, for the narrowest of its URLs that `url` lies inside and for no other.
    ///
    /// - Precondition: The resource covers `url`.
    public static func append(
        _ resource: Resource, for url: ResourceURL, token: Span<UInt8>, to output: inout SecretBuffer
    ) {
        let scopes = resource.urls.filter { $0.contains(url) }
        guard let scope = scopes.max(by: { $0.path.utf8.count < $1.path.utf8.count }) else {
            preconditionFailure("a URL that is not inside the resource")
        }
        output.append(Array("\(scope)\n\n".utf8).span)
        HeaderRenderer.appendLines(resource, token: token, to: &output)
        output.append("\n")
    }
}
