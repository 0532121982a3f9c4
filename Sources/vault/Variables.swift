internal import Glibc
internal import Sodium
internal import SystemPackage
internal import UnlockAgent
internal import VaultFile

/// The environment that the program was started with.
enum Variables {
    /// A variable that is no secret; nil also when it is empty.
    static func text(_ name: String) -> String? {
        guard let value = unsafe getenv(name), unsafe value.pointee != 0 else { return nil }
        return unsafe String(cString: value)
    }

    /// A variable that is a secret, copied into guarded memory without becoming a `String`; nil also when it is empty.
    static func secret(_ name: String) -> SecretBytes? {
        guard let value = unsafe getenv(name), unsafe value.pointee != 0 else { return nil }
        let count = unsafe strlen(value)
        return SecretBytes(count: count) { output in
            for index in 0..<count { output[index] = unsafe UInt8(bitPattern: value[index]) }
        }
    }

    /// A variable's bytes, which need not be text; nil also when it is empty.
    static func bytes(_ name: String) -> [UInt8]? {
        guard let value = unsafe getenv(name), unsafe value.pointee != 0 else { return nil }
        return unsafe Array(UnsafeRawBufferPointer(start: value, count: strlen(value)))
    }

    /// Whether a variable has a value, which may be a secret: nothing of it is copied.
    static func isSet(_ name: String) -> Bool {
        guard let value = unsafe getenv(name) else { return false }
        return unsafe value.pointee != 0
    }

    /// Whether this is the job of a CI system: what the variable `CI` says.
    static var isCI: Bool {
        guard let ci = text("CI")?.lowercased() else { return false }
        return ci != "0" && ci != "false"
    }

    /// Whether a surrounding `exec` kept to itself what unlocks the vault.
    static var isWithheld: Bool { isSet(withheldMark) && !isSet("VAULT_IDENTITY") }

    /// What is said of that, and of the way out.
    static var withholding: String { "the surrounding '\(Process.name) exec' keeps its own to itself" }
    static let keepIdentityHint =
        "start the surrounding one with --keep VAULT_IDENTITY, or give a file by VAULT_IDENTITY_FILE"

    /// What unlocks a vault and never reaches a child.
    static let unlocking = ["VAULT_IDENTITY", "VAULT_PASSPHRASE"]

    /// What never reaches a child, unless it is asked for: that, and what opens the shared store.
    static let secrets = unlocking + [RemotePassword.variable]

    /// Set for a child that was started without one of these, so that a run inside it can say what is missing.
    static let withheldMark = "VAULT_WITHHELD"
}

/// Where things are when nobody says otherwise (the XDG Base Directory Specification).
enum Places {
    static func vault() throws -> String { try folder("XDG_DATA_HOME", ".local/share") + "/vault.age" }
    static func identity() throws -> String { try folder("XDG_CONFIG_HOME", ".config") + "/identity" }

    // Without a home folder, as in a system service, nothing is known and nothing is remembered.

    static func knownVaults() -> String? { try? folder("XDG_CONFIG_HOME", ".config") + "/known_vaults" }
    static func remotes() -> String? { try? folder("XDG_CONFIG_HOME", ".config") + "/remotes" }
    static func remoteStates() -> String? { state().map { "\($0)/remotes" } }
    static func state() -> String? { try? folder("XDG_STATE_HOME", ".local/state") }

    /// Whether files can be put into a folder, which is made, with those above it, where it is missing; if not, `errno`
    /// has the reason.
    static func isWritable(_ folder: String) -> Bool {
        var place = folder[...]
        while !place.isEmpty, unsafe access(String(place), F_OK) != 0, errno == ENOENT {
            place = place[..<(place.lastIndex(of: "/") ?? place.startIndex)]
        }
        return unsafe access(place + "/.", W_OK | X_OK) == 0
    }

    /// Where the agent is found.
    static func agent() -> AgentPlace { AgentPlace(runtimeFolder: runtimeFolder) }
    /// Where there may be one.
    static func agents() -> [AgentPlace] { AgentPlace.all(runtimeFolder: runtimeFolder) }

    private static var runtimeFolder: String? { Variables.text("XDG_RUNTIME_DIR") }

    /// The program's folder below the one that a variable names, or below the home folder. A relative path is ignored,
    /// as the specification asks.
    private static func folder(_ variable: String, _ fallback: String) throws -> String {
        if let base = Variables.text(variable), base.hasPrefix("/") { return base + "/vault" }
        guard let home = Variables.text("HOME"), home.hasPrefix("/"), !DurableFile.isOutOfReach(FilePath(home)) else {
            throw Failure(
                .setting, "there is no home folder to look in", hint: "set HOME to one that is there, or \(variable)")
        }
        return "\(home)/\(fallback)/vault"
    }
}
