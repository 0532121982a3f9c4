internal import Age
internal import ArgumentParser

/// `exec` as ArgumentParser sees it: for help, completions, and every command line that the short parser leaves to it.
struct ExecCommand: ParsableCommand {
    static let verb = "exec"

    static let configuration = CommandConfiguration(
        commandName: verb, abstract: "Run a command with the tokens of resources.",
        discussion: """
            The command gets the variables of each resource, by default NAME_TOKEN, NAME_HEADERS and NAME_CURL_CONFIG. \
            {{headers}} in an argument becomes the path of a file with the headers, one a line, and {{curl_config}} \
            that of a curl config; with several resources {{headers:NAME}}. The files are in memory, can be read any \
            number of times, and are gone with the command. A token is never in an argument.

            When the command is curl, it gets the headers by itself, and no variable, provided that each URL on its \
            command line lies inside one of the resources; if one does not, or if something else there could lead the \
            token elsewhere, nothing is run. A curl with an authorization of its own, or with {{headers}} or \
            {{curl_config}} among its arguments, is left alone.

            In what the command writes, each token is replaced by [vault:NAME], in all its usual forms. A terminal stays \
            a terminal for the command, and a pipe a pipe.

            Everything after -- is the command; it is found through PATH, and never passes through a shell. Its exit \
            code is that of exec; 125 is a failure of exec itself, 126 a command that cannot be run, 127 one that is \
            not found.
            """)

    @Argument(
        help: ArgumentHelp("The resources, with commas between them.", valueName: "name[,name...]"),
        completion: .custom { _, _, prefix in ResourceNames.complete(list: prefix) })
    var names: String

    @Flag(name: .customLong("clean-env"), help: "Start from PATH HOME USER LANG TERM TZ TMPDIR only.")
    var cleanEnvironment = false

    @Option(
        name: .customLong("keep"),
        help: ArgumentHelp(
            "A variable to keep with --clean-env, or VAULT_IDENTITY; may be repeated.", valueName: "name"))
    var kept: [String] = []

    @Flag(name: .customLong("no-env"), help: "Set no variable; headers only.")
    var noEnvironment = false

    @Flag(name: .customLong("no-template"), help: "Leave {{...}} in arguments as it is.")
    var noTemplate = false

    @Flag(name: .customLong("no-inject"), help: "Treat curl like any other command.")
    var noInjection = false

    @Flag(name: .customLong("no-mask"), help: "Do not mask the output, and become the command.")
    var noMask = false

    @Flag(name: .customLong("ci-mask"), help: "In GitHub Actions, have the runner mask the tokens as well.")
    var ciMask = false

    @Flag(name: .customLong("allow-expired"), help: "Run even when a token is expired.")
    var allowExpired = false

    @Option(
        name: .customLong("min-ttl"),
        help: ArgumentHelp("How long each token must still last, such as 1h.", valueName: "duration"))
    var minTTL: String?

    @Option(
        name: .customLong("max-age"),
        help: ArgumentHelp("Ask the shared store first, if that was longer ago, such as 30s.", valueName: "duration"))
    var maxAge: String?

    @Flag(name: .customLong("dry-run"), help: "Say what would be run, and with which variables; run nothing.")
    var dryRun = false

    @OptionGroup var options: AccessOptions

    @Argument(parsing: .postTerminator, help: ArgumentHelp("The command, after --.", valueName: "command"))
    var command: [String] = []

    func run() throws {
        // The command's bytes are taken from where they came in: here they were decoded as text.
        try request(commandStart: Process.arguments.count - command.count).run()
    }

    /// What is asked for, with the command at that place of the argument vector.
    func request(commandStart: Int) -> ExecRequest {
        var request = ExecRequest(names: names)
        request.cleanEnvironment = cleanEnvironment
        request.kept = kept
        request.noEnvironment = noEnvironment
        request.noTemplate = noTemplate
        request.noInjection = noInjection
        request.noMask = noMask
        request.ciMask = ciMask
        request.allowExpired = allowExpired
        request.minTTL = minTTL
        request.maxAge = maxAge
        request.dryRun = dryRun
        request.access = options.access
        request.commandStart = commandStart
        return request
    }
}

/// What `exec` is asked to do, from either parser.
struct ExecRequest {
    var names: String
    var cleanEnvironment = false
    var kept: [String] = []
    var noEnvironment = false
    var noTemplate = false
    var noInjection = false
    var noMask = false
    var ciMask = false
    var allowExpired = false
    var minTTL: String?
    var maxAge: String?
    var dryRun = false
    var access = Access()
    /// Where the command begins in the process's argument vector.
    var commandStart = 0

    init(names: String) { self.names = names }

    /// Reads the usual command lines without ArgumentParser, whose start alone would cost more than all the rest.
    ///
    /// Takes only what it recognises in full: nil for everything else, which then goes to ``ExecCommand``, so that what
    /// is wrong is said in one place.
    ///
    /// - Parameter arguments: The arguments behind the program's name.
    init?(fast arguments: [String]) {
        guard let end = arguments.firstIndex(of: "--"), end + 1 < arguments.count else { return nil }
        var names: String?
        var request = ExecRequest(names: "")
        var rest = arguments[1..<end]
        while let argument = rest.popFirst() {
            switch argument {
            case "--clean-env": request.cleanEnvironment = true
            case "--no-env": request.noEnvironment = true
            case "--no-template": request.noTemplate = true
            case "--no-inject": request.noInjection = true
            case "--no-mask": request.noMask = true
            case "--ci-mask": request.ciMask = true
            case "--allow-expired": request.allowExpired = true
            case "--dry-run": request.dryRun = true
            case "--accept-older": request.access.acceptOlder = true
            case "--no-input": request.access.noInput = true
            case "--quiet": request.access.quiet = true
            case "--keep", "--min-ttl", "--max-age", "--vault", "--identity", "--vault-id", "--passphrase-fd":
                guard let value = rest.popFirst(), !value.hasPrefix("-") else { return nil }
                switch argument {
                case "--keep": request.kept.append(value)
                case "--min-ttl": request.minTTL = value
                case "--max-age": request.maxAge = value
                case "--vault": request.access.vault = value
                case "--identity": request.access.identities.append(value)
                case "--vault-id": request.access.vaultID = value
                default:
                    guard let descriptor = Int32(value) else { return nil }
                    request.access.passphraseDescriptor = descriptor
                }
            default:
                guard names == nil, !argument.hasPrefix("-") else { return nil }
                names = argument
            }
        }
        guard let names else { return nil }
        self = request
        self.names = names
        commandStart = 1 + end + 1
    }
}
