internal import Sodium

/// For each block its first name and its hash.
struct BlockIndex: Equatable {
    struct Entry: Equatable {
        let first: RecordName
        let hash: Hash
    }

    var entries: [Entry]

    /// The most blocks of a vault: 4 GiB.
    static let maximumCount = 65_536

    /// The number of the block that would hold `name`; nil when it comes before all of them.
    func block(for name: RecordName) -> Int? {
        var low = 0
        var high = entries.count
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].first <= name { low = middle + 1 } else { high = middle }
        }
        return low == 0 ? nil : low - 1
    }

    /// The line, with its newline.
    var line: [UInt8] {
        var line = Array("{\"index\":[".utf8)
        line.reserveCapacity(32 + entries.count * 96)
        for (number, entry) in entries.enumerated() {
            if number > 0 { line.append(UInt8(ascii: ",")) }
            line += "{\"first\":\"".utf8
            line += entry.first.bytes
            line += "\",\"hash\":\"".utf8
            line += Base64.encode(entry.hash.bytes.span)
            line += "\"}".utf8
        }
        line += "]}\n".utf8
        return line
    }
}
