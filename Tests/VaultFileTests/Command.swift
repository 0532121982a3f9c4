import Foundation

/// Runs programs that know the format, or a part of it, without knowing this package.
enum Command {
    struct Output {
        let status: Int32
        let stdout: [UInt8]
        let stderr: [UInt8]

        var text: String { String(decoding: stdout, as: UTF8.self) }
        var errorText: String { String(decoding: stderr, as: UTF8.self) }
    }

    /// Runs `executable`, a path or a name to be found through `PATH`, and waits for its end.
    static func run(_ executable: String, _ arguments: [String] = [], input: [UInt8] = []) throws -> Output {
        // Files rather than pipes: nothing then has to be read and written at the same time.
        let folder = FileManager.default.temporaryDirectory.appending(path: "vault-command-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(at: folder) }
        func file(_ name: String, _ content: [UInt8] = []) throws -> FileHandle {
            let url = folder.appending(path: name)
            try Data(content).write(to: url)
            return try FileHandle(forUpdating: url)
        }
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = [executable] + arguments
        process.standardInput = try file("input", input)
        let (output, error) = (try file("output"), try file("error"))
        process.standardOutput = output
        process.standardError = error
        try process.run()
        process.waitUntilExit()
        try output.seek(toOffset: 0)
        try error.seek(toOffset: 0)
        return Output(
            status: process.terminationStatus, stdout: Array(try output.readToEnd() ?? Data()),
            stderr: Array(try error.readToEnd() ?? Data()))
    }
}
