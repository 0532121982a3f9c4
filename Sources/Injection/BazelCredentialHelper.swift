public import Resources
public import Sodium
internal import VaultFile

/// The protocol of Bazel's credential helpers: `get` with a JSON object on standard input, and one on standard output
/// (EngFlow's Credential Helper specification, which Bazel and others follow).
public enum BazelCredentialHelper {
    /// The answer without a header.
    public static let emptyAnswer = "{\"headers\":{}}\n"

    /// The URI that a request is about: its `uri`, whatever else stands there.
    ///
    /// - Throws: ``ClientRequestError``.
    public static func uri(of request: Span<UInt8>) throws(ClientRequestError) -> String {
        try ClientRequest.checkSize(request)
        var uri: String?
        try ClientRequest.readObject(request) { (name, cursor) throws(JSONError) in
            if name.equals("uri", in: request) {
                uri = try cursor.readString(request).text(in: request)
            } else {
                try cursor.readValue(request)
            }
        }
        guard let uri else { throw ClientRequestError("the request has no \"uri\"") }
        return uri
    }

    /// Appends the answer: all headers of a resource, and until when they are good where that is known.
    public static func append(_ resource: Resource, token: Span<UInt8>, to output: inout SecretBuffer) {
        output.append("{\"headers\":{")
        for (number, header) in resource.headers.enumerated() {
            if number > 0 { output.append(",") }
            output.append(JSONText.quoted(header.name).span)
            output.append(":[")
            var value = SecretBuffer()
            HeaderRenderer.appendValue(of: header, resource, token: token, to: &value)
            value.withBytes { output.appendQuoted($0) }
            output.append("]")
        }
        output.append("}")
        if let expires = resource.token.expires { output.append(Array(",\"expires\":\"\(expires)\"".utf8).span) }
        output.append("}\n")
    }
}
