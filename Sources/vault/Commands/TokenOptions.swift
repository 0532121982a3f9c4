internal import ArgumentParser
internal import Glibc
internal import VaultFile

/// Where a token comes from.
struct TokenOptions: ParsableArguments {
    @Option(name: .customLong("token-fd"), help: ArgumentHelp("Read the token from this descriptor.", valueName: "n"))
    var tokenFD: Int32?

    /// Keeps the descriptor from the commands that unlocking may start.
    func keepFromChildren() {
        if let tokenFD, tokenFD > 2 { _ = fcntl(tokenFD, F_SETFD, FD_CLOEXEC) }
    }

    var isPrompt: Bool { tokenFD == nil && SecretInput.isTerminal }

    /// What is said of a stored token's end. One that is a JWT may have it behind it.
    static func expiry(_ expires: Timestamp?) -> String {
        expires.map { ", whose token \($0 <= .now ? "expired" : "expires") on \($0)" } ?? ""
    }
}
