internal import ChildProcess
internal import Glibc
internal import Sodium
internal import Redaction

/// What the next commit would change or add, as it stands in git's index.
struct StagedFiles {
    private struct File {
        /// Relative to the current folder.
        let path: [UInt8]
        /// The name that git has for its content.
        let object: [UInt8]
    }

    private let git: Git
    private var files: [File] = []

    /// The files that are staged in the work tree of the current folder.
    ///
    /// - Parameter paths: Only these, and what is in them; all when there are none.
    /// - Throws: ``Failure``.
    init(_ paths: [[UInt8]]) throws {
        git = try Git(for: "--staged")
        let isWorkTree = "true\n"
        var prefix: [UInt8] = []
        let status = try git.run(["rev-parse", "--is-inside-work-tree", "--show-prefix"]) { prefix += $0.publicCopy }
        guard status == 0, prefix.starts(with: isWorkTree.utf8) else {
            throw Failure(.missing, "--staged needs a git work tree, and git has none here")
        }
        prefix = Array(prefix.dropFirst(isWorkTree.utf8.count).dropLast())
        // Whatever the user's configuration of diff says.
        var list: [UInt8] = []
        let diff = ["diff", "--cached", "--raw", "-z", "--no-abbrev", "--no-renames", "--no-relative", "--no-color"]
        let arguments = (["--literal-pathspecs"] + diff + ["--diff-filter=d", "--"]).map { Array($0.utf8) }
        guard try git.run(arguments + paths, { list += $0.publicCopy }) == 0 else {
            throw Failure(.io, "git does not say what is staged")
        }
        // Pairs of a description and a path, each of which ends in a zero byte.
        let fields = list.split(separator: 0)
        for index in stride(from: 0, to: fields.count - 1, by: 2) {
            // The modes before and after, the objects before and after, and a letter.
            let words = fields[index].split(separator: UInt8(ascii: " "))
            guard words.count == 5 else { throw Failure(.io, "git's list of what is staged cannot be read") }
            // A submodule is not in this repository; what is unmerged has no object, and cannot be committed.
            let isSubmodule = words[1].elementsEqual("160000".utf8)
            if isSubmodule || words[3].allSatisfy({ $0 == UInt8(ascii: "0") }) { continue }
            files.append(File(path: Self.relative(fields[index + 1], to: prefix[...]), object: Array(words[3])))
        }
        // A slip of the pen in a hook would let everything pass.
        for path in paths where !files.contains(where: { $0.path.starts(with: path) }) {
            guard unsafe access((path + [0]).map { CChar(bitPattern: $0) }, F_OK) == 0 else {
                throw Failure(.missing, "there is no file or folder \(String(decoding: path, as: UTF8.self))")
            }
        }
    }

    /// Looks into all of them.
    func scan(_ matcher: Matcher) throws -> Leaks {
        var leaks = Leaks()
        var found: [(file: File, findings: [Finder.Finding])] = []
        try readObjects(files) { file, object in
            var finder = Finder(matcher)
            var findings: [Finder.Finding] = []
            let isThere = try object.read { findings += finder.process($0) }
            findings += finder.finish()
            if !isThere { leaks.addUnread(file.path, "git does not have its content") }
            if !findings.isEmpty { found.append((file, findings)) }
        }
        var index = 0
        try readObjects(found.map(\.file)) { file, object in
            var counter = LineCounter(found[index].findings)
            _ = try object.read { counter.process($0) }
            leaks.add(file.path, found[index].findings, counter)
            index += 1
        }
        return leaks
    }

    private func readObjects(_ files: [File], _ body: (File, inout ObjectReader) throws -> Void) throws {
        if files.isEmpty { return }
        let names = files.flatMap { $0.object + [UInt8(ascii: "\n")] }
        var reader = ObjectReader(try git.start(["cat-file", "--batch", "--buffer"], input: names))
        for file in files { try body(file, &reader) }
        guard reader.wait() == 0 else { throw ObjectReader.failure }
    }

    /// A path of the work tree as it is called in one of its folders, `folder`, which ends in a slash or is empty.
    private static func relative(_ path: ArraySlice<UInt8>, to folder: ArraySlice<UInt8>) -> [UInt8] {
        let slash = UInt8(ascii: "/")
        var path = path
        var folder = folder
        while let end = folder.firstIndex(of: slash), path.starts(with: folder[...end]) {
            path = path.dropFirst(folder[...end].count)
            folder = folder[(end + 1)...]
        }
        return folder.filter { $0 == slash }.flatMap { _ in "../".utf8 } + path
    }
}

/// Reads what `git cat-file --batch` writes: a line about each object, and the object.
private struct ObjectReader: ~Copyable {
    private let process: ReadableProcess
    private var output: GitOutput

    static let failure = Failure(.io, "git does not give what is staged")

    init(_ process: consuming ReadableProcess) {
        output = GitOutput(process.output)
        self.process = process
    }

    /// Reads the next object, part by part.
    ///
    /// - Returns: Whether git has it.
    mutating func read(_ body: (Span<UInt8>) -> Void) throws -> Bool {
        var line: [UInt8] = []
        while line.last != UInt8(ascii: "\n") {
            guard try output.take(1, { line += $0.publicCopy }) else { throw Self.failure }
        }
        // Its name, its type, and its size; or its name and why it is not there.
        let words = line.dropLast().split(separator: UInt8(ascii: " "))
        guard words.count == 3, var rest = Int(String(decoding: words[2], as: UTF8.self)) else { return false }
        while rest > 0 {
            let isMore = try output.take(rest) { part in
                rest -= part.count
                body(part)
            }
            guard isMore else { throw Self.failure }
        }
        guard try output.take(1, { _ in }) else { throw Self.failure }
        return true
    }

    consuming func wait() -> Int32 { process.wait() }
}
