internal import ChildProcess
internal import Glibc
internal import Injection
internal import Redaction
internal import Resources
internal import Sodium
internal import VaultFile

extension ExecRequest {
    /// Does what is asked, and becomes the command: returns only after `--dry-run`.
    func run() throws {
        let arguments = try CommandArguments(from: commandStart)
        let names = try resourceNames()
        let minimum = try minTTL.map { try Expiry.duration($0, option: "--min-ttl") } ?? 0
        let templated = try noTemplate ? arguments.plain() : arguments.templated(for: names)

        let session = try Session(access)
        let tokens = try TokenSet(names, session)
        for resource in tokens.resources { try Expiry.check(resource, minimum: minimum, allowsExpired: allowExpired) }
        try tokens.refuse(in: arguments)
        // Behind the guard: what is not found is named, and that must not be a token.
        let program = try arguments.program()

        var plan = LaunchPlan(tokens: tokens)
        if !noEnvironment { try plan.addVariables() }
        let argumentFiles = try templated.files.map { try plan.path(of: $0.variable, resource: $0.resource) }
        session.finish()

        if dryRun { return try describe(program, plan) }
        var environment = Environment()
        let added = plan.variableNames
        let isWithheld = Variables.unlocking.contains { Variables.isSet($0) && !kept.contains($0) }
        environment.remove { name in
            if added.contains(name) || name == Variables.withheldMark { return true }
            if Variables.unlocking.contains(name) { return !kept.contains(name) }
            return cleanEnvironment && !Environment.cleanNames.contains(name) && !kept.contains(name)
        }
        if isWithheld, !noEnvironment, !cleanEnvironment { plan.add(Variables.withheldMark, "1") }
        Process.restoreSignals()
        let rendered = unsafe templated.rendered(with: argumentFiles)
        if noMask { throw unsafe plan.launch(program, arguments: rendered, environment: environment) }
        let relay = try unsafe plan.relay(program, arguments: rendered, environment: environment)
        let outcome = relay.run()
        if let number = outcome.writeError { throw Failure(.io, "writing the output: \(Failure.text(number))") }
        outcome.ending.finish()
    }

    private func resourceNames() throws -> [RecordName] {
        let names = try names.utf8.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false).map {
            try RecordName.parse(String(Substring($0)))
        }
        guard names.areUnique else { throw Failure(.usage, "a resource is named twice") }
        return names
    }

    private func describe(_ program: [CChar], _ plan: borrowing LaunchPlan) throws {
        let path = String(decoding: program.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        var text = "would run \(Messages.visible(path))\n"
        for name in plan.variableNames { text += "variable \(name)\n" }
        for resource in plan.resources {
            for header in resource.headers { text += "header \(header.name) of \(resource.name)\n" }
        }
        try Output.write(text)
    }
}

/// The resources of one launch with their tokens.
struct TokenSet: ~Copyable {
    let resources: [Resource]
    /// All tokens, one behind the other, in one guarded region.
    private let values: SecretBuffer
    private let ranges: [Range<Int>]

    init(_ names: [RecordName], _ session: Session) throws {
        var reader = try session.vault.open()
        var resources: [Resource] = []
        var values = SecretBuffer()
        var ranges: [Range<Int>] = []
        for name in names {
            let record = try Session.record(named: name, in: &reader)
            let start = values.count
            record.withToken { values.append($0) }
            ranges.append(start..<values.count)
            resources.append(record.resource)
        }
        self.resources = resources
        self.values = values
        self.ranges = ranges
    }

    func withToken<R: ~Copyable, E: Error>(_ number: Int, _ body: (Span<UInt8>) throws(E) -> R) throws(E) -> R {
        let range = ranges[number]
        return try values.withBytes { (bytes) throws(E) -> R in try body(bytes.extracting(range)) }
    }

    /// Refuses a token, or an encoded form of one, among the arguments: everybody on the machine can read those.
    func refuse(in arguments: CommandArguments) throws {
        let isWorthwhile = arguments.indices.contains { index in
            arguments.withArgument(index) { $0.count >= Needles.minimumSize }
        }
        guard isWorthwhile else { return }
        var needles = Needles()
        for number in resources.indices { withToken(number) { needles.add($0, number: number) } }
        for number in arguments.indices {
            guard let found = arguments.withArgument(number, { needles.first(in: $0) }) else { continue }
            let form = found.form == .raw ? "" : ", as \(found.form.rawValue)"
            throw Failure(
                .usage,
                "argument \(number) of the command has the token of \(resources[found.number].name) in it\(form)",
                hint: "everybody can read arguments; use -H @{{headers}}, and rotate this token")
        }
    }
}

/// What the command gets: variables, and files with headers.
struct LaunchPlan: ~Copyable {
    private let tokens: TokenSet
    /// `NAME=value` and a zero byte, one behind the other.
    fileprivate var variables = SecretBuffer()
    fileprivate var starts: [Int] = []
    private(set) var variableNames: [String] = []
    private var files: [HeaderFile] = []

    init(tokens: consuming TokenSet) { self.tokens = tokens }

    var resources: [Resource] { tokens.resources }

    /// A file with headers, open for the command to inherit.
    private final class HeaderFile {
        let variable: Template.Variable
        let resource: Int
        let file: SealedFile

        init(_ variable: Template.Variable, _ resource: Int, _ file: consuming SealedFile) {
            self.variable = variable
            self.resource = resource
            self.file = file
        }
    }

    /// Adds the variables of all resources.
    mutating func addVariables() throws {
        for (number, resource) in resources.enumerated() {
            for variable in try resource.environment() {
                guard !variableNames.contains(variable.name) else { throw clash(over: variable.name, with: resource) }
                let used = variable.value.variables
                let headers = try used.contains(.headers) ? path(of: .headers, resource: number) : ""
                let curlConfig = try used.contains(.curlConfig) ? path(of: .curlConfig, resource: number) : ""
                begin(variable.name)
                tokens.withToken(number) { token in
                    HeaderRenderer.append(variable.value, of: resource, token: token, to: &variables) {
                        $0 == .headers ? headers : curlConfig
                    }
                }
                variables.append("\0")
            }
        }
    }

    private func clash(over name: String, with resource: Resource) -> Failure {
        let owner = resources.first { $0.listedEnvironment.contains { $0.name == name } } ?? resource
        return Failure(
            .usage, "both \(owner.name) and \(resource.name) set the variable \(name)",
            hint: "give one of them another with '\(Process.name) edit \(resource.name) --env …'")
    }

    /// Adds a variable that is no secret.
    mutating func add(_ name: String, _ value: String) {
        begin(name)
        variables.append(text: value)
        variables.append("\0")
    }

    private mutating func begin(_ name: String) {
        variableNames.append(name)
        starts.append(variables.count)
        variables.append(text: "\(name)=")
    }

    /// The path of a resource's file with headers, which is made when it is first asked for.
    mutating func path(of variable: Template.Variable, resource number: Int) throws -> String {
        if let file = files.first(where: { $0.variable == variable && $0.resource == number }) { return file.file.path }
        let resource = resources[number]
        // The content is put together behind the variables, and taken away again: one region less.
        let start = variables.count
        defer { variables.truncate(to: start) }
        tokens.withToken(number) { token in
            if variable == .curlConfig {
                CurlConfig.append(resource, token: token, to: &variables)
            } else {
                HeaderRenderer.appendLines(resource, token: token, to: &variables)
            }
        }
        do throws(SealedFile.Failure) {
            let file = try variables.withBytes { (bytes) throws(SealedFile.Failure) in
                try SealedFile.create(bytes.extracting(droppingFirst: start))
            }
            let path = file.path
            files.append(HeaderFile(variable, number, file))
            return path
        } catch {
            throw Failure(.io, "making a file for the headers: \(Failure.text(error.errno))")
        }
    }

    /// Becomes the command. Returns only when that fails.
    @unsafe
    borrowing func launch(
        _ program: [CChar], arguments: [UnsafePointer<CChar>], environment: borrowing Environment
    ) -> Launch.Failure {
        let inherited = unsafe environment.variables
        return variables.withBytes { bytes in
            unsafe bytes.withUnsafeBytes { bytes in
                guard let base = unsafe bytes.baseAddress?.assumingMemoryBound(to: CChar.self) else {
                    return unsafe Launch.replaceProcess(with: program, arguments: arguments, environment: inherited)
                }
                let added = unsafe starts.map { unsafe base + $0 }
                return unsafe Launch.replaceProcess(
                    with: program, arguments: arguments, environment: inherited + added)
            }
        }
    }
}

extension LaunchPlan {
    /// Starts the command as a child.
    @unsafe
    borrowing func relay(
        _ program: [CChar], arguments: [UnsafePointer<CChar>], environment: borrowing Environment
    ) throws -> Relay {
        let inherited = unsafe environment.variables
        return try variables.withBytes { (bytes) throws(Relay.Failure) in
            try unsafe bytes.withUnsafeBytes { (bytes) throws(Relay.Failure) in
                var all = unsafe inherited
                if let base = unsafe bytes.baseAddress?.assumingMemoryBound(to: CChar.self) {
                    for start in starts { unsafe all.append(base + start) }
                }
                return try unsafe Relay.start(
                    program: program, arguments: arguments, environment: all, filter: { _, _ in PassThrough() },
                    forget: {})
            }
        }
    }
}

/// Changes nothing.
private final class PassThrough: OutputFilter {
    func process(_ input: Span<UInt8>, _ emit: (Span<UInt8>) -> Void) { emit(input) }
    func finish(_ emit: (Span<UInt8>) -> Void) {}
}
