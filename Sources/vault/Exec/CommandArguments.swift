internal import ChildProcess
internal import Glibc
internal import Redaction
internal import Resources
internal import Sodium
internal import VaultFile

/// The command that `exec` is to run, as bytes: arguments need not be text.
struct CommandArguments {
    private let start: Int

    /// How a command is given.
    static var usage: String { "put the command after --, as in '\(Process.name) exec NAME -- curl …'" }

    /// The command that begins at `start` of the process's argument vector.
    init(from start: Int) throws {
        guard start < Int(CommandLine.argc) else {
            throw Failure(.usage, "there is no command to run", hint: Self.usage)
        }
        self.start = start
    }

    /// The numbers of the arguments; the command itself is 0.
    var indices: Range<Int> { 0..<Int(CommandLine.argc) - start }

    /// The file that the command stands for, which ends in a zero byte; its name need not be text.
    func program() throws(Launch.Failure) -> [CChar] {
        let path = Variables.bytes("PATH") ?? Array(Launch.defaultSearchPath.utf8)
        return try Launch.find(withArgument(0) { $0.publicCopy }, searchPath: path)
    }

    func withArgument<R>(_ index: Int, _ body: (Span<UInt8>) -> R) -> R {
        let argument = unsafe pointer(index)
        let bytes = unsafe UnsafeRawBufferPointer(start: argument, count: strlen(argument))
        return body(unsafe Span(_unsafeElements: bytes.bindMemory(to: UInt8.self)))
    }

    /// Whether an argument is a program of that name, by whatever path it is called.
    func isNamed(_ name: StaticString, at index: Int) -> Bool {
        withArgument(index) { path in
            var start = path.count
            while start > 0, path[start - 1] != UInt8(ascii: "/") { start -= 1 }
            guard path.count - start == name.utf8CodeUnitCount else { return false }
            return (start..<path.count).allSatisfy { unsafe path[$0] == name.utf8Start[$0 - start] }
        }
    }

    /// The arguments as they are.
    func plain() -> TemplatedArguments {
        TemplatedArguments(indices.map { unsafe .plain(pointer($0)) }, files: [])
    }

    /// The arguments with their variables read.
    func templated(for names: [RecordName]) throws -> TemplatedArguments {
        var files: [TemplatedArguments.File] = []
        let arguments = try indices.map { index -> TemplatedArguments.Argument in
            guard withArgument(index, { $0.hasOpeningBraces }) else { return unsafe .plain(pointer(index)) }
            let pieces = try Self.pieces(of: withArgument(index) { $0.publicCopy }, names, &files)
            return unsafe pieces.count == 1 && !pieces[0].isFile ? .plain(pointer(index)) : .pieces(pieces)
        }
        return TemplatedArguments(arguments, files: files)
    }

    private func pointer(_ index: Int) -> UnsafePointer<CChar> {
        guard let argument = unsafe CommandLine.unsafeArgv[start + index] else {
            fatalError("an argument vector that is shorter than it says")
        }
        return unsafe UnsafePointer(argument)
    }

    private static func pieces(
        of bytes: [UInt8], _ names: [RecordName], _ files: inout [TemplatedArguments.File]
    ) throws -> [TemplatedArguments.Piece] {
        var pieces: [TemplatedArguments.Piece] = []
        var text: [UInt8] = []
        var rest = bytes[...]
        // The braces that end what begins here, which are looked for again only behind them.
        var end = bytes.firstRange(of: Array("}}".utf8))
        while !rest.isEmpty {
            if let last = end, last.lowerBound < rest.startIndex + 2 {
                end = rest.dropFirst(2).firstRange(of: Array("}}".utf8))
            }
            guard rest.starts(with: "{{".utf8), let end, end.lowerBound - rest.startIndex <= longestExpression,
                let file = try file(
                    String(decoding: rest[(rest.startIndex + 2)..<end.lowerBound], as: UTF8.self), names)
            else {
                text.append(rest.removeFirst())
                continue
            }
            if !text.isEmpty { pieces.append(.text(text)) }
            text = []
            pieces.append(.file(files.count))
            files.append(file)
            rest = rest[end.upperBound...]
        }
        if !text.isEmpty { pieces.append(.text(text)) }
        return pieces
    }

    /// Two braces, a variable, a colon and a name, with space for spaces: what is longer is not meant for us, and an
    /// argument with many braces takes no long look at each.
    private static let longestExpression = 200

    /// What stands between braces, when it is meant for us: other programs have templates too, and theirs are left alone.
    private static func file(_ expression: String, _ names: [RecordName]) throws -> TemplatedArguments.File? {
        if let name = names.first(where: { expression.hasPrefix("\($0).") }) {
            throw Failure(
                .usage, "an argument has a variable as documents have it, with the name of \(name) in front",
                hint: "write {{headers}}, or with several resources {{headers:\(name)}}; or use --no-template")
        }
        let words = expression.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard let variable = Template.Variable(rawValue: String(words[0])) else {
            // {{ headers }}, {{header}}, {{curl-config}}: with these a request would go out without its token.
            let name = words[0].filter { $0 != " " }.lowercased().replacing("-", with: "_")
            guard
                let meant = [Template.Variable.headers, .curlConfig].first(where: {
                    [name, name + "s"].contains($0.rawValue)
                })
            else { return nil }
            throw Failure(
                .usage, "an argument has something that is almost {{\(meant.rawValue)}}",
                hint: "write {{\(meant.rawValue)}}, or use --no-template if it is meant for the command")
        }
        guard variable.isSecret || variable == .headers || variable == .curlConfig else { return nil }
        // Of what stands behind a colon nothing is repeated: it may be a token in a wrong place.
        let shown = "{{\(variable.rawValue)}}"
        guard !variable.isSecret else {
            throw Failure(
                .usage, "\(shown) in an argument would show the token to everybody on the machine",
                hint:
                    "curl gets the headers by itself; for other commands there are the variable, and {{headers}}, a file"
            )
        }
        guard words.count == 2 else {
            guard names.count == 1 else {
                throw Failure(
                    .usage, "\(shown) does not say of which resource",
                    hint: "with several resources write {{\(variable.rawValue):\(names[0])}}")
            }
            return .init(variable: variable, resource: 0)
        }
        guard let number = names.firstIndex(where: { $0.description == words[1] }) else {
            throw Failure(.usage, "\(shown) names a resource that this command does not have")
        }
        return .init(variable: variable, resource: number)
    }
}

/// Arguments in which paths of files are still to be filled in.
@safe
struct TemplatedArguments {
    /// A file that an argument names.
    struct File {
        let variable: Template.Variable
        let resource: Int
    }

    enum Piece {
        case text([UInt8])
        case file(Int)

        var isFile: Bool { if case .file = self { true } else { false } }
    }

    @safe
    enum Argument {
        case plain(UnsafePointer<CChar>)
        case pieces([Piece])
    }

    private let arguments: [Argument]
    /// The files, in the order of their places.
    let files: [File]

    init(_ arguments: [Argument], files: [File]) {
        self.arguments = arguments
        self.files = files
    }

    /// The same for curl, with configs that it reads.
    ///
    /// - Parameters:
    ///   - configs: Their paths: one for the beginning, and one for each reset.
    ///   - resets: The numbers of the arguments behind which the next one is read.
    /// - Returns: Arguments that are two longer for each config, and one for `-q`.
    func readingCurlConfigs(_ configs: [String], resets: [Int]) -> TemplatedArguments {
        var arguments = arguments
        for (path, number) in zip(configs, [0] + resets).reversed() {
            let reading = ["--config", path].map { Argument.pieces([.text(Array($0.utf8))]) }
            arguments.insert(contentsOf: reading, at: number + 1)
        }
        // First of all, so that curl reads no config of its own: one line there would lead the token anywhere.
        arguments.insert(.pieces([.text(Array("-q".utf8))]), at: 1)
        return TemplatedArguments(arguments, files: files)
    }

    /// The argument vector, with the paths filled in; it lives as long as the process.
    @unsafe
    func rendered(with paths: [String]) -> [UnsafePointer<CChar>] {
        unsafe arguments.map { argument in
            switch argument {
            case .plain(let pointer): return unsafe pointer
            case .pieces(let pieces):
                var bytes: [CChar] = []
                for piece in pieces {
                    switch piece {
                    case .text(let text): bytes += text.map { CChar(bitPattern: $0) }
                    case .file(let number): bytes += paths[number].utf8.map { CChar(bitPattern: $0) }
                    }
                }
                bytes.append(0)
                let copy = UnsafeMutablePointer<CChar>.allocate(capacity: bytes.count)
                unsafe copy.initialize(from: bytes, count: bytes.count)
                return unsafe UnsafePointer(copy)
            }
        }
    }
}

extension TokenSet {
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
                hint: "everybody can read arguments: rotate this token; curl gets the headers by itself")
        }
    }
}

extension Span<UInt8> {
    fileprivate var hasOpeningBraces: Bool {
        let brace = UInt8(ascii: "{")
        for index in indices.dropFirst() where self[index] == brace && self[index - 1] == brace { return true }
        return false
    }
}
