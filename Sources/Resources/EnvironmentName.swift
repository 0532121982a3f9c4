/// The names of variables that a child may get.
public enum EnvironmentName {
    private static let refused = [
        "PATH", "IFS", "ENV", "BASH_ENV", "SHELLOPTS", "NODE_OPTIONS",
    ]
    private static let refusedPrefixes = ["LD_", "PYTHON", "PERL5", "RUBY", "GIT_", "VAULT_"]

    /// Checks that `name` is a name and none that would run or redirect code, or that is a setting of `vault`'s own.
    ///
    /// - Throws: ``ResourceError/invalid(_:_:)``.
    public static func check(_ name: some StringProtocol) throws(ResourceError) {
        try checkSpelling(name)
        if let name = refused.first(where: { $0 == name }) {
            throw .invalid("the variable \(name) is refused, because it changes what programs run", .otherVariable)
        }
        if let prefix = refusedPrefixes.first(where: { name.hasPrefix($0) }) {
            // The rest of the name may be a token in a wrong place.
            throw .invalid(
                "a variable that begins with \(prefix) is refused, because it changes what programs run", .otherVariable
            )
        }
    }

    /// Checks that `name` is a name at all.
    static func checkSpelling(_ name: some StringProtocol) throws(ResourceError) {
        guard let first = name.utf8.first, name.utf8.allSatisfy(\.isNameCharacter),
            !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first)
        else { throw .invalid("a variable has a name that no environment variable can have") }
    }

    /// What the default variables of a resource begin with: the name in capitals, other characters as `_`, a leading
    /// digit behind `_`.
    public static func prefix(for resource: String) -> String {
        let capitals = resource.utf8.map { byte -> Character in
            guard byte.isNameCharacter else { return "_" }
            return Character(
                Unicode.Scalar((UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) ? byte & 0xdf : byte))
        }
        let name = String(capitals)
        return name.first?.isNumber == true ? "_" + name : name
    }
}
