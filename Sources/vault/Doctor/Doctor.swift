internal import SystemPackage
internal import VaultFile

/// Looks at everything that could make the secrets less safe or the vault less usable. What one check comes upon never
/// keeps another one from its work.
struct Doctor {
    private var findings: [Finding] = []

    /// What there is to say, in an order that begins with the system and ends with the vault's content.
    ///
    /// - Throws: ``Failure`` for options that make no sense, and when the person at the terminal ends it.
    static func findings(_ access: Access) throws -> [Finding] {
        var access = access
        access.takesLooseIdentity = true
        let agent = AgentChecks()
        // That was waited for once.
        access.usesAgent = agent.answers
        let source = IdentitySource(access)
        for check in [
            { _ = try Session.path(access) }, { _ = try Session.givenPin(access) }, { _ = try source.files() },
        ] { try refuseUsage(check) }

        var doctor = Doctor()
        let files = try? source.files()
        let path = try? Session.path(access)
        doctor.findings += PermissionChecks.findings(vault: path, identities: files?.paths ?? [])
        doctor.findings += PermissionChecks.state()
        doctor.findings += ProcessChecks.core()
        doctor.findings += ProcessChecks.environment()
        doctor.findings += agent.findings
        if let files { doctor.findings += IdentityChecks.findings(files.paths, isDefault: files.isDefault, source) }
        try doctor.examineVault(access, source)
        // At the end, when as many secrets have been in memory as there will be.
        doctor.findings += ProcessChecks.memory()
        return doctor.findings
    }

    private static func refuseUsage(_ body: () throws -> Void) throws {
        do { try body() } catch {
            if Failure(error).status == Status.usage.rawValue { throw error }
        }
    }

    /// Opens the vault like any other verb, and looks at all that is in it.
    private mutating func examineVault(_ access: Access, _ source: IdentitySource) throws {
        var clock = ClockCheck()
        defer { findings.append(clock.finding) }
        var check = Finding.Check.vault
        do {
            let path = try Session.existingPath(access)
            check = .identity
            let loaded = try source.load()
            check = .vault
            let trust = try Session.trust(access, path, loaded)
            let session = Session(access, path: path, loaded: loaded, trust: trust)
            let reader = try session.vault.open()
            findings += IdentityChecks.findings(reader, session)
            findings.append(
                Finding(
                    .vault, .ok,
                    "\(reader.id) is the one trusted by \(trust.origin); generation \(reader.generation), roster "
                        + "\(reader.rosterVersion)"))
            if let written = reader.written { clock.compare(written, "the vault was written") }
            let tokens = TokenChecks(reader, backup: session.vault.backup)
            findings += tokens.findings
            if let (name, moment) = tokens.newest { clock.compare(moment, "\(name) was changed") }
            findings += BackupChecks.findings(reader, session.vault)
            findings += RemoteChecks.findings(path, reader)
        } catch let needed as PassphraseNeeded {
            findings.append(
                Finding(
                    .identity, .todo, "\(needed.path) is locked, so that the vault's records were not looked at",
                    hint: "'\(Process.name) unlock' first, or give the passphrase as to any other verb"))
        } catch let error as VaultError where [.noMatch, .noMatchElsewhere].contains(error) {
            findings.append(Finding(.identity, error))
        } catch let failure as Failure where failure.status > 128 {
            throw failure
        } catch {
            findings.append(Finding(check, error))
        }
    }
}
