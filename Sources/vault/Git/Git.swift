internal import ChildProcess
internal import Glibc
internal import Sodium
internal import SystemPackage
internal import VaultFile

/// The git that `PATH` has.
struct Git {
    private let program: String
    private let folder: FilePath?

    /// Finds it.
    ///
    /// - Parameters:
    ///   - purpose: What needs it, for the message when it is not there.
    ///   - folder: Where it works; nil for the current folder.
    /// - Throws: ``Failure``.
    init(for purpose: String, in folder: FilePath? = nil) throws {
        do {
            program = try Launch.find("git", searchPath: Variables.text("PATH") ?? Launch.defaultSearchPath)
        } catch {
            throw Failure(.missing, "\(purpose) needs git, which was not found")
        }
        self.folder = folder
    }

    /// Starts it, without what unlocks the vault.
    func start(_ arguments: [[UInt8]], input: String = "/dev/null") throws -> ReadableProcess {
        var environment = Environment()
        environment.remove { Variables.secrets.contains($0) }
        // What git has, not what somebody may have put in its place; and nothing that the repository's own
        // configuration would have run, or fetched.
        var first = ["git", "--no-replace-objects", "-c", "core.fsmonitor=false", "-c", "protocol.allow=never"].map {
            Array($0.utf8)
        }
        if let folder { first += [Array("-C".utf8), folder.bytes] }
        do {
            return try ReadableProcess.start(
                program, arguments: first + arguments, environment: environment, input: input)
        } catch {
            throw Failure(.io, Failure(error).message)
        }
    }

    /// Starts it with something to read.
    func start(_ arguments: [String], input: [UInt8]) throws -> ReadableProcess {
        do {
            let file = try SealedFile.create(input.span)
            return try start(arguments.map { Array($0.utf8) }, input: file.path)
        } catch let error as SealedFile.Failure {
            throw Failure(memory: error)
        }
    }

    /// Runs it, and gives back how it ended.
    func run(_ arguments: [[UInt8]], _ body: (Span<UInt8>) -> Void) throws -> Int32 {
        let process = try start(arguments)
        var output = GitOutput(process.output)
        while try output.take(.max, body) {}
        return process.wait()
    }

    func run(_ arguments: [String], _ body: (Span<UInt8>) -> Void) throws -> Int32 {
        try run(arguments.map { Array($0.utf8) }, body)
    }

    /// Runs it, and gives back what it wrote; nil when its exit code is not 0.
    ///
    /// - Parameters:
    ///   - arguments: What it is to do.
    ///   - rest: Arguments behind these, which need not be text.
    /// - Returns: All of its output.
    /// - Throws: ``Failure``.
    func output(_ arguments: [String], _ rest: [UInt8]...) throws -> [UInt8]? {
        var bytes: [UInt8] = []
        let status = try run(arguments.map { Array($0.utf8) } + rest) { bytes += $0.publicCopy }
        return status == 0 ? bytes : nil
    }
}

/// Reads what git writes, as much at a time as somebody wants.
struct GitOutput {
    private let descriptor: Int32
    private var part = [UInt8](repeating: 0, count: FileScanner.partSize)
    private var waiting = 0..<0

    init(_ descriptor: Int32) { self.descriptor = descriptor }

    /// Gives `body` the next bytes, `limit` at most; false at the end.
    mutating func take(_ limit: Int, _ body: (Span<UInt8>) -> Void) throws -> Bool {
        while waiting.isEmpty {
            let count = unsafe part.withUnsafeMutableBytes { unsafe read(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw Failure(.io, "reading what git says: \(Failure.text(errno))") }
            if count == 0 { return false }
            waiting = 0..<count
        }
        let taken = waiting.prefix(limit)
        body(part.span.extracting(taken))
        waiting = taken.upperBound..<waiting.upperBound
        return true
    }
}

extension Failure {
    /// There is no memory for a file.
    init(memory error: SealedFile.Failure) {
        self.init(.io, "making a file in memory: \(Self.text(error.errno))")
    }
}
