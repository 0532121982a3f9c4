internal import ArgumentParser
internal import Remotes
internal import Resources
internal import UnlockAgent
internal import VaultFile

struct StatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Show which vault is used, what opens it, and what is unlocked.",
        discussion: "Never asks for anything: a vault that needs a passphrase for it is shown as locked.")

    @Flag(help: "As JSON.")
    var json = false

    @OptionGroup var options: AccessOptions

    func run() throws {
        var access = options.access
        access.noInput = true
        let until = try AgentClient(at: Places.agent())?.status()?.until
        let path = try Session.path(access)
        var report = Report(path: "\(KnownVaults.place(of: path))", until: until.map { Timestamp(seconds: $0) })
        report.remote = try? Remote(of: path)
        // What is unlocked is said whatever becomes of the vault.
        var failure: (any Error)?
        do {
            let session = try Session(access)
            let reader = try session.vault.open()
            report.opened = Report.Opened(reader, session)
            report.id = reader.id
        } catch VaultError.noSuchFile {
            report.state = .missing
        } catch is PassphraseNeeded {
            report.state = .locked
            report.id = try (Session.givenPin(access) ?? Session.knownVaults().entry(for: path)?.pin)?.id
        } catch {
            failure = error
            report.state = .refused
        }
        try Output.write(json ? report.json : report.text)
        if let failure { throw failure }
    }
}

/// What `status` has to say.
private struct Report {
    enum State: String {
        case open, locked, missing, refused
    }

    let path: String
    /// When the agent forgets; nil when there is none.
    let until: Timestamp?
    var state = State.open
    var id: VaultID?
    var opened: Opened?
    /// The shared store; nil when there is none.
    var remote: Remote?

    struct Opened {
        let generation: Int
        let manifest: String
        let rosterVersion: Int
        let member: Member?
        let source: String
        let passphrase: String?

        init(_ reader: borrowing VaultReader, _ session: Session) {
            generation = reader.generation
            manifest = reader.version.manifest
            rosterVersion = reader.rosterVersion
            let loaded = session.loaded
            member = reader.members.first { session.vault.isOwn($0) }
            source = loaded.origin
            passphrase = loaded.passphraseOrigin
        }
    }

    var text: String {
        var text = ""
        func line(_ title: String, _ value: String?) {
            guard let value else { return }
            text += title + String(repeating: " ", count: 12 - title.utf8.count) + Messages.visible(value) + "\n"
        }
        line("vault", path)
        line("state", state.rawValue + (state == .locked ? ": '\(Process.name) unlock' asks for the passphrase" : ""))
        line("id", id?.description)
        line("generation", opened.map { "\($0.generation)" })
        line("roster", opened.map { "\($0.rosterVersion)" })
        line("member", opened?.member.map { "\($0.label) (\($0.role.rawValue))" })
        line("opened by", opened?.source)
        line("passphrase", opened?.passphrase)
        let left = until.map { TimeSpan.words(max(0, $0.seconds - Timestamp.now.seconds)) }
        line("remote", remote.map { "\($0.url), \($0.ageInWords)" + (hasOwnChanges == true ? "; not in step" : "") })
        line(
            "agent",
            until.flatMap { until in left.map { "unlocked for \($0), until \(until)" } } ?? "nothing is unlocked")
        return text
    }

    /// Whether the vault is another version than the store was last known to have; nil when that cannot be said.
    private var hasOwnChanges: Bool? {
        guard let opened, let remote else { return nil }
        return !(remote.state.load()?.isInStore(opened.manifest) ?? false)
    }

    var json: String {
        func string(_ text: String?) -> String { text.map { ResourceJSON.quoted($0) } ?? "null" }
        func number(_ number: Int?) -> String { number.map { "\($0)" } ?? "null" }
        let member =
            opened?.member.map { "{\"label\":\"\($0.label)\",\"role\":\"\($0.role.rawValue)\"}" } ?? "null"
        return
            "{\"vault\":\(string(path)),\"id\":\(string(id?.description)),\"generation\":\(number(opened?.generation))"
            + ",\"source\":\(string(opened?.source)),\"agent\":\(until.map { "{\"until\":\"\($0)\"}" } ?? "null")"
            + ",\"state\":\"\(state.rawValue)\",\"roster\":\(number(opened?.rosterVersion)),\"member\":\(member)"
            + ",\"passphrase\":\(string(opened?.passphrase)),\"remote\":\(remoteJSON)}\n"
    }

    private var remoteJSON: String {
        guard let remote else { return "null" }
        let checked = remote.state.load()?.checked.map { "\"\($0)\"" } ?? "null"
        return "{\"url\":\(ResourceJSON.quoted("\(remote.url)")),\"checked\":\(checked)"
            + ",\"in_step\":\(hasOwnChanges.map { "\(!$0)" } ?? "null")}"
    }
}
