/// Why an age file could not be read: one case for each class of failure in the specification (C2SP, age.md).
public enum AgeError: Error, Equatable {
    /// The header is malformed, or asks for what must not be done. The text says what.
    case header(String)
    /// No identity opens any of the stanzas.
    case noMatch
    /// The header was changed by someone who does not know the file key.
    case headerMAC
    /// The armor around the file is malformed.
    case armor(String)
    /// The payload is damaged, cut short, or goes on after its end.
    case payload(String)
    /// A passphrase stanza whose work factor is higher than the reader allows: it takes 2^(`workFactor` + 10) bytes.
    case workFactor(Int, limit: Int)
    /// There is not enough memory for the passphrase stanza.
    case outOfMemory(bytes: Int)
    /// The bytes could not be read; the number is the system's.
    case unreadable(errno: Int32)
    /// The identity is kept by somebody else, who does not answer. The text says what came of asking.
    case noAnswer(String)
}
