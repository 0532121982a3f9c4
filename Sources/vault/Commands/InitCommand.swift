internal import Age
internal import ArgumentParser
internal import Glibc
internal import Sodium
internal import SystemPackage
internal import UnlockAgent
internal import VaultFile

struct InitCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init", abstract: "Make a vault, and an identity if there is none.",
        discussion: "Prints the recipient of the identity and the id of the vault.")

    @Flag(help: "Do not protect a new identity with a passphrase: for machines.")
    var noPassphrase = false

    @Option(help: ArgumentHelp("Your label in the member list.", valueName: "name"))
    var label: String?

    @OptionGroup var options: AccessOptions

    func run() throws {
        let access = options.access
        let path = try Session.path(access)
        if unsafe path.withPlatformString({ unsafe Glibc.access($0, F_OK) }) == 0 {
            throw Failure(
                .exists, "\(path) exists already",
                hint:
                    "'\(Process.name) status' says whether it is yours to use; --vault names another place for a new one"
            )
        }
        try Self.refuseLost(path)
        let label = label ?? Self.defaultLabel
        try MemberCommand.checkLabel(label)
        let loaded = try identities(access)
        if let id = loaded.pin?.pin.id ?? loaded.commentIDs.first {
            let place = loaded.pin == nil ? "as a comment in its file says" : "as it says behind the key"
            throw Failure(
                .notAllowed, "the identity is for the vault \(id), \(place)",
                hint: "make another one with '\(Process.name) identity new -o FILE', and give it with --identity")
        }
        let session = Session(access, path: path, loaded: loaded, trust: Vault.Trust())
        let written = try session.vault.create(label: label)
        let id = written.result
        let entry = Session.remember(Pin(id: id), path, Session.knownVaults())
        Messages.note("made the vault \(path)", unless: access.quiet)
        if entry.followsGit {
            Messages.note(
                "the vault lies in a git work tree: older versions of it are accepted, as git brings them back",
                unless: access.quiet)
        }
        let recipient = loaded.identities.first.map(\.recipient.description) ?? ""
        try Output.write(outcome: "recipient \(recipient)\nvault-id \(id)\n")
        Messages.notice(
            "keep the vault-id: a machine that does not know the vault asks for it (VAULT_ID)", unless: access.quiet)
        session.finish()
        try written.confirm()
    }

    /// The identities that there are, or a new one.
    private func identities(_ access: Access) throws -> LoadedIdentities {
        let source = IdentitySource(access)
        if let given = try source.loadGiven() { return given }
        let path = try Places.identity()
        if unsafe Glibc.access(path, F_OK) == 0 {
            if noPassphrase {
                Messages.note("there is an identity already, which is used as it is: \(path)", unless: access.quiet)
            }
            return try source.loadDefault()
        }
        let identity = X25519Identity()
        try NewIdentity(identity, comments: []).write(
            to: path, passphrase: noPassphrase ? nil : IdentityCommand.newPassphrase(access, mayDecline: true))
        Messages.note("made the identity \(path)", unless: access.quiet)
        var new = IdentityOrigin(name: path)
        new.identities = [identity]
        return try LoadedIdentities([new])
    }

    /// Refuses a path at which there was a vault: a new one would take its place also where the version before lies and
    /// among the known vaults.
    private static func refuseLost(_ path: FilePath) throws {
        let backup = path.string + ".bak"
        if unsafe access(backup, F_OK) == 0 {
            throw Failure(
                .exists, "there was a vault at \(path), whose version before is still there",
                hint: "to have it back: cp \(backup) \(path); to begin anew, move \(backup) away")
        }
        if let entry = try Session.knownVaults().entry(for: path) {
            throw Failure(
                .exists, "there was a vault at \(path): \(entry.pin.id)",
                hint:
                    "put a copy of it there; to begin anew, remove its line from \(Places.knownVaults() ?? "known_vaults")"
            )
        }
    }

    private static var defaultLabel: String {
        let user = (Variables.text("USER") ?? "").filter { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-") }
        return Member.isLabel(user) ? user : "owner"
    }
}
