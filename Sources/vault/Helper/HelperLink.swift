/// The names by which clients find a helper: links to the program, whose own name stands at their ends.
enum HelperLink {
    /// How such a name begins, and the helper that is meant. A list, and compared by bytes: each start comes by here.
    private static let prefixes = [
        ("git-credential-", "git"), ("docker-credential-", "docker"), ("terraform-credentials-", "terraform"),
    ]

    /// What a name that the program was called by says: which helper is meant, if any, and the program's own name.
    static func parse(_ name: String) -> (helper: String?, program: String) {
        for (prefix, helper) in prefixes
        where name.utf8.starts(with: prefix.utf8) && name.utf8.count > prefix.utf8.count {
            return (helper, String(name[name.utf8.index(name.startIndex, offsetBy: prefix.utf8.count)...]))
        }
        return (nil, name)
    }
}
