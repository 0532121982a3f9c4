internal import ArgumentParser
internal import Injection
internal import Resources
internal import Sodium

/// How headers are printed.
enum HeaderFormat: String, ExpressibleByArgument, CaseIterable {
    case lines, curl, json

    /// Appends a header, with a mask in place of a value that is secret if it is for a terminal.
    func append(
        _ header: HeaderTemplate, of resource: Resource, token: Span<UInt8>, isMasked: Bool,
        to output: inout SecretBuffer
    ) {
        var value = SecretBuffer()
        if header.value.isSecret, isMasked {
            value.append(text: Output.mask)
        } else {
            HeaderRenderer.appendValue(of: header, resource, token: token, to: &value)
        }
        value.withBytes { value in
            switch self {
            case .lines:
                output.append(text: "\(header.name): ")
                output.append(value)
                output.append("\n")
            case .curl: CurlConfig.append(header.name, value: value, to: &output)
            case .json:
                output.append(text: "\(ResourceJSON.quoted(header.name)):")
                output.appendQuoted(value)
            }
        }
    }
}
