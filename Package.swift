// swift-tools-version: 6.2

import PackageDescription

// Scripts/build says which commit this is. Not Context.gitInformation: a cached manifest keeps that of an earlier commit,
// while the environment is a part of the cache's key. Only CBuild is compiled again when it changes.
let commit = Context.environment["VAULT_COMMIT"] ?? ""

let package = Package(
    name: "vault",
    products: [
        .executable(name: "vault", targets: ["vault"])
    ],
    // Exact, since Package.resolved is not kept: a build of the same commit is the same build.
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        .package(url: "https://github.com/apple/swift-system", exact: "1.8.1"),
    ],
    targets: [
        // Floor 1: what C gives us.
        .systemLibrary(name: "CSodium"),
        .target(name: "CLinux"),
        .target(name: "CBuild", cSettings: [.define("VAULT_COMMIT", to: "\"\(commit)\"")]),

        // Floor 2: one safe layer over each.
        .target(name: "Sodium", dependencies: ["CSodium"], linkerSettings: [.linkedLibrary("sodium")]),
        .target(name: "ChildProcess", dependencies: ["CLinux"]),

        // Floor 3: what can be done with secrets.
        .target(name: "Age", dependencies: ["Sodium"]),
        .target(name: "Redaction", dependencies: ["CLinux", "Sodium"]),

        // Floor 4: the file.
        .target(
            name: "VaultFile",
            dependencies: ["Age", "Sodium", .product(name: "SystemPackage", package: "swift-system")]),

        // Floor 5: who opens it, and what the records mean.
        .target(name: "UnlockAgent", dependencies: ["Age", "ChildProcess", "CLinux", "Sodium", "VaultFile"]),
        .target(name: "Resources", dependencies: ["VaultFile", "Sodium"]),

        // Floor 6: how a header reaches a client.
        .target(name: "Injection", dependencies: ["Resources", "Sodium", "VaultFile"]),

        // Floor 6 as well: where many machines find the newest version.
        .target(
            name: "Remotes",
            dependencies: [
                "ChildProcess", "CLinux", "Resources", "Sodium", "VaultFile",
                .product(name: "SystemPackage", package: "swift-system"),
            ]),

        // Floor 7: the commands.
        .executableTarget(
            name: "vault",
            dependencies: [
                "Age", "CBuild", "ChildProcess", "CLinux", "Injection", "Redaction", "Remotes", "Resources", "Sodium",
                "UnlockAgent", "VaultFile",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "SystemPackage", package: "swift-system"),
            ]),

        // The tests, one target for each floor's target, and what they share.
        .target(name: "TestSupport", dependencies: ["Sodium"], path: "Tests/TestSupport"),
        .testTarget(name: "TestSupportTests", dependencies: ["TestSupport"]),
        .testTarget(name: "SodiumTests", dependencies: ["Sodium", "TestSupport"]),
        .testTarget(name: "AgeTests", dependencies: ["Age", "CSodium", "Sodium", "TestSupport"]),
        .testTarget(
            name: "VaultFileTests",
            dependencies: [
                "Age", "Sodium", "TestSupport", "VaultFile", .product(name: "SystemPackage", package: "swift-system"),
            ],
            exclude: ["Independent", "Vectors"]),
        .testTarget(name: "ChildProcessTests", dependencies: ["CLinux", "ChildProcess", "TestSupport"]),
        .testTarget(name: "RedactionTests", dependencies: ["Redaction", "Sodium", "TestSupport"]),
        .testTarget(
            name: "UnlockAgentTests", dependencies: ["Age", "Sodium", "TestSupport", "UnlockAgent", "VaultFile"]),
        .testTarget(
            name: "ResourcesTests",
            dependencies: [
                "Age", "Resources", "Sodium", "TestSupport", "VaultFile",
                .product(name: "SystemPackage", package: "swift-system"),
            ]),
        .testTarget(
            name: "InjectionTests", dependencies: ["Injection", "Resources", "Sodium", "TestSupport", "VaultFile"]),
        .testTarget(
            name: "RemotesTests",
            dependencies: [
                "Remotes", "Resources", "Sodium", "TestSupport", "VaultFile",
                .product(name: "SystemPackage", package: "swift-system"),
            ]),
        .testTarget(
            name: "CommandTests",
            dependencies: [
                "TestSupport", "vault", .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            exclude: ["Help", "Scripts", "Tools"]),
        .testTarget(name: "DocumentationTests", dependencies: ["Age", "Sodium", "TestSupport", "VaultFile"]),
    ]
)

// The targets of Scripts/fuzz. Ordinary builds run their corpora as a test; one that has VAULT_FUZZ set, and libFuzzer's
// instrumentation throughout, makes a program of them.
let isForFuzzing = Context.environment["VAULT_FUZZ"] != nil
let fuzzed: [Target.Dependency] = [
    "Age", "ChildProcess", "Injection", "Redaction", "Remotes", "Resources", "Sodium", "UnlockAgent", "VaultFile",
    .product(name: "SystemPackage", package: "swift-system"),
]
if isForFuzzing {
    package.targets.append(
        .executableTarget(
            name: "FuzzTests", dependencies: fuzzed, path: "Tests/FuzzTests", exclude: ["CorpusTests.swift"],
            // The default linker warns of each of the sanitizer's symbols.
            linkerSettings: [.unsafeFlags(["-use-ld=lld"])]))
} else {
    package.targets.append(
        .testTarget(name: "FuzzTests", dependencies: fuzzed, exclude: ["FuzzerInterface.swift"]))
}

/// What the tests are made of; strict memory safety has no place there.
let testTargets: Set = ["FuzzTests", "TestSupport"]

for target in package.targets where target.type != .system {
    var settings = target.swiftSettings ?? []
    settings += [
        .swiftLanguageMode(.v6),
        .treatAllWarnings(as: .error),
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("MemberImportVisibility"),
    ]
    if target.type != .test && !testTargets.contains(target.name) {
        settings.append(.strictMemorySafety())
    }
    target.swiftSettings = settings
}
