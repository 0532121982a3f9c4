internal import Age
internal import ArgumentParser
internal import ChildProcess
internal import Glibc
internal import Injection
internal import Remotes
internal import Resources
internal import SystemPackage
internal import UnlockAgent
internal import VaultFile

/// The exit codes of all verbs but `exec`, from sysexits.h.
enum Status: Int32 {
    /// The answer is no.
    case no = 1
    /// The command line, or what was given, is not acceptable.
    case usage = 64
    /// A file is damaged, forged, or older than one already seen.
    case damaged = 65
    /// There is no such vault, resource or file.
    case missing = 66
    /// The agent or the shared store cannot be reached.
    case unavailable = 69
    /// A bug in this program.
    case bug = 70
    /// It exists already, or cannot be created.
    case exists = 73
    /// Reading or writing failed.
    case io = 74
    /// Somebody else holds the lock.
    case busy = 75
    /// Not allowed.
    case notAllowed = 77
    /// A setting makes no sense.
    case setting = 78
}

/// Why a command ends without having done its work: one clear line, and a hint where one helps, or one for each case.
struct Failure: Error {
    let status: Int32
    let message: String
    let hints: [String]

    init(_ status: Status, _ message: String, hint: String? = nil) {
        self.init(code: status.rawValue, message, hint: hint)
    }

    init(code: Int32, _ message: String, hint: String? = nil) {
        status = code
        self.message = message
        hints = hint.map { [$0] } ?? []
    }

    init(_ status: Status, _ message: String, hints: [String]) {
        self.init(code: status.rawValue, message, hints: hints)
    }

    init(code: Int32, _ message: String, hints: [String]) {
        status = code
        self.message = message
        self.hints = hints
    }

    /// What an error of any kind means to somebody at a command line.
    init(_ error: any Error) {
        switch error {
        case let failure as Failure: self = failure
        case let needed as PassphraseNeeded: self = needed.failure
        case let error as AgentFailure: self.init(agent: error)
        case let error as VaultError: self.init(vault: error)
        case let error as StoreError: self.init(store: error)
        case let error as RemoteError: self.init(remote: error)
        case let error as ResourceError: self.init(resource: error)
        case let error as ClientRequestError: self.init(.usage, error.reason)
        case let error as Launch.Failure: self.init(launch: error)
        case Relay.Failure.launch(let error): self.init(launch: error)
        case Relay.Failure.system(let operation, let number):
            self.init(.io, "\(operation): \(Self.text(number))")
        case AgeError.outOfMemory(let bytes):
            self.init(.io, "the passphrase needs \(bytes >> 20) MiB of memory, more than is available")
        default: self.init(.bug, "unexpected error: \(type(of: error))", hint: "please report this")
        }
    }

    /// Prints the failure and ends the program. Every failure of `exec` itself has a code that no child uses.
    func end(isExec: Bool) -> Never {
        if !message.isEmpty { Messages.print(message, hints: hints) }
        exit(isExec && status != 126 && status != 127 ? 125 : status)
    }

    /// Two resources that would set the same variable.
    init(bothSet variable: String, _ first: RecordName, _ second: RecordName) {
        self.init(
            .usage, "both \(first) and \(second) set the variable \(variable)",
            hint: "give one of them another with '\(Process.name) edit \(second) --env …'")
    }

    /// An answer that is no, and that the command has explained already.
    static let no = Failure(.no, "")
}

extension Failure {
    private init(vault error: VaultError) {
        switch error {
        case .damaged(let path, let what):
            self.init(
                .damaged, "\(path) is damaged: \(what)",
                hint: unsafe access(Self.backup(of: path), F_OK) == 0
                    ? "the version before it may be good: \(Self.backup(of: path))"
                    : "if it is a vault, get a good copy from its owner, or from a backup")
        case .damagedState(let path):
            self.init(
                .damaged, "\(path) is damaged: it remembers the newest version of the vault seen here",
                hint: "to forget that and start afresh: rm \(path)")
        case .older(let path, let what):
            self.init(
                .damaged, "\(path) is older than a version already seen: \(what)",
                hints: [
                    "whoever wants a rotated token or a removed member back could put an old copy in its place",
                    "if you did not do this, \(Self.newestCopy(of: path))",
                    "if you restored it on purpose, use --accept-older; a change made with it makes this version the "
                        + "newest everywhere",
                ])
        case .belowPin(let path, let version, let minimum, let origin):
            self.init(
                .damaged,
                "\(path) has a roster of version \(version), but the pin from \(origin) asks for \(minimum) or later",
                hints: [
                    "whoever was removed from the vault since could put an old copy in its place",
                    "if you did not do this, \(Self.newestCopy(of: path))",
                    "only if its owner says that there is no later roster, correct the number in \(origin)",
                    "if you own it and the later one is lost, go on with this one by --vault-id without the number, and "
                        + "--accept-older",
                ])
        case .otherVault(let path, let found, let pinned, let origin):
            self.init(
                .damaged, "\(path) is the vault \(found), but \(pinned) is the one that is trusted here, by \(origin)",
                hints: [
                    "whoever wants the tokens that you add could put a vault of their own in its place",
                    "if you did not do this, get a copy of the right one from the vault's owner",
                    "if the owner handed the vault over, or '\(Process.name) rekey' was cut short, ask for the new id "
                        + "through another channel; only if it is \(found), put it in the place of the old one, with any :N behind that, in \(origin)",
                ])
        case .unknownVault(let id):
            let place = try? Session.knownVaults().place(of: id)
            self.init(
                .notAllowed, "the vault \(id) is not known here, and there is nobody to ask",
                hints: place.map {
                    ["it is known at \($0): to trust this copy too, set VAULT_ID=\(id), or give it with --vault-id"]
                } ?? [
                    "anybody can make a vault and put it here: ask its owner, through another channel, for the id "
                        + "that '\(Process.name) status' shows",
                    "if it is this one, set VAULT_ID=\(id) or give it with --vault-id",
                ])
        case .noMatch where Variables.isWithheld:
            self.init(
                .notAllowed, "none of the identities opens the vault: \(Variables.withholding)",
                hint: Variables.keepIdentityHint)
        case .noMatch:
            self.init(
                .notAllowed, "none of the identities opens the vault",
                hint: "show what you have with '\(Process.name) identity show', and ask the vault's owner")
        case .noMatchElsewhere:
            self.init(
                .notAllowed, "what is unlocked does not open the vault",
                hint: "give another identity with --identity, or use the default one after '\(Process.name) lock'")
        case .noAnswer(let what): self.init(agent: .noAnswer(what))
        case .notAllowed(let what):
            self.init(
                .notAllowed, what,
                hint:
                    "see who you are with '\(Process.name) status', and who owns it with '\(Process.name) member list'")
        case .membersConflict(let version):
            self.init(
                .no, "both sides changed the members, and have another version \(version) of the list",
                hint: "the vault's owner decides whose list it is, with --prefer ours or --prefer theirs")
        case .olderThanBase:
            self.init(.no, "their version is older than the one that both sides come from")
        case .writerRemoved(let path, let label, let version):
            self.init(
                .notAllowed,
                "\(path) was written by \(label), who may not write under version \(version) of the members",
                hint: "look at what they changed, and make what is right of it again")
        case .noSuchFile(let path):
            self.init(
                .missing, "there is no vault at \(FilePath(path).absolute)",
                hint: Self.wayToVault(path))
        case .exists(let path): self.init(.exists, "\(path) exists already")
        case .setting(let file, let line, let what): self.init(.setting, "\(file), line \(line): \(what)")
        case .tooLarge(let what): self.init(.usage, what)
        case .locked(let path):
            self.init(
                .busy,
                "another \(Process.name) is writing \(path), and did not end within \(VaultLock.patience) seconds")
        case .system(let operation, let path, let number):
            let isOther = number == EISDIR || number == EINVAL && operation != .writing
            // Of the files that are read, only the vault is somebody's choice.
            let hint =
                operation == .opening
                ? "give the path of a file with --vault"
                : "\(Process.name) keeps a file of its own there: move what is there out of the way"
            self.init(
                operation.isCreation ? .exists : .io,
                "\(operation.rawValue) \(path): "
                    + (isOther && number == EINVAL ? "it is not a regular file" : Self.text(number)),
                hint: isOther && [.opening, .reading, .locking, .creating].contains(operation) ? hint : nil)
        case .notAsWritten(let path, let what):
            self.init(
                .io, "what was written for \(path) reads back as something else: \(what)", hint: "nothing was changed")
        case .durabilityUnknown(let path, let number):
            self.init(
                .io, "\(path): written, durability unknown: \(Self.text(number))")
        }
    }

    /// How to come by a vault that is not there.
    private static func wayToVault(_ path: String) -> String {
        if unsafe access(backup(of: path), F_OK) == 0 {
            return "the version before it is there: cp \(backup(of: path)) \(path)"
        }
        if (try? Remote(of: FilePath(path))) != nil {
            return "fetch it from its shared store with '\(Process.name) pull'"
        }
        return "make one with '\(Process.name) init', or name the one that you were given with --vault"
    }

    /// Where the version before is kept: behind a link, that lies beside the file itself.
    private static func backup(of path: String) -> String { DurableFile.target(of: FilePath(path)).string + ".bak" }

    /// How to get at the newest version of a vault in whose place there is an older one.
    private static func newestCopy(of path: String) -> String {
        let newest = "get the newest copy from the vault's owner"
        let backup = backup(of: path)
        return unsafe access(backup, F_OK) == 0 ? "\(newest), or see whether \(backup) is newer" : newest
    }

    private init(store error: StoreError) {
        switch error {
        case .unreachable(let what):
            self.init(.unavailable, "the shared store cannot be reached: \(what)")
        case .notAllowed(let what):
            self.init(
                .notAllowed, "the shared store does not let this machine in: \(what)",
                hint: "what it is given stands in \(Places.remotes() ?? "remotes"); set it again with "
                    + "'\(Process.name) remote set'")
        case .malformed(let what):
            self.init(
                .damaged, "what the shared store says makes no sense: \(what)", hint: Self.nothingTaken)
        case .vanished: self.init(.busy, "the shared store changes all the time", hint: "try again")
        case .tooLarge(let what): self.init(.usage, "the vault is too large for the shared store: \(what)")
        case .setting(let what): self.init(.setting, what)
        case .system(let what): self.init(.io, what)
        }
    }

    /// True of the store's version also where a change was made here before.
    private static let nothingTaken = "nothing of it was taken"

    private init(remote error: RemoteError) {
        switch error {
        case .refused(.older(let name, let what)):
            self.init(
                .damaged, "\(name) is older than a version already seen: \(what)",
                hints: [
                    Self.nothingTaken,
                    "if the store was restored from a backup, '\(Process.name) push --accept-older' puts the vault "
                        + "here in its place",
                ])
        case .refused(.otherVault(let name, let found, let pinned, let origin)):
            self.init(
                .damaged, "\(name) is the vault \(found), but \(pinned) is the one that is trusted here, by \(origin)",
                hints: [
                    Self.nothingTaken,
                    "a vault that was made anew, as by '\(Process.name) rekey', needs another prefix in the store",
                ])
        case .refused(.noMatch), .refused(.noMatchElsewhere):
            self.init(
                .notAllowed, "none of the identities opens the version in the shared store",
                hints: [Self.nothingTaken, "ask the vault's owner whether you are still a member"])
        case .refused(.damaged(let name, let what)):
            self.init(.damaged, "\(name) is damaged or forged: \(what)", hint: Self.nothingTaken)
        case .refused(let error): self.init(vault: error)
        case .conflicts(let conflicts):
            self.init(
                .no,
                "the vault here and the one in the shared store have conflicts: "
                    + conflicts.map(\.words).joined(separator: "; "),
                hint: "say who is right with '\(Process.name) pull --prefer newest', ours or theirs; then "
                    + "'\(Process.name) push'")
        case .readOnly:
            self.init(
                .notAllowed, "the shared store can only be read",
                hint: "bring the file there as the web server has it, or give the vault an etcd:// store")
        case .busy: self.init(.busy, "others write to the shared store all the time", hint: "try again")
        }
    }

    private init(resource error: ResourceError) {
        switch error {
        case .invalid(let what, let remedy): self.init(.usage, what, hint: remedy.map(Self.hint))
        case .malformedRecord(let name, let what): self.init(.damaged, "the record of \(name) is malformed: \(what)")
        case .noEarlierToken: self.init(.missing, "there is no earlier token to go back to")
        }
    }

    /// How the command line gives what would make a resource acceptable.
    private static func hint(_ remedy: ResourceError.Remedy) -> String {
        switch remedy {
        case .url: "give one with --url"
        case .https: "use https, or say --allow-http"
        case .otherVariable: "give the resource another one with --env"
        case .username: "give one with --username"
        case .otherHeader: "if it is meant so, give the resource a header of its own with --header"
        case .binding: "write '# vault: url=https://…' above it"
        }
    }

    private init(launch error: Launch.Failure) {
        switch error {
        case .notFound(let command):
            self.init(
                code: 127, "\(command): not found",
                hint: command.hasPrefix("-")
                    ? "options of \(Process.name) stand before the --, the command behind it"
                    : command.utf8.contains(UInt8(ascii: " "))
                        ? "a command is not one argument, but one for each word; or write -- sh -c '…'" : nil)
        case .notRunnable(let program, ENOENT):
            self.init(
                code: 126, "\(program): its interpreter is missing",
                hint: "its first line, or the program itself, names a file that is not there")
        case .notRunnable(let program, ENOEXEC):
            self.init(
                code: 126, "\(program): \(Self.text(ENOEXEC))",
                hint: "if it is a script, start it with its interpreter, as in: … -- sh \(program)")
        case .notRunnable(let program, let number):
            let isPlain =
                DurableFile.status(of: FilePath(program)).map { $0.st_mode & (S_IFMT | 0o111) == S_IFREG } ?? false
            self.init(
                code: 126, "\(program): \(Self.text(number))",
                hint: number == EACCES && isPlain ? "make it executable with chmod +x, if it is to be run" : nil)
        }
    }

    /// The process of an agent that is there, and may hang.
    private static var agentProcess: Int32? { AgentClient.listener(at: Places.agent())?.process }

    private init(agent error: AgentFailure) {
        switch error {
        case .ended, .noAnswer:
            self.init(
                .unavailable, error.text,
                hint: Self.agentProcess.map {
                    "end it with 'kill -KILL \($0)', and unlock again with '\(Process.name) unlock'"
                }
                    ?? "unlock again with '\(Process.name) unlock'")
        case .notStarted(let number): self.init(.unavailable, "\(error.text): \(Self.text(number))")
        case .place(.folder(let path, let defect)):
            self.init(
                .notAllowed, "\(error.text): \(path) \(defect.rawValue)",
                hint: defect == .open
                    ? "chmod 700 \(path)"
                    : "set XDG_RUNTIME_DIR to a folder of your own, or move what is there out of the way")
        case .place(.system(let operation, let path, let number)):
            self.init(.unavailable, "\(error.text): \(operation) \(path): \(Self.text(number))")
        case .place(.tooLong(let path)):
            self.init(
                .setting, "\(error.text): \(path) is too long for a socket",
                hint: "set XDG_RUNTIME_DIR to a shorter path")
        }
    }

    /// The system's words for an error number.
    static func text(_ number: Int32) -> String {
        unsafe String(cString: strerror(number)).lowercasedFirst
    }
}

extension String {
    var lowercasedFirst: String { prefix(1).lowercased() + dropFirst() }
}
