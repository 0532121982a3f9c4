import TestSupport
import Testing

@testable import VaultFile

/// Many records and many changes, beside a dictionary that shows what must come out.
@Suite struct VaultModelTests {
    private static func name(_ generator: inout Generator) -> String {
        let first = ["a", "B", "c/d", "E_f", "g.h", "0"].randomElement(using: &generator) ?? "a"
        return "\(first)\(Int.random(in: 0..<9000, using: &generator))"
    }

    private static func size(_ generator: inout Generator) -> Int {
        switch Int.random(in: 0..<100, using: &generator) {
        case 0: 65_535
        case 1...3: Int.random(in: 10_000..<60_000, using: &generator)
        case 4...20: Int.random(in: 500..<3000, using: &generator)
        default: Int.random(in: 0..<300, using: &generator)
        }
    }

    @Test func fiveThousandRecordsAndThreeHundredChangesAreThoseOfADictionary() throws {
        var generator = Generator(seed: 2026)
        var model: [String: String] = [:]
        while model.count < 5000 {
            let name = Self.name(&generator)
            model[name] = record(name, size: Int.random(in: 0..<300, using: &generator))
        }
        let place = try VaultPlace()
        try place.vault.put(model.values.shuffled(using: &generator))
        try compare(place, model)
        for round in 1...12 {
            let names = model.keys.sorted()
            for _ in 0..<25 {
                try place.vault.update { _, changes in
                    for _ in 0...Int.random(in: 0..<4, using: &generator) {
                        let index = Int.random(in: names.indices, using: &generator)
                        switch Int.random(in: 0..<10, using: &generator) {
                        case 0..<4:
                            let name = Self.name(&generator)
                            model[name] = record(name, size: Self.size(&generator))
                            try changes.put(try #require(model[name]))
                        case 4..<7:
                            let name = names[index]
                            model[name] = record(name, size: Self.size(&generator))
                            try changes.put(try #require(model[name]))
                        default:
                            // Runs of neighbours, so that blocks become empty.
                            for neighbour in names[index...].prefix(round * 3) {
                                model[neighbour] = nil
                                changes.remove(try RecordName(checking: neighbour))
                            }
                        }
                    }
                }
            }
            try compare(place, model)
        }
        // And back to nothing.
        let rest = model
        try place.vault.update { _, changes in
            for name in rest.keys { changes.remove(try RecordName(checking: name)) }
        }
        try compare(place, [:])
        #expect(try place.vault.open().blockCount == 0)
    }

    private func compare(_ place: VaultPlace, _ model: [String: String]) throws {
        let sorted = model.keys.sorted { Array($0.utf8).lexicographicallyPrecedes(Array($1.utf8)) }
        var reader = try place.vault.open()
        let records = try reader.records()
        #expect(records.count == sorted.count)
        #expect(zip(records, sorted).filter { $0 != model[$1] }.count == 0)
        // Some by name: the first of each block, and some that are not there.
        for name in reader.firsts + sorted.prefix(3) + sorted.suffix(3) {
            #expect(try reader.record(name) == model[name])
        }
        for name in ["0", "a", "zz", "B9999x"] { #expect(try reader.record(name) == model[name]) }
    }
}
