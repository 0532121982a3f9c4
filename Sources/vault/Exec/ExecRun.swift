internal import ChildProcess
internal import Glibc
internal import Injection
internal import Redaction
internal import Resources
internal import Sodium
internal import VaultFile

extension ExecRequest {
    /// Does what is asked: becomes the command, or waits for it and ends as it does. Returns only after `--dry-run`.
    func run() throws {
        // What unlocks the vault is gone when the command runs.
        var trail = Trail(ExecCommand.verb, access)
        let relayed: Relayed?
        do {
            relayed = try start(&trail)
        } catch {
            // Signals may be the command's by now: a limit on the size of files must not end this before the error is told.
            signal(SIGXFSZ, SIG_IGN)
            trail.append(Trail.Outcome(error))
            throw error
        }
        guard let relayed else { return }
        let outcome = relayed.relay.run()
        if let number = outcome.writeError { throw Failure(.io, "writing the output: \(Failure.text(number))") }
        let count = relayed.masks.countInOutput
        if count > 0 {
            let times = count == 1 ? "once" : "\(count) times"
            Messages.note("a secret was masked \(times) in standard output", unless: access.quiet)
        }
        outcome.ending.finish()
    }

    /// A command that runs as a child.
    private struct Relayed: ~Copyable {
        let relay: Relay
        let masks: OutputMasks
    }

    /// Starts the command as a child, or becomes it. Nil after `--dry-run`.
    private func start(_ trail: inout Trail) throws -> Relayed? {
        let arguments = try CommandArguments(from: commandStart)
        let names = try resourceNames()
        let minimum = try minTTL.map { try Expiry.duration($0, option: "--min-ttl") } ?? 0
        let maximumAge = try maxAge.map { try Expiry.duration($0, option: "--max-age") }
        var templated = try noTemplate ? arguments.plain() : arguments.templated(for: names)
        if !noMask, !dryRun { try Self.refuseNotifications() }

        let session = try Session(access)
        if let maximumAge, !dryRun { try Remote.refresh(session, olderThan: maximumAge) }
        let tokens = try TokenSet(names, session)
        if !dryRun { trail.asked = names.map(\.description) }
        for resource in tokens.resources { try Expiry.check(resource, minimum: minimum, allowsExpired: allowExpired) }
        try tokens.refuse(in: arguments)
        // Behind the guard: what is not found is named, and that must not be a token.
        let program = try arguments.program()
        trail.take(program: program)

        let treatment =
            try noInjection
            ? .other
            : CurlLaunch.treatment(
                arguments, hasTemplates: !templated.files.isEmpty, for: tokens.resources, quiet: access.quiet)
        if case .headers(let injection) = treatment {
            try tokens.withToken(injection.resource) { try CurlLaunch.check(injection, size: $0.count) }
            if injection.followsRedirects, !dryRun { try CurlLaunch.checkVersion(of: program) }
        }

        var plan = LaunchPlan(tokens: tokens)
        switch treatment {
        case .other:
            if !noEnvironment { try plan.addVariables() }
        case .headers(let injection):
            let configs = try plan.curlConfigs(for: injection)
            try CurlLaunch.refuse(configs.dropFirst(), in: arguments)
            templated = templated.readingCurlConfigs(configs, resets: injection.resets)
        case .information: templated = templated.readingCurlConfigs([], resets: [])
        }
        let argumentFiles = try templated.files.map { try plan.path(of: $0.variable, resource: $0.resource) }
        session.finish()

        if dryRun {
            try describe(program, plan, treatment)
            return nil
        }
        let environment = environment(for: &plan)
        let isTold = ciMask && ContinuousIntegration.mask(plan.tokens, quiet: access.quiet)
        trail.append(.ok, of: isTold ? trail.asked : plan.handedOutNames)
        Process.restoreSignals()
        let rendered = unsafe templated.rendered(with: argumentFiles)
        if noMask { throw unsafe plan.launch(program, arguments: rendered, environment: environment) }
        for name in Variables.secrets where !kept.contains(name) { Environment.overwriteValue(of: name) }
        let masks = plan.masks()
        let relay = try unsafe plan.relay(program, arguments: rendered, environment: environment, through: masks)
        return Relayed(relay: relay, masks: masks)
    }

    /// What the command gets of this process's variables.
    private func environment(for plan: inout LaunchPlan) -> Environment {
        var environment = Environment()
        let added = plan.variableNames
        let isWithheld = Variables.unlocking.contains { Variables.isSet($0) && !kept.contains($0) }
        environment.remove { name in
            if added.contains(name) || name == Variables.withheldMark { return true }
            if Variables.secrets.contains(name) { return !kept.contains(name) }
            return cleanEnvironment && !Environment.cleanNames.contains(name) && !kept.contains(name)
        }
        if isWithheld, !noEnvironment, !cleanEnvironment { plan.add(Variables.withheldMark, "1") }
        return environment
    }

    /// systemd speaks to the process that it started, and to no child of it.
    private static func refuseNotifications() throws {
        for name in ["NOTIFY_SOCKET", "LISTEN_PID"] where Variables.isSet(name) {
            throw Failure(
                .usage,
                "systemd waits for this process itself (\(name) is set), and masking would put another one in between",
                hint: "use --no-mask, with which the command takes its place")
        }
    }

    private func resourceNames() throws -> [RecordName] {
        let names = try names.utf8.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false).map {
            try RecordName.parse(String(Substring($0)))
        }
        guard names.areUnique else { throw Failure(.usage, "a resource is named twice") }
        return names
    }

    private func describe(
        _ program: [CChar], _ plan: borrowing LaunchPlan, _ treatment: CurlLaunch.Treatment
    ) throws {
        let path = String(decoding: program.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        var text = "would run \(Messages.visible(path))\n"
        for name in plan.variableNames { text += "variable \(name)\n" }
        for (number, resource) in plan.resources.enumerated() {
            switch treatment {
            case .headers(let injection) where injection.resource != number: continue
            case .information: continue
            default: break
            }
            for header in resource.headers { text += "header \(header.name) of \(resource.name)\n" }
        }
        try Output.write(text)
    }
}
