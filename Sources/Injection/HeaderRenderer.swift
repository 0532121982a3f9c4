public import Resources
public import Sodium
internal import VaultFile

/// Renders the headers of a resource, as lines of text that hold the token.
public enum HeaderRenderer {
    /// Appends what a template stands for.
    ///
    /// - Parameters:
    ///   - template: A header's value, or a variable's.
    ///   - resource: What the variables are taken from.
    ///   - token: The resource's token.
    ///   - output: Where the text goes.
    ///   - path: Gives the path for `{{headers}}` and `{{curl_config}}`.
    /// - Throws: What `path` throws.
    public static func append<E: Error>(
        _ template: Template, of resource: Resource, token: Span<UInt8>, to output: inout SecretBuffer,
        path: (Template.Variable) throws(E) -> String
    ) throws(E) {
        for part in template.parts {
            switch part {
            case .text(let text): output.append(Array(text.utf8).span)
            case .variable(let variable): try append(variable, of: resource, token: token, to: &output, path: path)
            }
        }
    }

    /// Appends what a variable stands for.
    ///
    /// - Parameters:
    ///   - variable: The variable.
    ///   - resource: What it is taken from.
    ///   - token: The resource's token.
    ///   - output: Where the text goes.
    ///   - path: Gives the path for `{{headers}}` and `{{curl_config}}`.
    /// - Throws: What `path` throws.
    public static func append<E: Error>(
        _ variable: Template.Variable, of resource: Resource, token: Span<UInt8>, to output: inout SecretBuffer,
        path: (Template.Variable) throws(E) -> String
    ) throws(E) {
        switch variable {
        case .token: output.append(token)
        case .name: output.append(Array(resource.name.description.utf8).span)
        case .url: output.append(Array((resource.urls.first?.description ?? "").utf8).span)
        case .username: output.append(Array((resource.username ?? "").utf8).span)
        case .basic: appendBasic(resource.username ?? "", token, to: &output)
        case .headers, .curlConfig: output.append(Array(try path(variable).utf8).span)
        }
    }

    /// Appends a header's value.
    public static func appendValue(
        of header: HeaderTemplate, _ resource: Resource, token: Span<UInt8>, to output: inout SecretBuffer
    ) {
        let start = output.count
        append(header.value, of: resource, token: token, to: &output) { _ in "" }
        // Values were checked when their record was read; a line break here would be a header more.
        output.withBytes { bytes in
            precondition(
                !bytes.extracting(droppingFirst: start).hasControlByte, "a control character in a header")
        }
    }

    /// Appends all headers, one a line: the form of `curl -H @FILE`.
    public static func appendLines(
        _ resource: Resource, token: Span<UInt8>, to output: inout SecretBuffer
    ) {
        for header in resource.headers {
            output.append(Array("\(header.name): ".utf8).span)
            appendValue(of: header, resource, token: token, to: &output)
            output.append("\n")
        }
    }

    /// Base64 of `username:token` (RFC 7617).
    private static func appendBasic(_ username: String, _ token: Span<UInt8>, to output: inout SecretBuffer) {
        var credentials = SecretBuffer(capacity: username.utf8.count + 1 + token.count)
        credentials.append(Array("\(username):".utf8).span)
        credentials.append(token)
        let encoded = credentials.withBytes { Base64.encodeSecret($0) }
        encoded.withBytes { output.append($0) }
    }
}
