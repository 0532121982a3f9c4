import Foundation
import TestSupport
import Testing

/// A file of the folder Scripts: commands, and what they are to print and to end with.
///
///     # A comment, between commands.
///     @requires a command without which the file is passed over
///
///     $ a command for bash, in a home of its own
///     > its next line
///     a line of standard output
///     ! a line of standard error
///     [exit 64]
///
/// A blank line ends what belongs to a command. `…` stands for any characters of a line, and `~` for the home. What a
/// command does to variables and the folder lasts to the end of the file.
struct Script: Sendable, CustomTestStringConvertible {
    struct Step: Sendable {
        let command: [String]
        var result = Result()
    }

    struct Result: Sendable {
        var stdout: [String] = []
        var stderr: [String] = []
        var status = 0

        /// Whether this is what the other one, which may have placeholders, asks for.
        func fits(_ expected: Result) -> Bool {
            func fit(_ lines: [String], _ patterns: [String]) -> Bool {
                lines.count == patterns.count && zip(lines, patterns).allSatisfy { $0.fits($1) }
            }
            return status == expected.status && fit(stdout, expected.stdout) && fit(stderr, expected.stderr)
        }

        var text: String {
            (stdout + stderr.map { "! \($0)" } + (status == 0 ? [] : ["[exit \(status)]"])).joined(separator: "\n")
        }
    }

    struct Malformed: Error { let line: String }

    let name: String
    private(set) var requirements: [String] = []
    private(set) var steps: [Step] = []

    var testDescription: String { name }

    init(name: String, text: String) throws {
        self.name = name
        var isOpen = false
        for line in text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) {
            if line.isEmpty {
                isOpen = false
            } else if let command = line.behind("$ ") {
                steps.append(Step(command: [command]))
                isOpen = true
            } else if !isOpen {
                if let requirement = line.behind("@requires ") {
                    requirements.append(requirement)
                } else if !line.hasPrefix("#") {
                    throw Malformed(line: line)
                }
            } else {
                steps[steps.count - 1].read(line)
            }
        }
        if steps.isEmpty { throw Malformed(line: "") }
    }

    /// All files of the folder.
    static let all: [Script] = {
        do {
            return try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(".txt") }.sorted()
                .map {
                    try Script(
                        name: String($0.dropLast(4)), text: String(contentsOfFile: "\(folder)/\($0)", encoding: .utf8))
                }
        } catch {
            fatalError("reading \(folder): \(error)")
        }
    }()

    private static let folder = Home.testFolder + "/Scripts"

    /// The first requirement that this machine does not meet.
    func missingRequirement(_ home: Home) throws -> String? {
        try requirements.first { try home.run("bash", ["-c", $0]).status != 0 }
    }

    /// Runs all commands in one shell.
    ///
    /// - Returns: What each of them did; fewer results than commands when one of them ended the shell.
    func run(_ home: Home) throws -> [Result] {
        let outputs = try TemporaryFolder()
        var text = ". '\(Home.testFolder)/Tools/setup.bash'\n"
        for (number, step) in steps.enumerated() {
            let file = outputs.file("\(number)")
            text += "{\n\(step.command.joined(separator: "\n"))\n} >\(file).out 2>\(file).err </dev/null\n"
            text += "echo $? >\(file).status\n"
        }
        try text.write(toFile: outputs.file("script"), atomically: false, encoding: .utf8)
        // Far more than any needs: several run at a time, maybe on a busy machine. What must not hang says so itself.
        let shell = try home.run("bash", [outputs.file("script")], timeout: .seconds(240))
        if !shell.stderr.isEmpty { throw Malformed(line: shell.errorText) }
        return try steps.indices.prefix { FileManager.default.fileExists(atPath: outputs.file("\($0).status")) }
            .map { number in
                let status = try String(contentsOfFile: outputs.file("\(number).status"), encoding: .utf8)
                return Result(
                    stdout: try Self.lines(outputs.file("\(number).out"), home),
                    stderr: try Self.lines(outputs.file("\(number).err"), home), status: Int(status.dropLast()) ?? -1)
            }
    }

    private static func lines(_ path: String, _ home: Home) throws -> [String] {
        let bytes = try Data(contentsOf: URL(filePath: path))
        let text = String(decoding: bytes, as: UTF8.self).replacing(home.path, with: "~")
        if text.isEmpty { return [] }
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        return text.hasSuffix("\n") ? lines.dropLast() : lines + ["[no newline]"]
    }
}

extension Script.Step {
    fileprivate mutating func read(_ line: String) {
        if let more = line == ">" ? "" : line.behind("> "), result.stdout.isEmpty, result.stderr.isEmpty {
            self = Script.Step(command: command + [more])
        } else if let message = line.behind("! ") {
            result.stderr.append(message)
        } else if let status = line.behind("[exit ").flatMap({ Int($0.dropLast()) }) {
            result.status = status
        } else {
            result.stdout.append(line)
        }
    }
}

extension String {
    /// What follows a prefix, or nil when it is not there.
    fileprivate func behind(_ prefix: String) -> String? {
        hasPrefix(prefix) ? String(dropFirst(prefix.count)) : nil
    }

    /// Whether this is `pattern`, in which `…` stands for any characters.
    func fits(_ pattern: String) -> Bool {
        let pieces = pattern.components(separatedBy: "…")
        guard pieces.count > 1, let first = pieces.first, let last = pieces.last else { return self == pattern }
        guard hasPrefix(first), count >= first.count + last.count, hasSuffix(last) else { return false }
        var rest = dropFirst(first.count).dropLast(last.count)
        for piece in pieces.dropFirst().dropLast() where !piece.isEmpty {
            guard let found = rest.range(of: piece) else { return false }
            rest = rest[found.upperBound...]
        }
        return true
    }
}
