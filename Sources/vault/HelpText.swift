/// The help of a verb, as ArgumentParser prints it but for the order of its parts.
enum HelpText {
    /// A text to print, in which the verb's own options stand before those of all verbs where it is such a help.
    static func amended(_ text: String) -> String {
        guard let common = text.firstRange(of: "\n\(AccessOptions.title.uppercased()):\n"),
            let own = text.firstRange(of: "\nOPTIONS:\n"),
            common.lowerBound < own.lowerBound
        else { return text }
        // Both begin with the empty line before them, and the second one is the last part.
        return String(text[..<common.lowerBound] + text[own.lowerBound...] + text[common.lowerBound..<own.lowerBound])
    }
}
