/// The names of variables that a child may get.
public enum EnvironmentName {
    /// Names that a record may not set, since its writer would reach beyond the record. Such a list is never complete:
    /// each program has variables of its own.
    private struct Refusal {
        /// What such a variable changes.
        let effect: String
        var names: [String] = []
        /// What names begin with.
        var prefixes: [String] = []
        /// Names, and what names end in, whose letters may be small ones or capitals.
        var namesOfAnyCase: [String] = []
        var suffixesOfAnyCase: [String] = []
    }

    private static let refusals = [
        Refusal(
            effect: "what programs run",
            names: [
                // Shells and what starts others.
                "PATH", "IFS", "ENV", "BASH_ENV", "SHELLOPTS", "BASHOPTS", "PS0", "PS1", "PS2", "PS3", "PS4", "PROMPT",
                "PROMPT_COMMAND", "MAILPATH", "ZDOTDIR",
                "LESSOPEN", "LESSCLOSE", "PAGER", "MANPAGER", "EDITOR", "VISUAL", "BROWSER", "SSH_ASKPASS",
                "SUDO_ASKPASS",
                // bash takes their values for arithmetic, which can run commands, or does not let them be set.
                "RANDOM", "SRANDOM", "SECONDS", "OPTIND", "HISTCMD", "LINENO", "EPOCHSECONDS", "EPOCHREALTIME", "UID",
                "EUID", "PPID", "BASHPID",
                // Languages and their tools.
                "GCONV_PATH", "NODE_OPTIONS", "NODE_PATH", "PERLLIB", "PHPRC", "PHP_INI_SCAN_DIR", "CLASSPATH",
                "JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS", "JAVA_OPTS", "MAVEN_OPTS", "MAVEN_ARGS",
                "GRADLE_OPTS", "DOTNET_STARTUP_HOOKS", "MAKEFLAGS", "GNUMAKEFLAGS", "MAKEFILES", "MFLAGS", "GOFLAGS",
                "GOENV", "CARGO_HOME", "RUSTC", "RUSTFLAGS", "GEM_HOME", "GEM_PATH", "BUNDLE_GEMFILE",
                // Settings that name programs.
                "DOCKER_CONFIG", "KUBECONFIG",
            ],
            prefixes: [
                "LD_", "PYTHON", "PERL5", "RUBY", "GIT_", "VAULT_", "LUA_INIT", "LUA_PATH", "LUA_CPATH", "OPENSSL_",
                "RUSTC_", "CARGO_BUILD_", "CARGO_TARGET_",
            ],
            namesOfAnyCase: [
                "NPM_CONFIG_SCRIPT_SHELL", "NPM_CONFIG_SHELL", "NPM_CONFIG_GIT", "NPM_CONFIG_NODE_OPTIONS",
                "NPM_CONFIG_USERCONFIG", "NPM_CONFIG_GLOBALCONFIG",
            ]),
        Refusal(effect: "where programs look for their files", names: ["HOME", "TMPDIR"], prefixes: ["XDG_"]),
        Refusal(
            effect: "whom programs talk to or trust",
            names: [
                "CURL_HOME", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE", "REQUESTS_CA_BUNDLE",
                "AWS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS", "NODE_TLS_REJECT_UNAUTHORIZED", "HOSTALIASES", "DOCKER_HOST",
                "DOCKER_CONTEXT",
            ],
            suffixesOfAnyCase: ["_PROXY"]),
    ]

    /// Checks that `name` is a name and none that would run or redirect code, or that is a setting of `vault`'s own.
    ///
    /// - Throws: ``ResourceError/invalid(_:_:)``.
    public static func check(_ name: some StringProtocol) throws(ResourceError) {
        try checkSpelling(name)
        let capitals = name.uppercased()
        for refusal in refusals {
            // The rest of a name may be a token in a wrong place.
            let found: String
            if let whole = refusal.names.first(where: { $0 == name }) {
                found = "the variable \(whole)"
            } else if let whole = refusal.namesOfAnyCase.first(where: { $0 == capitals }) {
                found = "the variable \(whole)"
            } else if let prefix = refusal.prefixes.first(where: { name.hasPrefix($0) }) {
                found = "a variable that begins with \(prefix)"
            } else if let suffix = refusal.suffixesOfAnyCase.first(where: { capitals.hasSuffix($0) }) {
                found = "a variable that ends in \(suffix)"
            } else {
                continue
            }
            throw .invalid("\(found) is refused, because it changes \(refusal.effect)", .otherVariable)
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
