internal import ChildProcess
internal import Glibc
internal import Remotes
internal import SystemPackage
internal import VaultFile

/// Following a store for as long as the process runs.
struct Watch: ~Copyable {
    /// A program that was found, with its arguments.
    struct Program {
        let path: [CChar]
        let arguments: TemplatedArguments
    }

    private let session: Session
    private let store: any Store
    private let synchronizer: Synchronizer
    private let interval: Int
    private let command: Program?

    private var running: CompanionProcess?
    /// The vault file that the command was last run for, or that was there at the start.
    private var seen: FileMark?
    /// What was told last of what keeps the vault from following the store.
    private var complaint: String?
    /// How often in a row the store could not be followed.
    private var failures = 0
    /// How often in a row a store that answers could not be waited for.
    private var brokenWaits = 0

    /// The shortest and the longest pause before the store is tried again, in milliseconds.
    private static let pauses = 500...30_000
    /// How long the command may take to end when this process is ended, in seconds.
    private static let farewell = 3

    init(
        _ session: Session, _ store: any Store, _ synchronizer: Synchronizer, interval: Int, command: Program?
    ) {
        self.session = session
        self.store = store
        self.synchronizer = synchronizer
        self.interval = interval
        self.command = command
    }

    /// Follows the store until a signal ends it.
    ///
    /// - Throws: What kept the vault from following it at the first look, where that is for somebody to change: a setting,
    ///   or what is not allowed. Later it is only told.
    mutating func run() throws {
        Interruption.begin()
        seen = FileMark(of: session.vault.path)
        if let failure = fetch() {
            if [Status.notAllowed, .setting].contains(where: { $0.rawValue == failure.status }) { throw failure }
            tell(failure)
        }
        while true {
            runCommandIfChanged()
            wait()
            endIfAsked()
            if let failure = fetch() { tell(failure) }
        }
    }

    /// Fetches what the store has.
    ///
    /// - Returns: Why that failed.
    private mutating func fetch() -> Failure? {
        store.limit(seconds: Remote.longPatience)
        do {
            _ = try synchronizer.pull()
            if complaint != nil { Messages.note("the vault follows the store again", unless: session.access.quiet) }
            (complaint, failures) = (nil, 0)
            return nil
        } catch {
            endIfAsked()
            failures += 1
            return Failure(error)
        }
    }

    /// Tells what keeps the vault from following the store, once.
    private mutating func tell(_ failure: Failure) {
        guard failure.message != complaint else { return }
        complaint = failure.message
        Messages.print(failure.message, hints: failure.hints)
    }

    /// Waits for the next reason to look into the store, or for the end of the command.
    private mutating func wait() {
        endIfAsked()
        if failures > 0 { return pause(failures, longest: Self.pauses.upperBound) }
        store.limit(seconds: nil)
        do throws(StoreError) {
            let isRunning = running != nil
            _ = try synchronizer.waitForChange(seconds: interval) { !isRunning || running?.poll() == nil }
            brokenWaits = 0
        } catch {
            // That a stream broke off is no trouble as long as the store answers. One that breaks off each time is begun
            // ever more seldom, until the store is only looked into as often as it is asked for.
            endIfAsked()
            brokenWaits += 1
            pause(brokenWaits, longest: interval * 1000)
        }
    }

    /// Pauses after the `count`th failure in a row, up to `longest` milliseconds.
    private mutating func pause(_ count: Int, longest: Int) {
        let longest = min(longest, Self.pauses.lowerBound << min(count - 1, 20))
        let end = Int.random(in: longest / 2...longest)
        for _ in 0..<max(1, end / 50) {
            usleep(50_000)
            endIfAsked()
            if running != nil { runCommandIfChanged() }
        }
    }

    /// Runs the command where the vault is another one than when it was last run. One at a time: what changes meanwhile
    /// is reason for one more run.
    private mutating func runCommandIfChanged() {
        guard let command else { return }
        if let ending = running?.poll() {
            running = nil
            switch ending {
            case .exited(0): break
            case .exited(let code): Messages.print("the command failed with exit code \(code)")
            case .signaled(let number): Messages.print("the command was ended by signal \(number)")
            }
        }
        let mark = FileMark(of: session.vault.path)
        guard running == nil, let mark, mark != seen else { return }
        seen = mark
        var environment = Environment()
        environment.remove { Variables.secrets.contains($0) }
        do throws(Launch.Failure) {
            running = try unsafe CompanionProcess(
                command.path, arguments: command.arguments.rendered(with: []), environment: environment)
        } catch {
            Messages.print(Failure(error).message)
            return
        }
        // Most commands are short.
        for _ in 0..<100 {
            usleep(10_000)
            endIfAsked()
            if running?.poll() != nil { return runCommandIfChanged() }
        }
    }

    /// Ends as the signal that came asks for, and the command before.
    private mutating func endIfAsked() {
        guard let number = Interruption.signal else { return }
        if let command = running.take() { command.end(within: Self.farewell) }
        Ending.signaled(number).finish()
    }
}

/// What tells a file from the one that takes its place.
private struct FileMark: Equatable {
    private let device: dev_t
    private let node: ino_t
    private let size: off_t
    private let seconds: Int
    private let nanoseconds: Int

    /// Nil when there is no file.
    init?(of path: FilePath) {
        guard let status = DurableFile.status(of: path) else { return nil }
        (device, node, size) = (status.st_dev, status.st_ino, status.st_size)
        (seconds, nanoseconds) = (status.st_mtim.tv_sec, status.st_mtim.tv_nsec)
    }
}
