internal import ArgumentParser
internal import Glibc
internal import Injection
internal import Resources
internal import Sodium
internal import SystemPackage
internal import VaultFile

struct InjectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inject", abstract: "Fill tokens and headers in where a template names them.",
        discussion: """
            In the template, {{NAME.token}} is replaced by the token of the resource NAME; so are {{NAME.headers}}, one a \
            line, {{NAME.basic}} (base64 of username:token), {{NAME.username}}, {{NAME.url}}, {{NAME.name}}, and \
            {{NAME.curl_config}}, the headers as curl's config has them. There may be spaces within the braces. All \
            else stays as it is, byte for byte, with the braces of other programs.

            The file of -o is for its owner alone (mode 0600), and there as a whole or not at all. One that others can \
            read is refused. Nothing is written when a name is wrong. A terminal is shown a mask in place of what is \
            secret unless --reveal.
            """)

    @Argument(help: "The template; standard input if it is left out, or -.", completion: .file())
    var file: String?

    @Option(
        name: [.customShort("o"), .customLong("output")],
        help: ArgumentHelp("Where it goes; standard output if it is left out, or -.", valueName: "file"),
        completion: .file())
    var output: String?

    @Flag(help: "Print secrets even on a terminal.")
    var reveal = false

    @Flag(help: "Fill them in even when a token is expired.")
    var allowExpired = false

    @OptionGroup var options: AccessOptions

    func run() throws {
        let target = try OutputTarget(output)
        let template = try template(for: target)
        let session = try Session(options.access)
        var reader = try session.vault.open()
        // To look each of very many up would take far longer than to know all of them.
        var lookUps = 0
        var all: Set<RecordName>?
        let document = try template.withBytes { bytes in
            try DocumentTemplate(bytes) { name in
                lookUps += 1
                if lookUps > Self.mostLookUps, all == nil { all = Set(try reader.names()) }
                return try all?.contains(name) ?? reader.hasRecord(named: name)
            }
        }
        let tokens = try TokenSet(document.names, in: &reader)
        let mistakes = document.mistakes + document.mistakes(of: tokens.resources)
        if !mistakes.isEmpty { throw template.withBytes { failure(mistakes, in: $0) } }

        let handedOut = tokens.resources.filter { resource in
            document.references.contains { $0.name == resource.name && resource.isSecret($0.variable) }
        }
        var trail = Trail("inject", options.access)
        trail.asked = handedOut.map(\.name.description)
        try trail.checking {
            for resource in handedOut { try Expiry.check(resource, allowsExpired: allowExpired) }
        }
        try target.openStream()
        let isMasked = !target.isFile && Output.isTerminal && !reveal
        if !isMasked { trail.append(.ok) }
        try template.withBytes { try write(document, of: $0, with: tokens, isMasked: isMasked, to: target) }

        let isQuiet = options.access.quiet
        if document.references.isEmpty {
            Messages.notice("there is no variable of a resource in the template", unless: isQuiet)
        } else if isMasked, !handedOut.isEmpty {
            Output.noteMask(unless: isQuiet)
        } else if !target.isFile, !handedOut.isEmpty {
            Output.noteOpenFile(unless: isQuiet)
        }
        session.finish()
    }

    /// Writes what the template makes. Nothing is left to be checked here: of a file, only the writing can fail.
    private func write(
        _ document: DocumentTemplate, of template: Span<UInt8>, with tokens: borrowing TokenSet, isMasked: Bool,
        to target: OutputTarget
    ) throws {
        let resources = tokens.resources
        let numbers = Dictionary(uniqueKeysWithValues: resources.enumerated().map { ($1.name, $0) })
        func append(_ reference: DocumentTemplate.Reference, to output: inout SecretBuffer) {
            guard let number = numbers[reference.name] else { fatalError("a resource that was not read") }
            tokens.withToken(number) { token in
                resources[number].append(reference.variable, token: token, isMasked: isMasked, to: &output)
            }
        }
        guard case .file(let path, let existing) = target else {
            return try document.render(template, append: append) { piece in try Output.write(piece) }
        }
        try DurableFile.write(path, replacing: existing != nil, making: .unnamed) { (descriptor) throws(VaultError) in
            if let existing { DurableFile.giveAway(descriptor.rawValue, like: existing) }
            try document.render(template, append: append) { (piece) throws(VaultError) in
                try DurableFile.write(piece, to: descriptor, at: path)
            }
        }
    }

    /// What messages call the template.
    private var place: String {
        guard let file, file != "-" else { return "standard input" }
        return file
    }

    /// All of the template, which is no secret as a rule, and may be one.
    private func template(for target: OutputTarget) throws -> SecretBuffer {
        let limit = DocumentTemplate.maximumSize
        guard let file, file != "-" else {
            if SecretInput.isTerminal {
                throw Failure(.usage, "there is no template", hint: "name a file, or pipe one in")
            }
            var status = stat()
            if unsafe fstat(STDIN_FILENO, &status) == 0 { try target.refuse(status) }
            return try SecretInput.readAll(STDIN_FILENO, what: "the template from standard input", limit: limit)
        }
        return try SecretInput.readFile(file, what: "the template", limit: limit) { try target.refuse($0) }
    }

    private static let mostLookUps = 100

    /// So many mistakes are told at once.
    private static let shownMistakes = 20

    /// Tells all mistakes but the last one, which is the failure.
    private func failure(_ mistakes: [DocumentTemplate.Mistake], in document: Span<UInt8>) -> Failure {
        let mistakes = mistakes.sorted { $0.offset < $1.offset }
        var messages: [String] = []
        var hints: [String] = []
        for mistake in mistakes.prefix(Self.shownMistakes) {
            let position = DocumentTemplate.position(of: mistake.offset, in: document)
            messages.append("\(place):\(position.line):\(position.column): \(mistake.kind.text)")
            if !hints.contains(mistake.kind.hint) { hints.append(mistake.kind.hint) }
        }
        if mistakes.count > messages.count { messages.append("and \(mistakes.count - messages.count) more") }
        for message in messages.dropLast() { Messages.print(message) }
        let isMissing = mistakes.allSatisfy(\.kind.isMissing)
        return Failure(isMissing ? .missing : .usage, messages.last ?? "", hints: hints)
    }
}

extension Resource {
    /// Whether a variable of this resource has the token in it.
    fileprivate func isSecret(_ variable: Template.Variable) -> Bool {
        switch variable {
        case .headers, .curlConfig: headers.contains(where: \.value.isSecret)
        case .token, .basic, .name, .url, .username: variable.isSecret
        }
    }

    /// Appends what a variable stands for in a document; what has several lines has no end behind the last one, since
    /// that is the document's.
    fileprivate func append(
        _ variable: Template.Variable, token: Span<UInt8>, isMasked: Bool, to output: inout SecretBuffer
    ) {
        switch variable {
        case .headers, .curlConfig:
            let format = variable == .headers ? HeaderFormat.lines : .curl
            for header in headers { format.append(header, of: self, token: token, isMasked: isMasked, to: &output) }
            if !headers.isEmpty { output.truncate(to: output.count - 1) }
        case .token, .basic, .name, .url, .username:
            if variable.isSecret, isMasked { return output.append(text: Output.mask) }
            HeaderRenderer.append(variable, of: self, token: token, to: &output) { _ in "" }
        }
    }
}

extension DocumentTemplate.Mistake.Kind {
    fileprivate var text: String {
        switch self {
        case .noResource(let name): "there is no resource \(ResourceNames.shown("\(name)"))"
        case .noVariable(let name): "\(name) has no such variable"
        case .almost(let name, let variable): "this is almost {{\(name).\(variable.rawValue)}}"
        case .noEnd(let name): "there is no }} right behind the variable of \(name)"
        case .noUsername(let name): "\(name) has no user name"
        case .colonInUsername(let name):
            "the user name of \(name) has a colon in it, which Basic cannot have (RFC 7617)"
        }
    }

    fileprivate var hint: String {
        switch self {
        case .noResource: "see what there is with '\(Process.name) list'"
        case .noVariable:
            "a resource has \(Template.Variable.allCases.map(\.rawValue).joined(separator: ", "))"
        case .almost: "only that spelling is filled in"
        case .noEnd: "close it as in {{NAME.token}}"
        case .noUsername(let name), .colonInUsername(let name):
            "give it one with '\(Process.name) edit \(name) --username …'"
        }
    }

    /// Whether something is asked for that there is not, rather than asked for wrongly.
    fileprivate var isMissing: Bool { if case .noResource = self { true } else { false } }
}
