/// The numbers of the format: decimal, without a leading zero, from 1 to 2^53 - 1.
enum Number {
    static let maximum = (1 << 53) - 1

    static func parse(_ text: some StringProtocol) -> Int? {
        guard let first = text.utf8.first, first != UInt8(ascii: "0"), text.utf8.count <= 16,
            text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
            let number = Int(text), number <= maximum
        else { return nil }
        return number
    }
}
