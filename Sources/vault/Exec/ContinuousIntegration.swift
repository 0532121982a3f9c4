internal import Glibc
internal import Injection
internal import Resources
internal import Sodium

/// What a CI system can do itself to keep tokens out of its log.
enum ContinuousIntegration {
    /// Tells the system that this runs in what to mask, or says on standard error why that cannot be done.
    ///
    /// - Returns: Whether it was told.
    static func mask(_ tokens: borrowing TokenSet, quiet: Bool) -> Bool {
        switch system {
        case .gitHub where isatty(2) == 1:
            Messages.note(
                "standard error is a terminal, which is not shown the tokens for GitHub Actions", unless: quiet)
        case .gitHub:
            for (number, resource) in tokens.resources.enumerated() {
                tokens.withToken(number) { token in
                    addMask(token)
                    // A token that is encoded there would not be found by itself.
                    for header in resource.headers where header.value.variables.contains(.basic) {
                        var value = SecretBuffer()
                        HeaderRenderer.appendValue(of: header, resource, token: token, to: &value)
                        value.withBytes { addMask($0.extracting(droppingFirst: header.value.publicLead)) }
                    }
                }
            }
            return true
        case .withoutCommands(let name):
            Messages.note(
                "\(name) cannot be told at run time what to mask: the masking of '\(Process.name) exec' is the one that counts",
                unless: quiet)
        case .unknown:
            Messages.note("--ci-mask has no effect here: this is not GitHub Actions", unless: quiet)
        }
        return false
    }

    private enum System {
        case gitHub
        case withoutCommands(String)
        case unknown
    }

    private static var system: System {
        if Variables.text("GITHUB_ACTIONS") == "true" { return .gitHub }
        if Variables.isSet("GITLAB_CI") { return .withoutCommands("GitLab CI") }
        if Variables.isSet("CIRCLECI") { return .withoutCommands("CircleCI") }
        return .unknown
    }

    /// GitHub's command for it, escaped as its toolkit does: a percent sign and line ends would be read as something else.
    private static func addMask(_ token: Span<UInt8>) {
        var line = SecretBuffer()
        line.append("::add-mask::")
        for index in token.indices {
            switch token[index] {
            case UInt8(ascii: "%"): line.append("%25")
            case UInt8(ascii: "\r"): line.append("%0D")
            case UInt8(ascii: "\n"): line.append("%0A")
            default: line.append(token.extracting(index..<index + 1))
            }
        }
        line.append("\n")
        line.withBytes { bytes in
            _ = unsafe bytes.withUnsafeBytes { unsafe write(2, $0.baseAddress, $0.count) }
        }
    }
}
