internal import ArgumentParser
internal import VaultFile

struct RekeyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rekey", abstract: "Make a new vault of the records, and become its owner.",
        discussion: """
            For a handover, or when the owner's identity is lost: the owner and each writer can do it. All members stay, \
            the owner before as a writer. Prints the id of the new vault. All pins name the old one, and have to be \
            changed; tell the members the new id by another way than the file takes.
            """)

    @Flag(help: "As JSON.")
    var json = false

    @OptionGroup var options: AccessOptions

    func run() throws {
        let access = options.access
        let session = try Session(access)
        let written = try session.vault.rekey()
        let rekeyed = written.result
        let path = session.vault.path
        let known = Session.knownVaults()
        let entry = try? known.entry(for: path)
        Session.remember(Pin(id: rekeyed.id), path, known, followsGit: entry?.followsGit)
        try Output.write(outcome: json ? "{\"id\":\"\(rekeyed.id)\"}\n" : "vault-id \(rekeyed.id)\n")
        if !access.quiet { try explain(rekeyed, session) }
        session.finish()
        try written.confirm()
    }

    private func explain(_ rekeyed: Vault.Rekeyed, _ session: Session) throws {
        let path = session.vault.path
        Messages.print("made a new vault of \(path); the old one is in \(DurableFile.target(of: path)).bak")
        Messages.print(
            "whoever pins the old id refuses it: \(rekeyed.before)",
            hint:
                "change it in known_vaults, in VAULT_ID, and behind the key in VAULT_IDENTITY, on all machines; tell the "
                + "members the new id by another way than the file takes")
        if let former = rekeyed.formerOwner {
            Messages.print(
                "\(former.label), who owned it, is a writer now",
                hint: "remove them with '\(Process.name) member remove \(former.label)'")
        }
        // What this user has set itself, and would next be refused for.
        let loaded = session.loaded
        if session.access.vaultID == nil, try Session.givenPin(session.access)?.id == rekeyed.before {
            Messages.print("VAULT_ID names the old id")
        }
        if let (pin, origin) = loaded.pin, pin.id == rekeyed.before {
            Messages.print("what stands behind the key names the old id: \(origin)")
        }
        if loaded.commentIDs.contains(rekeyed.before) {
            Messages.print("the comment '# vault-id:' beside the key names the old id: \(loaded.commentOrigin)")
        }
    }
}
