import Glibc
import Sodium
import TestSupport
import Testing

@Suite struct ScryptTests {
    @Test func `The vector of RFC 7914 with r = 8 and p = 1 comes out`() throws {
        // Section 12, the third; the RFC shows 64 bytes, of which the first half is the key of 32 bytes. The first two
        // have other parameters, and the fourth takes 1 GiB.
        let key = try Scrypt.deriveKey(
            passphrase: SecretBytes(Array("pleaseletmein".utf8)), salt: Array("SodiumChloride".utf8).span,
            workFactor: 14)
        #expect(key.bytes.hex == "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2")
    }

    @Test(arguments: [
        ("", "", 1), ("", "salt", 2), ("password", "", 3), ("password", "NaCl", 10), ("pässword", "a salt", 5),
    ])
    func `The key is the one that OpenSSL computes`(passphrase: String, salt: String, workFactor: Int) throws {
        let script = """
            import hashlib, sys
            passphrase, salt, work_factor = sys.argv[1:]
            key = hashlib.scrypt(passphrase.encode(), salt=salt.encode(), n=1 << int(work_factor), r=8, p=1, dklen=32)
            print(key.hex(), end="")
            """
        let expected = try Command.run("/usr/bin/python3", ["-c", script, passphrase, salt, String(workFactor)])
        let key = try Scrypt.deriveKey(
            passphrase: SecretBytes(Array(passphrase.utf8)), salt: Array(salt.utf8).span, workFactor: workFactor)
        #expect(key.bytes.hex == expected.text)
    }

    @Test(.disabled(if: Sanitizer.isInUse, "A sanitizer needs more memory than that for itself."))
    func `Too little memory is an error that says how much it would take`() async {
        await #expect(processExitsWith: .success) {
            var limit = rlimit(rlim_cur: 1 << 32, rlim_max: 1 << 32)
            try #require(setrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit) == 0)
            let error = #expect(throws: Scrypt.OutOfMemory.self) {
                _ = try Scrypt.deriveKey(passphrase: SecretBytes([1]), salt: [2].span, workFactor: 23)
            }
            #expect(error?.bytes == 8 << 30)
        }
    }

    @Test(arguments: [0, 31]) func `A work factor that cannot be is a mistake`(workFactor: Int) async {
        await #expect(processExitsWith: .failure) { [workFactor] in
            // An error would not be enough.
            _ = try? Scrypt.deriveKey(passphrase: SecretBytes([1]), salt: [2].span, workFactor: workFactor)
        }
    }
}
