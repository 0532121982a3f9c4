internal import ArgumentParser
internal import Glibc
internal import Redaction
internal import VaultFile

struct ScanCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "scan", abstract: "Look for tokens in files; exit 1 when there are any.",
        discussion: """
            Finds each token of the vault, and each earlier one, in whatever form it stands there: as it is (raw), in \
            base64, in hexadecimal digits, percent-encoded, or quoted for JSON or a shell. Prints the file, the line, \
            the resource and the form. Hidden and binary files are included. Links are followed only where they are \
            named.
            """)

    @Argument(help: "Files and folders; the current folder when none is named.", completion: .file())
    var paths: [String] = []

    @Flag(help: "Look into what is staged in git, not into the files themselves.")
    var staged = false

    @Flag(help: "As JSON.")
    var json = false

    @OptionGroup var options: AccessOptions

    func run() throws {
        let paths = CommandLine.bytes(of: paths)
        // Before a passphrase is asked for.
        let stagedFiles = staged ? try StagedFiles(paths) : nil
        var list = FileList()
        if stagedFiles == nil {
            for path in paths { try list.add(path) }
            if paths.isEmpty { list.addCurrentFolder() }
        }
        let session = try Session(options.access)
        let tokens = try TokenNeedles([], session, withHeaders: false)
        session.finish()
        let sources = tokens.sources
        let matcher = tokens.matcher()
        let leaks: Leaks
        if let stagedFiles {
            leaks = try stagedFiles.scan(matcher).sorted(sources)
        } else {
            list.walk()
            leaks = FileScanner(matcher: matcher, showsProgress: !options.access.quiet).scan(list).sorted(sources)
        }
        if json { try printJSON(leaks.found, sources) } else { try printLines(leaks.found, sources) }
        for unread in leaks.unread {
            Messages.print("reading \(String(decoding: unread.path, as: UTF8.self)): \(unread.reason)")
        }
        if !leaks.found.isEmpty { throw Failure.no }
        if !leaks.unread.isEmpty { throw Failure(.io, "") }
    }

    private func printLines(_ leaks: [Leak], _ sources: [TokenNeedles.Source]) throws {
        var output: [UInt8] = []
        for leak in leaks {
            let source = sources[leak.token]
            output += Messages.visible(path: leak.path)
            output +=
                ":\(leak.line): \(source.name) (\(leak.form.rawValue)\(source.isEarlier ? ", earlier token" : ""))\n"
                .utf8
        }
        try Output.write(output.span)
    }

    private func printJSON(_ leaks: [Leak], _ sources: [TokenNeedles.Source]) throws {
        let objects = leaks.map { leak in
            let source = sources[leak.token]
            return "{\"path\":\(ResourceJSON.quoted(String(decoding: leak.path, as: UTF8.self)))"
                + ",\"line\":\(leak.line),\"name\":\"\(source.name)\",\"form\":\"\(leak.form.rawValue)\""
                + ",\"earlier\":\(source.isEarlier)}"
        }
        try Output.write(ResourceJSON.list(objects) + "\n")
    }
}

extension CommandLine {
    /// Arguments as they were given, which need not be text, as the parser has them, which is text in any case.
    static func bytes(of arguments: [String]) -> [[UInt8]] {
        var index = 0
        return arguments.map { argument in
            while index < Int(argc), let given = unsafe unsafeArgv[index] {
                index += 1
                if unsafe String(cString: given) == argument {
                    return unsafe Array(UnsafeRawBufferPointer(start: given, count: strlen(given)))
                }
            }
            return Array(argument.utf8)
        }
    }
}
