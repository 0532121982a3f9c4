import Age
import Foundation
import Sodium
import TestSupport
import Testing

/// With the real `age`, in both directions.
@Suite struct InteroperabilityTests {
    /// Nothing, the edges of a chunk, and many chunks.
    static let sizes = [0, 1, 65_535, 65_536, 65_537, 10 << 20]

    @Test(arguments: sizes) func `age reads what is written here`(size: Int) throws {
        let identity = X25519Identity()
        let folder = try TemporaryFolder()
        let plaintext = pattern(size)
        let file = AgeFile.encrypt(plaintext.span, to: [identity.recipient])
        let output = try Command.run("age", ["-d", "-i", identity.written(to: folder)], input: file)
        let isSame = output.stdout == plaintext
        #expect(output.status == 0 && isSame, "\(output.errorText)")
    }

    @Test(arguments: sizes) func `What age writes is read here`(size: Int) throws {
        let identity = X25519Identity()
        let plaintext = pattern(size)
        let output = try Command.run("age", ["-r", identity.recipient.description], input: plaintext)
        #expect(output.status == 0, "\(output.errorText)")
        let isSame = try decrypt(output.stdout, with: [identity]) == plaintext
        #expect(isSame)
    }

    @Test(arguments: [0, 1, 100, 65_537]) func `What age writes as text is read here`(size: Int) throws {
        let identity = X25519Identity()
        let plaintext = pattern(size)
        let output = try Command.run("age", ["-a", "-r", identity.recipient.description], input: plaintext)
        #expect(output.status == 0, "\(output.errorText)")
        let isSame = try decrypt(Armor.decode(output.stdout), with: [identity]) == plaintext
        #expect(isSame)
    }

    @Test func `A file for several recipients is read by each of them, and by nobody else`() throws {
        let folder = try TemporaryFolder()
        let plaintext = pattern(1000)
        let identities = (0..<3).map { _ in X25519Identity() }
        let ours = AgeFile.encrypt(plaintext.span, to: identities.map { $0.recipient })
        let arguments = identities.flatMap { ["-r", $0.recipient.description] }
        let theirs = try Command.run("age", arguments, input: plaintext).stdout
        for identity in identities {
            let output = try Command.run("age", ["-d", "-i", identity.written(to: folder)], input: ours)
            #expect(output.status == 0 && output.stdout == plaintext, "\(output.errorText)")
            #expect(try decrypt(theirs, with: [identity]) == plaintext)
        }
        let stranger = X25519Identity()
        #expect(try Command.run("age", ["-d", "-i", stranger.written(to: folder)], input: ours).status == 1)
        #expect(throws: AgeError.noMatch) { _ = try decrypt(theirs, with: [stranger]) }
    }

    @Test func `An identity file that age-keygen makes is read here`() throws {
        let text = try Command.run("age-keygen").stdout
        let contents = try IdentityFile.parse(text.span, commentsAfter: "public key:")
        #expect(contents.identities.count == 1)
        let recipient = try #require(contents.identities.first).recipient
        #expect(contents.comments == ["\(recipient)"])
    }

    @Test func `age-keygen finds the same recipient for an identity that is made here`() throws {
        let identity = X25519Identity()
        let folder = try TemporaryFolder()
        let output = try Command.run("age-keygen", ["-y", identity.written(to: folder)])
        #expect(output.text == "\(identity.recipient)\n", "\(output.errorText)")
    }

    @Test(arguments: [["-p"], ["-p", "-a"]])
    func `An identity file that age protects with a passphrase is read here`(arguments: [String]) throws {
        let folder = try TemporaryFolder()
        let identity = X25519Identity()
        let output = try Self.age(
            arguments + ["-o", folder.file("protected"), identity.written(to: folder)], passphrase: "correct horse")
        #expect(output.status == 0, "\(output.text)")
        let file = try Array(Data(contentsOf: URL(filePath: folder.file("protected"))))
        #expect(isEncrypted(file))
        let opened = try IdentityFile.decrypt(file, with: passphrase("correct horse")).bytes
        #expect(
            try IdentityFile.parse(opened.span, commentsAfter: "id:").identities.map(\.recipient) == [
                identity.recipient
            ])
    }

    @Test func `age reads what is protected with a passphrase here`() throws {
        let folder = try TemporaryFolder()
        let plaintext = pattern(100)
        let recipient = ScryptRecipient(passphrase: SecretBytes(Array("correct horse".utf8)), workFactor: 10)
        try Data(AgeFile.encrypt(plaintext.span, to: recipient)).write(to: URL(filePath: folder.file("protected")))
        let arguments = ["-d", "-o", folder.file("plain"), folder.file("protected")]
        let output = try Self.age(arguments, passphrase: "correct horse")
        #expect(output.status == 0, "\(output.text)")
        #expect(try Array(Data(contentsOf: URL(filePath: folder.file("plain")))) == plaintext)
        #expect(try Self.age(arguments, passphrase: "wrong horse").status != 0)
    }

    /// Runs age at a terminal of its own, where it asks for the passphrase.
    private static func age(_ arguments: [String], passphrase: String) throws -> Command.Output {
        let script = """
            set timeout 20
            spawn -noecho age {*}[lrange $argv 1 end]
            expect {
                -re "(Enter|Confirm) passphrase\\[^:]*: " { send "[lindex $argv 0]\\r"; exp_continue }
                eof
            }
            exit [lindex [wait] 3]
            """
        return try Command.run("expect", ["-", passphrase] + arguments, input: Array(script.utf8))
    }
}

extension X25519Identity {
    /// Writes an identity file, and returns its path.
    fileprivate func written(to folder: TemporaryFolder) throws -> String {
        let path = folder.file(recipient.description)
        try Data(encoded().bytes + Array("\n".utf8)).write(to: URL(filePath: path))
        return path
    }
}
