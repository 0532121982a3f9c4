public import Resources
public import Sodium

/// The headers of a resource as a config file for `curl --config`, quoted as curl's manual has it.
public enum CurlConfig {
    /// Appends one `header = "…"` line for each header.
    public static func append(
        _ resource: Resource, token: borrowing SecretBytes, to output: inout SecretBuffer
    ) {
        for header in resource.headers {
            output.append("header = \"")
            output.append(Array("\(header.name): ".utf8).span)
            var value = SecretBuffer()
            HeaderRenderer.appendValue(of: header, resource, token: token, to: &value)
            value.withBytes { bytes in
                for index in bytes.indices {
                    // Within quotation marks curl takes \\, \", \t, \n, \r and \v for escapes; the last four cannot
                    // occur in a header.
                    if bytes[index] == UInt8(ascii: "\"") || bytes[index] == UInt8(ascii: "\\") { output.append("\\") }
                    output.append(bytes.extracting(index..<index + 1))
                }
            }
            output.append("\"\n")
        }
    }
}
