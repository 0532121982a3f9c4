/// Help as ArgumentParser prints it, but for the order of its parts.
enum HelpText {
    /// A text to print; where it is a help, what is wanted first stands first in it.
    static func amended(_ text: String) -> String {
        // The verb's own options before those of all verbs, and the commands before what they have in common.
        swapped(
            swapped(text, "\n\(AccessOptions.title.uppercased()):\n", "\nOPTIONS:\n", end: nil), "\nENVIRONMENT\n",
            "\nUSAGE: ", end: "\n  See '")
    }

    /// A text in which two parts that follow each other have changed places.
    ///
    /// - Parameters:
    ///   - text: The text, as it is where it has no such parts.
    ///   - first: How the first of them begins, with the empty line before it.
    ///   - second: How the second one begins, likewise.
    ///   - end: How what follows it begins, likewise; nil for the text's end.
    /// - Returns: The text.
    private static func swapped(_ text: String, _ first: String, _ second: String, end: String?) -> String {
        guard let start = text.firstRange(of: first)?.lowerBound, let middle = text.firstRange(of: second)?.lowerBound,
            start < middle, let end = end.map({ text.firstRange(of: $0)?.lowerBound }) ?? text.endIndex, middle < end
        else { return text }
        return String(text[..<start] + text[middle..<end] + text[start..<middle] + text[end...])
    }
}
