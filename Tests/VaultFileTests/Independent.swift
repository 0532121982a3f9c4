import Age
import Foundation
import Sodium
import SystemPackage
import TestSupport
import Testing

@testable import VaultFile

/// The reader and the writer in Python, which know the format from its specification alone.
enum Independent {
    /// What the reader says of a vault that checks.
    struct Report: Decodable, Equatable {
        struct Member: Decodable, Equatable {
            let role: String
            let recipient: String
            let key: String
            let label: String
        }

        let id: String
        let rosterVersion: Int
        let generation: Int
        let members: [Member]
    }

    private static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Independent")

    private static func run(_ program: String, _ arguments: [String]) throws -> Command.Output {
        try Command.run("/usr/bin/python3", ["-B", folder.appending(path: program).path] + arguments)
    }

    /// Runs the reader, which exits with 0 when everything in the vault checks.
    static func check(_ path: FilePath, as identity: X25519Identity, pin: Pin) throws -> Command.Output {
        let file = FilePath(path.string + ".\(UUID().uuidString).txt")
        try Array(identity.line.utf8).write(to: file)
        defer { try? FileManager.default.removeItem(atPath: file.string) }
        return try run("vault_reader.py", [path.string, file.string, "--vault-id", "\(pin)"])
    }

    /// What the reader finds in a vault, and its records.
    static func read(
        _ path: FilePath, as identity: X25519Identity, pin: Pin
    ) throws -> (report: Report, records: String) {
        let output = try check(path, as: identity, pin: pin)
        guard output.status == 0 else { throw Unexpected(what: output.errorText) }
        // The records stand at the end as they stand in the vault, byte for byte.
        let start = #", "records": ["#
        let parts = try #require(output.text.range(of: start))
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return (
            try decoder.decode(Report.self, from: Data(output.stdout)),
            String(output.text[parts.upperBound...].dropLast("]}\n".count))
        )
    }

    /// Writes a vault of these people: an owner, a writer, and readers.
    static func write(_ path: FilePath, people: [X25519Identity], _ options: [String] = []) throws -> Pin {
        let file = FilePath(path.string + ".people.txt")
        try Array(people.map(\.line).joined().utf8).write(to: file)
        let output = try run("vault_writer.py", [path.string, file.string] + options)
        guard output.status == 0, let pin = Pin(output.text.dropLast()) else {
            throw Unexpected(what: output.errorText)
        }
        return pin
    }

    /// Writes the version behind the one at `path`, in its place, as the first of `people` would, any of whom opens it.
    @discardableResult
    static func succeed(_ path: FilePath, as people: X25519Identity..., with options: [String] = []) throws -> Pin {
        try write(path, people: people, ["--from", path.string] + options)
    }

    /// The names of the forgeries that the writer can make.
    static func forgeries() throws -> [String] {
        try run("vault_writer.py", ["--list"]).text.split(separator: "\n").map(String.init)
    }
}
