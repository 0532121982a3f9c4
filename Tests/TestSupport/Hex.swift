extension Array<UInt8> {
    /// The bytes that hexadecimal digits stand for; white space between them is skipped, as in the tables of RFCs.
    public init(hex: String) {
        let digits = hex.filter { !$0.isWhitespace }.map { digit in
            guard let value = digit.hexDigitValue else { preconditionFailure("not a hexadecimal digit: \(digit)") }
            return UInt8(value)
        }
        precondition(digits.count.isMultiple(of: 2), "half a byte is missing")
        self = stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    }

    /// The bytes in hexadecimal digits, in lower case.
    public var hex: String {
        String(decoding: flatMap { [hexDigits[Int($0 >> 4)], hexDigits[Int($0 & 15)]] }, as: UTF8.self)
    }
}

private let hexDigits = Array("0123456789abcdef".utf8)
