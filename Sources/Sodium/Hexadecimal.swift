/// Hexadecimal digits, for what is no secret.
public enum Hexadecimal {
    /// Two digits in lower case for each byte.
    public static func encode(_ bytes: some Sequence<UInt8>) -> String {
        bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    }
}
