internal import ChildProcess
internal import Injection
internal import Redaction
internal import Resources
internal import Sodium

/// What the command gets: variables, and files with headers.
struct LaunchPlan: ~Copyable {
    let tokens: TokenSet
    /// `NAME=value` and a zero byte, one behind the other.
    private var variables = SecretBuffer()
    private var starts: [Int] = []
    private(set) var variableNames: [String] = []
    private var files: [HeaderFile] = []
    private var configs: [Config] = []
    /// The numbers of the resources whose tokens the command gets.
    private var handedOut: [Int] = []

    init(tokens: consuming TokenSet) { self.tokens = tokens }

    var resources: [Resource] { tokens.resources }

    /// The names of the resources whose tokens the command gets.
    var handedOutNames: [String] {
        resources.indices.filter(handedOut.contains).map { "\(resources[$0].name)" }
    }

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

    /// A config that is read once, open for the command to inherit.
    private final class Config {
        let pipe: FilledPipe

        init(_ pipe: consuming FilledPipe) { self.pipe = pipe }
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
                if variable.value.isSecret { handedOut.append(number) }
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
        return Failure(bothSet: name, owner.name, resource.name)
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
        if resource.headers.contains(where: \.value.isSecret) { handedOut.append(number) }
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

    /// The paths of configs for a curl whose command line was read, and found fit for these headers.
    ///
    /// Each can be read once. curl reads it before any of the options behind it, which could name it as a file to send.
    mutating func curlConfigs(for injection: CurlCommandLine.Injection) throws -> [String] {
        let resource = resources[injection.resource]
        if resource.headers.contains(where: \.value.isSecret) { handedOut.append(injection.resource) }
        let start = variables.count
        defer { variables.truncate(to: start) }
        variables.append(text: injection.options)
        tokens.withToken(injection.resource) { CurlConfig.append(resource, token: $0, to: &variables) }
        do throws(FilledPipe.Failure) {
            for _ in 0...injection.resets.count {
                let pipe = try variables.withBytes { (bytes) throws(FilledPipe.Failure) in
                    try FilledPipe.create(bytes.extracting(droppingFirst: start))
                }
                configs.append(Config(pipe))
            }
        } catch {
            throw Failure(.io, "making a config for curl: \(Failure.text(error.errno))")
        }
        return configs.map { $0.pipe.path }
    }

    /// Becomes the command. Returns only when that fails.
    @unsafe
    borrowing func launch(
        _ program: [CChar], arguments: [UnsafePointer<CChar>], environment: borrowing Environment
    ) -> Launch.Failure {
        unsafe withVariables(and: environment) { all in
            unsafe Launch.replaceProcess(with: program, arguments: arguments, environment: all)
        }
    }

    /// Starts the command as a child whose output passes through `masks`.
    @unsafe
    borrowing func relay(
        _ program: [CChar], arguments: [UnsafePointer<CChar>], environment: borrowing Environment,
        through masks: OutputMasks
    ) throws(Relay.Failure) -> Relay {
        try unsafe withVariables(and: environment) { (all) throws(Relay.Failure) in
            try unsafe Relay.start(
                program: program, arguments: arguments, environment: all, filter: masks.filter,
                forget: SecretMemory.overwriteAll)
        }
    }

    /// What masks the tokens in the command's output.
    func masks() -> OutputMasks {
        var needles = TokenNeedles()
        for (number, resource) in resources.enumerated() {
            tokens.withToken(number) { needles.add($0, of: resource) }
        }
        return OutputMasks(needles)
    }

    @unsafe
    private borrowing func withVariables<R: ~Copyable, E: Error>(
        and environment: borrowing Environment, _ body: ([UnsafePointer<CChar>]) throws(E) -> R
    ) throws(E) -> R {
        let inherited = unsafe environment.variables
        return try variables.withBytes { (bytes) throws(E) -> R in
            try unsafe bytes.withUnsafeBytes { (bytes) throws(E) -> R in
                guard let base = unsafe bytes.baseAddress?.assumingMemoryBound(to: CChar.self) else {
                    return try unsafe body(inherited)
                }
                return try unsafe body(inherited + starts.map { unsafe base + $0 })
            }
        }
    }
}
