import Resources
import TestSupport
import Testing

@Suite struct EnvironmentNameTests {
    @Test(arguments: [
        "GITHUB_TOKEN", "x", "_", "_1", "a1", "lower_case", "HOMES", "PATH_TO", "MY_PATH", "path", "IFS_",
        "ENVIRONMENT",
        "ENV_TOKEN", "GITLAB", "GIT", "GITHUB", "LD", "PERL", "PERL4LIB", "PYTHO", "RUB", "VAULT", "MY_VAULT_TOKEN",
        "NODE_OPTION", "NODE_OPTIONS_2", "git_dir", "SHELLOPTS_", "_LD_PRELOAD", "CARGO_REGISTRY_TOKEN",
        "CARGO_REGISTRIES_MINE_TOKEN", "NPM_CONFIG_REGISTRY", "npm_config__auth", "NPM_TOKEN", "HTTP_TOKEN", "PROXY",
        "PROXY_TOKEN", "HOME_TOKEN", "DOCKER_TOKEN", "KUBE_TOKEN", "JAVA_TOKEN", "MAVEN_TOKEN", "SSL_TOKEN",
        "BUNDLE_GITHUB__COM", "LUA_TOKEN", "XDG", "home",
    ])
    func `A name that is one can be given`(name: String) throws {
        try EnvironmentName.check(name)
    }

    @Test(arguments: [
        "", "1", "1A", "9_", "A-B", "A.B", "A B", " A", "A ", "A=B", "=", "A\0", "A\n", "Ä", "Aé", "K\u{301}", "A/B",
        "A:",
        "A$B", "A{}", "٣", "\u{212a}EY",
    ])
    func `What is no name is refused`(name: String) {
        let error = #expect(throws: ResourceError.self) { try EnvironmentName.check(name) }
        #expect(error == .invalid("a variable has a name that no environment variable can have"))
    }

    @Test(arguments: [
        "PATH", "IFS", "ENV", "BASH_ENV", "SHELLOPTS", "NODE_OPTIONS", "LD_PRELOAD", "LD_LIBRARY_PATH", "LD_AUDIT",
        "LD_",
        "PYTHONPATH", "PYTHONSTARTUP", "PYTHONHOME", "PYTHON", "PERL5OPT", "PERL5LIB", "PERL5DB", "PERL5", "RUBYOPT",
        "RUBYLIB", "RUBY", "GIT_SSH_COMMAND", "GIT_DIR", "GIT_CONFIG_COUNT", "GIT_", "VAULT_TOKEN", "VAULT_ADDR",
        "VAULT_IDENTITY", "VAULT_",
    ])
    func `A name that changes what programs run is refused`(name: String) throws {
        let error = #expect(throws: ResourceError.self) { try EnvironmentName.check(name) }
        guard case .invalid(let words, .otherVariable) = try #require(error) else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(words.hasSuffix(" is refused, because it changes what programs run"), "\(words)")
    }

    @Test(arguments: [
        "BASHOPTS", "PS0", "PS1", "PS4", "PROMPT", "MAILPATH", "RANDOM", "OPTIND", "UID", "BASHPID", "PROMPT_COMMAND",
        "ZDOTDIR", "LESSOPEN", "LESSCLOSE", "PAGER", "EDITOR", "VISUAL", "BROWSER",
        "SSH_ASKPASS", "SUDO_ASKPASS", "GCONV_PATH", "JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS",
        "MAVEN_OPTS", "MAKEFLAGS", "GNUMAKEFLAGS", "LUA_INIT", "LUA_INIT_5_4", "OPENSSL_CONF", "OPENSSL_MODULES",
        "RUSTC_WRAPPER", "CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER", "CARGO_BUILD_RUSTC", "KUBECONFIG",
        "NPM_CONFIG_SCRIPT_SHELL", "npm_config_script_shell", "Npm_Config_Script_Shell",
    ])
    func `Other names that run code are refused`(name: String) {
        #expect(reason(name)?.hasSuffix(" is refused, because it changes what programs run") == true)
    }

    @Test(arguments: [
        ("HOME", "where programs look for their files"), ("TMPDIR", "where programs look for their files"),
        ("XDG_CONFIG_HOME", "where programs look for their files"), ("XDG_", "where programs look for their files"),
        ("HTTP_PROXY", "whom programs talk to or trust"), ("http_proxy", "whom programs talk to or trust"),
        ("Https_Proxy", "whom programs talk to or trust"), ("ALL_PROXY", "whom programs talk to or trust"),
        ("no_proxy", "whom programs talk to or trust"), ("npm_config_https_proxy", "whom programs talk to or trust"),
        ("CURL_HOME", "whom programs talk to or trust"), ("CURL_CA_BUNDLE", "whom programs talk to or trust"),
        ("SSL_CERT_FILE", "whom programs talk to or trust"), ("SSL_CERT_DIR", "whom programs talk to or trust"),
        ("SSLKEYLOGFILE", "whom programs talk to or trust"), ("REQUESTS_CA_BUNDLE", "whom programs talk to or trust"),
        ("DOCKER_HOST", "whom programs talk to or trust"),
    ])
    func `Names that redirect are refused`(name: String, effect: String) {
        #expect(reason(name)?.hasSuffix(" is refused, because it changes \(effect)") == true)
    }

    private func reason(_ name: String) -> String? {
        do throws(ResourceError) {
            try EnvironmentName.check(name)
            return nil
        } catch {
            guard case .invalid(let words, .otherVariable) = error else { return nil }
            return words
        }
    }

    @Test(arguments: [
        ("github", "GITHUB"), ("GitHub", "GITHUB"), ("a", "A"), ("az09", "AZ09"), ("my-api", "MY_API"),
        ("api.github.com", "API_GITHUB_COM"), ("team/prod/db-1", "TEAM_PROD_DB_1"), ("a_b", "A_B"), ("a--b", "A__B"),
        ("3scale", "_3SCALE"), ("0", "_0"), ("9.9", "_9_9"), ("Z", "Z"), ("zZ", "ZZ"),
    ])
    func `The default variables begin with the name in capitals`(resource: String, prefix: String) throws {
        #expect(EnvironmentName.prefix(for: resource) == prefix)
        try EnvironmentName.check(prefix + "_TOKEN")
    }
}
