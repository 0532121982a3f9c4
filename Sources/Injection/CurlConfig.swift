public import Resources
public import Sodium

/// The headers of a resource as a config file for `curl --config`, quoted as curl's manual has it.
public enum CurlConfig {
    /// Appends one `header = "…"` line for each header.
    public static func append(
        _ resource: Resource, token: Span<UInt8>, to output: inout SecretBuffer
    ) {
        for header in resource.headers {
            var value = SecretBuffer()
            HeaderRenderer.appendValue(of: header, resource, token: token, to: &value)
            value.withBytes { append(header.name, value: $0, to: &output) }
        }
    }

    /// Appends the line of one header.
    public static func append(_ name: String, value: Span<UInt8>, to output: inout SecretBuffer) {
        output.append(Array("header = \"\(name): ".utf8).span)
        // Values were checked when their record was read; a line break here would be an option of curl's.
        precondition(!value.hasControlByte, "a control character in a header")
        for index in value.indices {
            // Within quotation marks curl takes \\, \", \t, \n, \r and \v for escapes; the last four cannot occur in a
            // header.
            if value[index] == UInt8(ascii: "\"") || value[index] == UInt8(ascii: "\\") { output.append("\\") }
            output.append(value.extracting(index..<index + 1))
        }
        output.append("\"\n")
    }
}
