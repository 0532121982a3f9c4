internal import CLinux
internal import Glibc
internal import Resources
internal import Sodium
internal import VaultFile

/// What the system lets a process of this user keep to itself.
enum ProcessChecks {
    /// Whether secrets can be locked in memory.
    static func memory() -> [Finding] {
        // As much as an 'exec' with a few resources has at once.
        _ = SecretBytes(zeros: 256 << 10)
        if SecretMemory.isLocked { return [Finding(.memory, .ok, "secrets are kept out of swap")] }
        let limit = limit(of: __RLIMIT_MEMLOCK).map { "the limit is \($0 >> 10) KiB" } ?? "the system refuses"
        return [
            Finding(
                .memory, .todo, "secrets cannot be locked in memory, so that they may reach swap: \(limit)",
                hint: "raise it with 'ulimit -l', in /etc/security/limits.conf (memlock), or for a service of systemd "
                    + "with LimitMEMLOCK=8M")
        ]
    }

    /// Whether memory can end in a file.
    static func core() -> [Finding] {
        var findings = [
            clinux_dumpable() == 0
                ? Finding(.core, .ok, "\(Process.name) itself leaves no core file, and nobody can attach to it")
                : Finding(
                    .core, .todo, "the system does not let \(Process.name) forbid core files of itself",
                    hint: "ulimit -c 0; and see which filter of system calls refuses prctl(PR_SET_DUMPABLE)")
        ]
        if limit(of: RLIMIT_CORE) != 0 {
            findings.append(
                Finding(
                    .core, .note, "a command that gets a token and crashes may leave it in a core file",
                    hint: "ulimit -c 0, in the shell that starts it"))
        }
        return findings
    }

    /// The limit on a resource; nil when there is none.
    private static func limit(of resource: __rlimit_resource) -> rlim_t? {
        var limits = rlimit()
        guard unsafe getrlimit(__rlimit_resource_t(resource.rawValue), &limits) == 0, limits.rlim_cur != rlim_t.max
        else {
            return nil
        }
        return limits.rlim_cur
    }

    /// Whether a shell has what unlocks the vault among its variables.
    static func environment() -> [Finding] {
        let set = Variables.unlocking.filter { Variables.isSet($0) }
        guard !set.isEmpty else {
            return [Finding(.environment, .ok, "neither a key nor a passphrase is among the variables")]
        }
        let names = set.joined(separator: " and ")
        // A machine has no other way, and no other programs.
        guard isatty(2) == 1 else { return [Finding(.environment, .ok, "\(names), as a machine has it")] }
        return [
            Finding(
                .environment, .note, "every program that this shell starts gets \(names)",
                hint: "name a file by VAULT_IDENTITY_FILE instead, or use '\(Process.name) unlock'")
        ]
    }
}

/// Whether the time can be trusted, on which it depends what has expired.
struct ClockCheck {
    private let now: Timestamp
    private var latest: (moment: Timestamp, what: String)?

    /// How far the clocks of two machines may be apart, in seconds.
    private static let tolerance = 300
    /// The start of 2026, before which no program could have written a vault.
    private static let earliest = Timestamp(seconds: 1_767_225_600)

    /// A check of a clock that says `now`.
    init(now: Timestamp = .now) { self.now = now }

    /// Takes a moment that has been.
    mutating func compare(_ moment: Timestamp, _ what: String) {
        if latest.map({ $0.moment < moment }) ?? true { latest = (moment, what) }
    }

    var finding: Finding {
        let hint = "set the clock, as with 'timedatectl set-ntp true': until then nothing that expires can be relied on"
        if let latest, latest.moment.seconds > now.seconds + Self.tolerance {
            return Finding(
                .clock, .todo, "it is \(now) by the clock, but \(latest.what) on \(latest.moment)", hint: hint)
        }
        if now < Self.earliest { return Finding(.clock, .todo, "it is \(now) by the clock", hint: hint) }
        return Finding(.clock, .ok, "it is \(now)")
    }
}
