import Foundation
import Glibc
import Synchronization
import TestSupport
import Testing

/// Many processes that write one vault at once, some of which are killed.
@Suite(.serialized) struct LoadTests {
    /// A resource as `export` has it.
    private struct Record: Decodable {
        struct Token: Decodable { let value: String }
        let name: String
        let token: Token
        let history: [Token]?

        /// The token, and behind it the earlier ones, the newest first.
        var tokens: [String] { ([token] + (history ?? [])).map(\.value) }
    }

    /// How many earlier tokens a record keeps.
    private static let historyLimit = 5

    /// All records of a vault, by name. Every block is checked for that.
    private static func records(_ home: Home, _ options: [String] = []) throws -> [String: [String]] {
        let output = try home.run("vault", ["export"] + options)
        try #require(output.status == 0, "\(output.errorText)")
        let records = try output.text.split(separator: "\n").map {
            try JSONDecoder().decode(Record.self, from: Data($0.utf8))
        }
        return Dictionary(uniqueKeysWithValues: records.map { ($0.name, $0.tokens) })
    }

    private static func generation(_ home: Home) throws -> Int {
        let output = try home.bash("vault status --json | jq .generation")
        return try #require(Int(output.text.dropLast()), "\(output.errorText)")
    }

    /// What lies beside the vault, and beside what is remembered of it.
    private static func files(_ home: Home) throws -> [String] {
        try [".local/share/vault", ".local/state/vault"].flatMap { folder in
            try FileManager.default.contentsOfDirectory(atPath: home.file(folder)).map { "\(folder)/\($0)" }
        }.sorted()
    }

    /// The token of a rotation. As long as a block of a cipher and more, so that half of one would show.
    private static func token(_ writer: Int, _ round: Int) -> String {
        let number = String(format: "w%02d-%04d-", writer, round)
        return number + String(repeating: number, count: 6)
    }

    /// The writer and the round of a token; nil when it is none of these, whole.
    private static func origin(_ text: String) -> (writer: Int, round: Int)? {
        let parts = text.split(separator: "-", maxSplits: 2)
        guard parts.count == 3, let writer = Int(parts[0].dropFirst()), let round = Int(parts[1]),
            text == token(writer, round)
        else { return nil }
        return (writer, round)
    }

    /// What is to be told at the end, from any thread.
    private final class Findings: Sendable {
        private let texts = Mutex<[String]>([])
        let readings = Atomic(0)

        func add(_ text: String) { texts.withLock { $0.append(text) } }
        var all: [String] { texts.withLock { $0 } }
    }

    // MARK: - Writers at once

    private static let writerCount = 20

    /// Reads until `isOver`, as scripts do, and notes what no reader may ever see: an error, a token that nobody stored,
    /// fewer resources than there are, or one of its own reads undone by the next.
    private static func read(
        _ home: Home, _ names: [String], reader: Int, _ findings: Findings, until isOver: () -> Bool
    ) {
        var generator = Generator(seed: UInt64(reader))
        var last: [String: Int] = [:]
        while !isOver() {
            let number = Int.random(in: names.indices, using: &generator)
            let name = names[number]
            let call =
                switch Int.random(in: 0..<4, using: &generator) {
                case 0: ["list", "--json"]
                case 1: ["exec", name, "--", "printenv", "A_TOKEN"]
                case 2: ["exec", name, "--no-mask", "--", "printenv", "A_TOKEN"]
                default: ["token", name]
                }
            findings.readings.add(1, ordering: .relaxed)
            let output: Command.Output
            do { output = try home.run("vault", call) } catch {
                findings.add("\(call): \(error)")
                continue
            }
            guard output.status == 0 else {
                findings.add("\(call): \(output.errorText)")
                continue
            }
            if call[0] == "list" {
                if output.text.count(of: #"{"name":"#) != names.count { findings.add("a list: \(output.text)") }
            } else if call[0] == "exec", !call.contains("--no-mask") {
                if output.text != "[vault:\(name)]\n" { findings.add("\(call): \(output.text)") }
            } else if let origin = origin(String(output.text.dropLast())) {
                // Of a resource with many writers only what one of them stored has an order.
                let key = "\(name) \(origin.writer)"
                if origin.round < last[key] ?? 0 { findings.add("\(name) went back to round \(origin.round)") }
                last[key] = origin.round
            } else {
                findings.add("\(call): \(output.text)")
            }
        }
    }

    /// Has all writers rotate a number of times, while readers read; each a resource of its own, or all of them a few.
    /// Gives back what the vault has in the end.
    private static func load(_ home: Home, rounds: Int, sharing: Int?, _ findings: Findings) throws -> [String:
        [String]]
    {
        let names = (0..<(sharing ?? writerCount)).map { String(format: "r%02d", $0) }
        let lines = names.enumerated().map { number, name in
            #"{"name":"\#(name)","urls":["https://\#(name).example"],"env":["A_TOKEN={{token}}"],"#
                + #""token":{"value":"\#(token(sharing == nil ? number : 99, 0))"}}"# + "\n"
        }
        let made = try home.run(
            "bash", ["-c", "vault init --no-passphrase --quiet >/dev/null && vault import --quiet"],
            input: lines.joined())
        try #require(made.status == 0, "\(made.errorText)")
        let before = try generation(home)
        let isOver = Atomic(false)
        let reading = DispatchGroup()
        for reader in 0..<2 {
            reading.enter()
            Thread.detachNewThread {
                read(home, names, reader: reader, findings) { isOver.load(ordering: .relaxed) }
                reading.leave()
            }
        }
        atOnce(writerCount) { writer in
            for round in 1...rounds {
                let name = names[sharing.map { (writer + round) % $0 } ?? writer]
                var output = try? home.run("vault", ["rotate", name], input: token(writer, round))
                // On a machine that is slow enough nineteen others take longer than a writer waits. Nothing is written
                // then, as it says.
                for _ in 0..<3 where output?.status == 75 {
                    output = try? home.run("vault", ["rotate", name], input: token(writer, round))
                }
                if output?.status != 0 || output?.errorText != "vault: rotated \(name)\n" {
                    findings.add("writer \(writer), round \(round): \(output?.errorText ?? "it did not run")")
                }
                // What its owner has stored is there at once, with all that came before.
                guard sharing == nil, round % 10 == 0 else { continue }
                let history = try? home.run("vault", ["history", name, "--json", "--reveal"])
                let found = (history?.text ?? "").matches(of: /"value":"([^"]*)"/).map { String($0.1) }
                let expected = (0..<round).suffix(historyLimit).map { token(writer, $0) }
                if Set(found) != Set(expected) { findings.add("writer \(writer), round \(round): \(found)") }
            }
        }
        isOver.store(true, ordering: .relaxed)
        reading.wait()
        let after = try generation(home)
        if after != before + writerCount * rounds { findings.add("generation \(before) became \(after)") }
        return try records(home)
    }

    @Test func noRotationIsLost() async throws {
        let rounds = 50
        let findings = Findings()
        let home = try Home()
        let records = try await onOwnThread { try Self.load(home, rounds: rounds, sharing: nil, findings) }
        #expect(findings.all == [])
        #expect(findings.readings.load(ordering: .relaxed) > 50)
        #expect(records.count == Self.writerCount)
        for (name, tokens) in records {
            let writer = Int(name.dropFirst()) ?? -1
            #expect(
                tokens == (0...rounds).suffix(1 + Self.historyLimit).reversed().map { Self.token(writer, $0) },
                "\(name)")
        }
        #expect(try Self.files(home).count == 6)
    }

    @Test func noRotationOfASharedResourceIsLost() async throws {
        let (rounds, shared) = (10, 4)
        let findings = Findings()
        let home = try Home()
        let records = try await onOwnThread { try Self.load(home, rounds: rounds, sharing: shared, findings) }
        #expect(findings.all == [])
        #expect(records.count == shared)
        for (name, tokens) in records {
            let resource = Int(name.dropFirst()) ?? -1
            #expect(tokens.count == 1 + Self.historyLimit)
            #expect(Set(tokens).count == tokens.count, "\(name): \(tokens)")
            // The last ones: behind what is kept of a writer stands all that it stored there later.
            for (place, token) in tokens.enumerated() {
                let (writer, round) = try #require(Self.origin(token))
                let later = (round + 1..<rounds + 1).filter { (writer + $0) % shared == resource }.reversed()
                let kept = tokens[..<place].filter { Self.origin($0)?.writer == writer }
                #expect(kept == later.map { Self.token(writer, $0) }, "\(name): \(tokens)")
            }
        }
    }

    // MARK: - Writers that are killed

    /// Where in its life a writer was killed, by what it left.
    private enum Moment {
        /// Before it wrote anything.
        case before
        /// While the new file was being made: it is still there.
        case during
        /// The new version is in place, and was not reported yet.
        case unreported
        /// The new version was reported.
        case after
    }

    private static func temporaryCount(_ home: Home) throws -> Int { try files(home).count { $0.hasSuffix(".tmp") } }

    /// How long a write takes here and now.
    private static func life(_ home: Home, of name: String) throws -> Duration {
        let clock = ContinuousClock()
        return try (0..<9).map { round in
            try clock.measure { _ = try home.run("vault", ["rotate", name, "--quiet"], input: token(98, round)) }
        }.sorted()[4]
    }

    /// Kills one writer after the other, at moments that are spread over the whole life of a write and a little beyond.
    private static func killOneByOne(_ count: Int, lane: Int, seed: UInt64) throws -> [Moment: Int] {
        let home = try Home()
        var generator = Generator(seed: seed &+ UInt64(lane))
        let made = try home.bash("new_vault; add demo; add other")
        try #require(made.status == 0, "\(made.errorText)")
        var life = try Self.life(home, of: "demo")
        var moments: [Moment: Int] = [:]
        var before = try records(home)
        let undisturbed = try files(home)
        for number in 1...count {
            let context: Comment = "seed \(seed), lane \(lane), kill \(number)"
            // How fast the machine is changes while other tests run.
            if number % 25 == 0 { life = try Self.life(home, of: "other") }
            let delay = life * Double.random(in: 0...1.25, using: &generator)
            let new = token(lane, number)
            let killed = try Command.run(
                Home.binary, ["rotate", "demo"], input: Array(new.utf8), environment: home.environment,
                killedAfter: delay)
            let isReported = killed.status == 0 || killed.errorText.contains("rotated")
            #expect(killed.signal == SIGKILL || killed.status == 0, "\(context): \(killed.errorText)")

            // The vault opens, and is wholly the old or wholly the new.
            let old = try #require(before["demo"], context)
            let found = try #require(try records(home)["demo"], context)
            let isNew = found == Array(([new] + old).prefix(1 + historyLimit))
            #expect(isNew || found == old, context)
            #expect(isNew || !isReported, "\(context): what was reported is not there")
            let remains = try temporaryCount(home)
            // The new version, and the name by which the old one is about to become the backup.
            #expect(remains <= 2, context)
            moments[isReported ? .after : isNew ? .unreported : remains > 0 ? .during : .before, default: 0] += 1
            if remains > 0 {
                _ = try records(home, ["--vault", home.vault + ".bak", "--vault-id", try id(home), "--accept-older"])
            }

            // The next one writes, at once, and clears up.
            let next = try home.run("vault", ["rotate", "other", "--quiet"], input: token(lane + 50, number))
            #expect(next.status == 0, "\(context): \(next.errorText)")
            #expect(try files(home) == undisturbed, context)
            before = try records(home)
            #expect(before["demo"] == found && before["other"]?.first == token(lane + 50, number), context)
        }
        return moments
    }

    private static func id(_ home: Home) throws -> String {
        try String(contentsOfFile: home.file(".config/vault/known_vaults"), encoding: .utf8)
            .split(separator: " ").first.map(String.init) ?? ""
    }

    /// Kills several writers that wait for each other.
    private static func killCrowds(_ rounds: Int, of size: Int, seed: UInt64) throws {
        let home = try Home()
        var generator = Generator(seed: seed)
        let made = try home.bash("new_vault; for n in {0..\(size)}; do add r0$n; done")
        try #require(made.status == 0, "\(made.errorText)")
        let life = try Self.life(home, of: "r0\(size)")
        var before = try records(home)
        let undisturbed = try files(home)
        for round in 1...rounds {
            let context: Comment = "seed \(seed), round \(round)"
            let delays = (0..<size).map { _ in life * Double.random(in: 0...Double(size), using: &generator) }
            let reported = Mutex<[Int: Bool]>([:])
            atOnce(size) { writer in
                let output = try? Command.run(
                    Home.binary, ["rotate", "r0\(writer)"], input: Array(token(writer, round).utf8),
                    environment: home.environment, killedAfter: delays[writer])
                let isReported = output?.status == 0 || output?.errorText.contains("rotated") == true
                reported.withLock { $0[writer] = isReported }
            }
            let remains = try temporaryCount(home)
            #expect(remains <= size, context)
            let found = try records(home)
            for writer in 0..<size {
                let name = "r0\(writer)"
                let old = try #require(before[name], context)
                let isNew = found[name] == Array(([token(writer, round)] + old).prefix(1 + historyLimit))
                #expect(isNew || found[name] == old, "\(context), \(name)")
                #expect(
                    isNew || reported.withLock { $0[writer] } == false,
                    "\(context), \(name): what was reported is not there")
            }
            let next = try home.run("vault", ["rotate", "r0\(size)", "--quiet"], input: token(97, round))
            #expect(next.status == 0, "\(context): \(next.errorText)")
            #expect(try files(home) == undisturbed, context)
            before = try records(home)
        }
    }

    @Test func killedWritersLeaveTheOldOrTheNew() async throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        async let crowd: Void = onOwnThread { try Self.killCrowds(40, of: 5, seed: seed) }
        async let one = onOwnThread { try Self.killOneByOne(150, lane: 0, seed: seed) }
        async let other = onOwnThread { try Self.killOneByOne(150, lane: 1, seed: seed) }
        let moments = try await one.merging(try await other) { $0 + $1 }
        try await crowd
        // Or the kills did not fall where they were to. How many fall between these two is a matter of the disk;
        // Scripts/test-faults has each moment for certain.
        for moment in [Moment.before, .after] { #expect(moments[moment, default: 0] > 0, "seed \(seed): \(moments)") }
    }
}

extension String {
    fileprivate func count(of part: String) -> Int { components(separatedBy: part).count - 1 }
}
