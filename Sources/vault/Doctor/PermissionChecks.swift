internal import Glibc
internal import SystemPackage
internal import VaultFile

/// Who else can read or replace the files.
enum PermissionChecks {
    /// The files of the vault and of what opens it.
    ///
    /// - Parameters:
    ///   - vault: The path of the vault, where there is one.
    ///   - identities: The paths of the identity files.
    /// - Returns: What others can do, or one finding that says that they can do nothing.
    static func findings(vault: FilePath?, identities: [String]) -> [Finding] {
        var findings: [Finding] = []
        if let vault {
            let file = DurableFile.target(of: vault)
            findings += folder(file.removingLastComponent(), "the vault")
            findings += writable(file, "put an older vault in its place")
        }
        if let known = Places.knownVaults().map({ FilePath($0) }) {
            findings += folder(known.removingLastComponent(), "the identity, and which vaults are trusted")
            findings += writable(known, "have another vault trusted")
        }
        for path in identities { findings += identity(path) }
        return findings.isEmpty
            ? [Finding(.permissions, .ok, "nobody else can read or replace what is yours")] : findings
    }

    /// Where it is remembered what was seen and done.
    static func state() -> [Finding] {
        guard let folder = Places.state() else {
            return [
                Finding(
                    .state, .note,
                    "there is no home folder: nothing is remembered here, and an older copy of a vault "
                        + "would not be noticed",
                    hint: "set HOME or XDG_STATE_HOME, or a VAULT_ID with a version, vault1…:N"
                )
            ]
        }
        var findings = self.folder(FilePath(folder), "what was seen of a vault")
        if Places.isWritable(folder) {
            findings.append(Finding(.state, .ok, "an older copy of a vault that was seen here would be noticed"))
        } else {
            findings.append(
                Finding(
                    .state, .note,
                    "\(folder): \(Failure.text(errno)): nothing is remembered here, and an older copy "
                        + "of a vault would not be noticed", hint: "use a VAULT_ID with a version, vault1…:N"))
        }
        guard let problem = TrailFile(folder: folder).problem() else {
            findings.append(Finding(.trail, .ok, "each use of a token is written down"))
            return findings
        }
        findings.append(Finding(.trail, .note, "the use of tokens is not written down: \(problem.text)"))
        return findings
    }

    /// A folder in which others can put something else in the place of a file.
    private static func folder(_ folder: FilePath, _ what: String) -> [Finding] {
        let folder: FilePath = folder.isEmpty ? "." : folder
        guard let status = DurableFile.status(of: folder), status.st_mode & S_ISVTX == 0 else { return [] }
        return writable(status, folder, "replace \(what)")
    }

    private static func writable(_ path: FilePath, _ what: String) -> [Finding] {
        DurableFile.status(of: path).map { writable($0, path, what) } ?? []
    }

    private static func writable(_ status: stat, _ path: FilePath, _ what: String) -> [Finding] {
        if status.st_mode & S_IWOTH != 0 {
            return [
                Finding(
                    .permissions, .todo, "\(path): everybody on this machine can \(what)", hint: "chmod o-w \(path)")
            ]
        }
        // As people who share a vault may want it.
        guard DurableFile.isWritableByGroup(status) else { return [] }
        return [
            Finding(
                .permissions, .note, "\(path): its group can \(what)",
                hint: "if that is not meant so: chmod g-w \(path)")
        ]
    }

    private static func identity(_ path: String) -> [Finding] {
        guard let status = DurableFile.status(of: FilePath(path)), status.st_mode & S_IFMT == S_IFREG else { return [] }
        if isMountedSecret(path) { return [] }
        guard status.st_mode & 0o077 != 0 else { return [] }
        return [
            Finding(.permissions, .todo, "the identity file \(path) can be read by others", hint: "chmod 600 \(path)")
        ]
    }

    /// Whether it lies where systemd or a container has its secrets, whose permissions are nobody's here to choose.
    private static func isMountedSecret(_ path: String) -> Bool {
        let file = DurableFile.target(of: FilePath(path))
        return ["/run/secrets", Variables.text("CREDENTIALS_DIRECTORY")].compactMap { $0 }.contains { folder in
            file.starts(with: DurableFile.target(of: FilePath(folder)))
        }
    }
}
