internal import Age
internal import ArgumentParser
internal import Glibc
internal import SystemPackage
internal import VaultFile

struct MemberCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "member", abstract: "List, add and remove those who can open the vault.",
        discussion: """
            One member is the owner, who alone adds and removes others. A writer changes resources, a reader reads \
            them. Somebody else becomes the owner by 'rekey'.
            """,
        subcommands: [List.self, Add.self, Remove.self])

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List the members.")

        @Flag(help: "As JSON.")
        var json = false

        @OptionGroup var options: AccessOptions

        func run() throws {
            let session = try Session(options.access)
            let reader = try session.vault.open()
            if json {
                let objects = reader.members.map { member in
                    "{\"role\":\"\(member.role.rawValue)\",\"label\":\"\(member.label)\""
                        + ",\"recipient\":\"\(member.recipient)\",\"verifier\":\(ResourceJSON.optional(member.key))"
                        + ",\"self\":\(session.vault.isOwn(member))}"
                }
                try Output.write(ResourceJSON.list(objects) + "\n")
            } else {
                var table = Table(["ROLE", "LABEL", "RECIPIENT", "VERIFIER", "YOU"])
                for member in reader.members {
                    let cells = [
                        member.role.rawValue, member.label, member.recipient.description,
                        member.key?.description ?? "-", session.vault.isOwn(member) ? "yes" : "-",
                    ]
                    table.append(cells.map { ($0, .plain) })
                }
                try table.print()
            }
            session.finish()
        }
    }

    struct Add: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Let somebody open the vault.",
            discussion: """
                The new member runs 'identity show', which prints the recipient and the verifier. Prints the vault's \
                pin, which the new member needs besides the file.
                """)

        /// The roles that can be given away.
        enum GivenRole: String, ExpressibleByArgument, CaseIterable {
            case reader, writer

            var role: Role { self == .writer ? .writer : .reader }
        }

        @Option(help: ArgumentHelp("What the new member may do.", valueName: "role"))
        var role = GivenRole.reader

        @Argument(help: "A name for the member, of letters, digits and . _ -.")
        var label: String

        @Argument(help: "The member's recipient, age1...")
        var recipient: String

        @Argument(help: "The member's verifier, vaultkey1...; a writer needs one.")
        var verifier: String?

        @Flag(help: "As JSON.")
        var json = false

        @OptionGroup var sharing: SharingOptions
        @OptionGroup var options: AccessOptions

        func run() throws {
            let access = options.access
            let member = try newMember()
            let session = try Session(access)
            let sharing = try Sharing(session, self.sharing)
            let written = try session.vault.updateMembers { _, members in
                try Self.refuse(member, among: members)
                members.append(member)
            }
            let pin = written.result
            if json {
                try Output.write(
                    outcome: "{\"added\":\"\(label)\",\"role\":\"\(member.role.rawValue)\",\"pin\":\"\(pin)\"}\n")
            } else {
                try Output.write(outcome: "pin \(pin)\n")
            }
            Messages.note("added \(label) as \(member.role.rawValue)", unless: access.quiet)
            Messages.note(
                "they need the file \(session.vault.path), and the pin (VAULT_ID) by another way than the file takes",
                unless: access.quiet)
            session.finish()
            try written.confirm()
            try sharing.push(quiet: access.quiet)
        }

        /// The member that the arguments give, none of which is repeated before it is known for what it is.
        private func newMember() throws -> Member {
            let arguments = [label, recipient, verifier ?? ""]
            if arguments.contains(where: { $0.uppercased().contains("AGE-SECRET-KEY-") }) {
                throw Failure(
                    .usage, "this is a secret key, which is for nobody but the new member",
                    hint: "as an argument, everybody could read it: they had better make another one with "
                        + "'\(Process.name) identity new'")
            }
            guard X25519Recipient(parsing: label) == nil else {
                throw Failure(.usage, "there is no label in front of the recipient", hint: Self.usage)
            }
            try MemberCommand.checkLabel(label)
            let recipient = try Self.recipient(recipient)
            var key: VerificationKey?
            if let verifier {
                key = VerificationKey(verifier)
                guard key?.canVerify ?? false else { throw Failure(.usage, "this is not a verifier", hint: Self.usage) }
            } else if role == .writer {
                throw Failure(.usage, "a writer needs a verifier behind the recipient", hint: Self.usage)
            }
            return Member(role: role.role, recipient: recipient, key: key, label: label)
        }

        private static func recipient(_ text: String) throws -> X25519Recipient {
            if let recipient = X25519Recipient(parsing: text) { return recipient }
            let lowercase = text.lowercased()
            let what =
                if let recipient = X25519Recipient(unchecked: text) {
                    recipient.isCanonical
                        ? "this recipient is a point of low order, which everybody could open"
                        : "this recipient is not written as age writes one"
                } else if lowercase.hasPrefix("vaultkey1") {
                    "this is a verifier, and the recipient comes before it"
                } else if lowercase.hasPrefix("ssh-") {
                    "an SSH key cannot be a member, only an X25519 recipient of age (age1…)"
                } else if lowercase.hasPrefix("age1"), lowercase.dropFirst(4).contains("1") {
                    // Behind the prefix of an X25519 recipient no 1 can follow.
                    "a recipient of another kind than X25519 (age1…) cannot be a member"
                } else if text != lowercase, X25519Recipient(parsing: lowercase) != nil {
                    "a recipient is written in lower case"
                } else {
                    "this is not a recipient"
                }
            throw Failure(.usage, what, hint: usage)
        }

        private static var usage: String {
            "the new member runs '\(Process.name) identity show', and the owner gives what that prints: "
                + "'\(Process.name) member add LABEL age1… vaultkey1…'"
        }

        private static func refuse(_ member: Member, among members: [Member]) throws {
            if let other = members.first(where: { $0.label == member.label }) {
                throw Failure(
                    .exists, "there is a member \(member.label) already",
                    hint: other.role == member.role
                        ? "give the new one another label, or remove \(member.label) first"
                        : "to change what \(member.label) may do, remove \(member.label) first")
            }
            if let other = members.first(where: { $0.recipient == member.recipient }) {
                throw Failure(.exists, "this recipient is there already, as \(other.label)")
            }
            if let key = member.key, let other = members.first(where: { $0.key == key }) {
                throw Failure(.exists, "this verifier is there already, as \(other.label)")
            }
        }
    }

    struct Remove: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Encrypt the vault anew, without one of its members.",
            discussion: """
                Prints the vault's new pin, the resources whose tokens the member could read, and the moment since \
                which they must be rotated. Copies that were made before stay readable to the member, the .bak among \
                them.
                """)

        @Argument(
            help: "The member.",
            completion: .custom { _, _, _ in
                Session.completing { reader in reader.members.filter { $0.role != .owner }.map(\.label) }
            })
        var label: String

        @Flag(help: "As JSON.")
        var json = false

        @OptionGroup var sharing: SharingOptions
        @OptionGroup var options: AccessOptions

        func run() throws {
            let access = options.access
            try MemberCommand.checkLabel(label)
            let session = try Session(access)
            let sharing = try Sharing(session, self.sharing)
            // A block that does not check must keep nobody a member, least of all the writer who damaged it.
            var listed = Result<[RecordName], any Error>.success([])
            let written = try session.vault.updateMembers { reader, members in
                guard let index = members.firstIndex(where: { $0.label == label }) else {
                    throw Failure(
                        .missing, "there is no member \(ResourceNames.shown(label))",
                        hint: "see who there is with '\(Process.name) member list'")
                }
                guard members[index].role != .owner else {
                    throw Failure(
                        .notAllowed, "\(label) is the vault's owner, who cannot be removed",
                        hint: "a writer becomes the owner with '\(Process.name) rekey', and can then do it")
                }
                members.remove(at: index)
                listed = Result { try reader.names() }
            }
            let pin = written.result
            let path = session.vault.path
            let known = Session.knownVaults()
            if let entry = try? known.entry(for: path), entry.pin.id == pin.id {
                // Never lower than somebody has set it.
                let version = max(pin.minimumRosterVersion, entry.pin.minimumRosterVersion)
                Session.remember(
                    Pin(id: pin.id, minimumRosterVersion: version), path, known, followsGit: entry.followsGit)
            }
            let since = Self.nextSecond()
            let names = try? listed.get()
            if json {
                let rotate = names.map { ResourceJSON.list($0.map { "\"\($0)\"" }) } ?? "null"
                try Output.write(
                    outcome:
                        "{\"removed\":\"\(label)\",\"pin\":\"\(pin)\",\"rotate\":\(rotate),\"since\":\"\(since)\"}\n")
            } else {
                try Output.write(
                    outcome: "pin \(pin)\nsince \(since)\n" + (names ?? []).map { "rotate \($0)\n" }.joined())
            }
            if !access.quiet { explain(path, since, hasTokens: names != []) }
            session.finish()
            try written.confirm()
            _ = try listed.get()
            try sharing.push(quiet: access.quiet)
        }

        private func explain(_ path: FilePath, _ since: Timestamp, hasTokens: Bool) {
            Messages.print("removed \(label); give the new pin to the machines that keep one")
            Messages.print(
                "older copies stay readable to \(label), such as \(DurableFile.target(of: path)).bak",
                hint: hasTokens
                    ? "rotate the tokens, and revoke the old ones with their issuers; until all are rotated, this fails: "
                        + "\(Process.name) check --added-since \(since)"
                    : nil)
        }

        /// The next second, once it has begun. Dates count whole seconds: what was stored before the removal is older
        /// than this one, and what is stored from now on is not.
        private static func nextSecond() -> Timestamp {
            let next = Timestamp(seconds: Timestamp.now.seconds + 1)
            // Not for as long as it takes a clock that somebody sets back.
            for _ in 0..<200 where Timestamp.now < next { usleep(10_000) }
            return next
        }
    }

    static func checkLabel(_ label: String) throws {
        guard Member.isLabel(label) else {
            throw Failure(.usage, "this cannot be a label", hint: "letters, digits and . _ -, at most 64")
        }
    }
}
