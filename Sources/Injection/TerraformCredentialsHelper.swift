public import Resources
public import Sodium

/// The protocol of Terraform's credentials helpers, which OpenTofu has too: a verb and a host as arguments, and a JSON
/// object on standard output.
public enum TerraformCredentialsHelper {
    /// The answer without a token.
    public static let emptyAnswer = "{}\n"

    /// The URL of a host, which Terraform only ever speaks https with.
    ///
    /// - Parameter host: A name or an address, in ASCII, perhaps with a port.
    /// - Returns: The URL of all that is on that host.
    /// - Throws: ``ClientRequestError``, or ``ResourceError`` for a host that no URL can have.
    public static func url(ofHost host: String) throws -> ResourceURL {
        guard !host.utf8.contains(where: { "/?#@\\".utf8.contains($0) }) else {
            throw ClientRequestError("the host is more than a name and a port")
        }
        return try ResourceURL("https://\(host)")
    }

    /// Appends the answer with a token.
    public static func append(token: Span<UInt8>, to output: inout SecretBuffer) {
        output.append("{\"token\":")
        output.appendQuoted(token)
        output.append("}\n")
    }
}
