public import Sodium

extension SecretBytes {
    /// A secret that is known to a test.
    public init(_ bytes: [UInt8]) { self.init(copying: bytes.span) }

    /// What is in it, for a test to compare.
    public var bytes: [UInt8] {
        withBytes { bytes in bytes.withUnsafeBufferPointer { Array($0) } }
    }
}
