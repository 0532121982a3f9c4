import Foundation
import Synchronization
import TestSupport
import Testing

/// Many machines at once, and a cluster that loses members on the way.
@Suite(.waitsForPrograms) struct FleetTests {
    private static let machineCount = 10
    private static let writes = 20
    /// So many that none of them is rotated more often than its history is long.
    private static let sharedCount = 8

    /// Gives each machine but the first an identity of its own: writers, and at the end a reader.
    private static func introduceAll(_ team: Team) throws {
        for (number, machine) in team.machines.enumerated().dropFirst() {
            let keys = try machine.bash("vault identity new -o own --quiet && mv own $IDENTITY")
            try #require(keys.status == 0, "\(keys.errorText)")
            let member = keys.text.trimmingCharacters(in: .newlines)
            let role = number == machineCount ? "\(member.prefix { $0 != " " })" : "\(member) --role writer"
            let added = try team.first.bash("vault member add m\(number) \(role) --quiet --offline")
            try #require(added.status == 0, "\(added.errorText)")
        }
        let filled = try team.first.bash(
            "for n in {0..\(sharedCount - 1)}; do add shared-$n --offline; done; vault push")
        try #require(filled.status == 0, "\(filled.errorText)")
    }

    @Test func noAcceptedWriteIsLost() throws {
        let team = try Team(try EtcdCluster(members: 3), machines: Self.machineCount + 1)
        let cluster = team.cluster
        let reader = team.machines[Self.machineCount]
        try Self.introduceAll(team)
        for machine in team.machines {
            let pulled = try machine.bash("vault pull --quiet")
            #expect(pulled.status == 0, "\(pulled.errorText)")
        }
        let accepted = Mutex<[String]>([])
        // The rotations, by their resource.
        let rotated = Mutex<[String: [String]]>([:])
        let strange = Mutex<[String]>([])
        let ended = Atomic(0)
        let isOver = Atomic(false)

        // A reader never fails.
        let reading = DispatchGroup()
        let readings = Atomic(0)
        reading.enter()
        Thread.detachNewThread {
            while !isOver.load(ordering: .relaxed) {
                let output = try? reader.bash("vault list >list && vault exec demo --max-age 1s --quiet -- true")
                if output?.status != 0 { strange.withLock { $0.append("a reader: \(output?.errorText ?? "")") } }
                readings.add(1, ordering: .relaxed)
            }
            reading.leave()
        }
        // What happens to the cluster meanwhile.
        let trouble = DispatchGroup()
        trouble.enter()
        Thread.detachNewThread {
            func reach(_ count: Int) {
                while ended.load(ordering: .relaxed) < count { usleep(20_000) }
            }
            let all = Self.machineCount * Self.writes
            reach(all / 5)
            cluster.kill(0)
            reach(all * 2 / 5)
            try? cluster.restart(0)
            reach(all * 3 / 5)
            cluster.kill(1)
            cluster.kill(2)
            reach(all * 4 / 5)
            try? cluster.restart(1)
            try? cluster.restart(2)
            trouble.leave()
        }
        atOnce(Self.machineCount) { number in
            let machine = team.machines[number]
            for round in 0..<Self.writes {
                let name = "m\(number)-\(round)"
                let isShared = round % 5 == 4
                let shared = "shared-\((number + 2 * (round / 5)) % Self.sharedCount)"
                let command = isShared ? "token_of \(name) | vault rotate \(shared) --quiet" : "add \(name)"
                let output = try? machine.bash(command)
                ended.add(1, ordering: .relaxed)
                switch output?.status {
                case 0 where isShared: rotated.withLock { $0[shared, default: []].append("\(name)-token-0123456789") }
                case 0: accepted.withLock { $0.append(name) }
                // Somebody else has rotated the same token.
                case 1:
                    if !isShared { accepted.withLock { $0.append(name) } }
                    _ = try? machine.bash("vault pull --quiet --prefer newest")
                default: strange.withLock { $0.append("\(name): \(output?.errorText ?? "it did not run")") }
                }
            }
        }
        trouble.wait()
        try cluster.waitUntilHealthy()
        isOver.store(true, ordering: .relaxed)
        reading.wait()
        #expect(strange.withLock { $0 } == [])
        #expect(readings.load(ordering: .relaxed) > 5)
        _ = try team.settle()
        let names = try reader.bash("vault list --json | jq -r .[].name").text.split(separator: "\n").map(String.init)
        let missing = Set(accepted.withLock { $0 }).subtracting(names)
        #expect(missing.isEmpty, "\(missing.sorted())")
        #expect(accepted.withLock { $0.count } == Self.machineCount * Self.writes * 4 / 5)
        // A rotation that nobody objected to is the token, or in the history.
        #expect(rotated.withLock { $0.count } == Self.sharedCount)
        for (resource, tokens) in rotated.withLock({ $0 }) {
            let kept = try reader.bash("vault token \(resource); vault history \(resource) --reveal").text
            for token in tokens { #expect(kept.contains(token), "\(resource): \(token)") }
        }
    }
}
