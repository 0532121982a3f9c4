import Age
import SystemPackage
import TestSupport
import Testing

@testable import VaultFile

/// Vaults that are wrong in one way each, made by a program that is not this one, and what must be said of them.
@Suite struct ForgeryTests {
    struct Forgery: CustomTestStringConvertible {
        let name: String
        let error: VaultError

        init(_ name: String, _ error: VaultError) {
            self.name = name
            self.error = error
        }

        /// A forgery that is damage, with these words.
        init(_ name: String, _ words: String) { self.init(name, .damaged(words)) }

        var testDescription: String { name }
    }

    /// The vault as its owner sees it.
    private func vault(_ options: [String], in folder: TemporaryFolder) throws -> Vault {
        let people = [X25519Identity(), X25519Identity(), X25519Identity()]
        let path = FilePath(folder.file("vault.age"))
        let pin = try Independent.write(path, people: people, options)
        #expect(try Independent.check(path, as: people[0], pin: pin).status == 1)
        return Vault(
            path: path, identities: [people[0]], trust: .init(pin: pin), ratchet: Ratchet(folder: FilePath("/dev/null"))
        )
    }

    @Test(arguments: outside + footers + tails + rosters + manifests + indexes)
    func isRefusedWhenTheVaultIsOpened(_ forgery: Forgery) throws {
        let folder = try TemporaryFolder()
        let vault = try vault(["--forge", forgery.name], in: folder)
        #expect(throws: forgery.error.at(vault.path)) { _ = try vault.open() }
    }

    @Test(arguments: blocks)
    func isRefusedWhenItsBlockIsRead(_ forgery: Forgery) throws {
        let folder = try TemporaryFolder()
        let vault = try vault(["--forge", forgery.name], in: folder)
        var reader = try vault.open()
        #expect(throws: forgery.error.at(vault.path)) { try reader.records() }
        let name = reader.tail.index.entries[0].first
        #expect(throws: forgery.error.at(vault.path)) { try reader.withRecord(named: name) { _ in } }
        // Whatever would change the block is refused as well.
        #expect(throws: forgery.error.at(vault.path)) { try vault.put(record("\(name)")) }
        #expect(throws: forgery.error.at(vault.path)) { try vault.remove("\(name)") }
        // What cannot be there is not looked for.
        #expect(try reader.record("0") == nil)
        if reader.blockCount == 3, forgery.name != "chunks-swapped", forgery.name != "blocks-swapped" {
            #expect(try reader.record("cc") == record("cc", size: 33))
        }
    }

    @Test func allOfThemAreTested() throws {
        let tested =
            Self.outside + Self.footers + Self.tails + Self.rosters + Self.manifests + Self.indexes + Self.blocks
        #expect(tested.map(\.name).sorted() == (try Independent.forgeries().sorted()))
    }

    private static let outside: [Forgery] = [
        .init("unknown-age-version", "the header is malformed: the first line is not that of an age file"),
        .init("header-mac", "the header was changed"),
        .init("stanza-added-later", "the header was changed"),
        .init("stanza-removed-later", "the header was changed"),
        .init("passphrase-stanza", "the header is malformed: a passphrase stanza, which a vault does not have"),
        .init("low-order-share", "the header is malformed: an X25519 stanza whose share is a point of low order"),
        .init("no-stanza-for-members", .noMatch),
        .init("1025-stanzas", "the header is malformed: more than 1024 stanzas"),
        .init("header-above-1-mib", "the header is malformed: it ends within a line, or is longer than 1048576 bytes"),
        .init("no-payload", "the header is malformed: the payload's nonce is cut short"),
        .init("empty-payload", "the content is damaged: it is empty"),
        .init("chunk-left-out", "the content is damaged: chunk 2 of 3 was changed, or the end is missing"),
        .init("chunk-repeated", "the content is damaged: chunk 4 of 5 was changed, or the end is missing"),
        .init("last-chunk-left-out", "the content is damaged: chunk 2 of 3 was changed, or the end is missing"),
        .init("nothing-inside", "its size is not one that a vault can have"),
    ]

    private static let footers: [Forgery] =
        [
            .init("k-zero", "the index line is malformed, or does not have the 0 blocks of the footer"),
            .init("k-small", "the index line is malformed, or does not have the 2 blocks of the footer"),
            .init("k-large", "the footer gives 4 blocks, which the size contradicts"),
        ]
        + [
            "k-above-the-maximum", "k-enormous", "k-negative", "k-with-leading-zero", "k-as-fraction", "k-missing",
            "format-version-2", "footer-with-space-inside", "footer-with-another-member", "footer-with-tab",
            "footer-without-newline", "footer-of-63-bytes",
        ].map { .init($0, "the footer is malformed") }

    private static let threeBlocks = "the index line is malformed, or does not have the 3 blocks of the footer"

    private static let tails: [Forgery] =
        [
            .init("fifth-line", "the tail has other lines than index, roster, manifest and footer"),
            .init("blank-line", "the manifest line is malformed"),
            .init("lines-in-another-order", threeBlocks),
            .init("manifest-before-roster", "the roster line is malformed"),
            .init("no-roster-line", "the roster line is malformed"),
            .init("tail-not-a-multiple-of-4096", "its size is not one that a vault can have"),
            .init("tail-above-16-mib", "the footer gives 3 blocks, which the size contradicts"),
            .init("block-before-the-tail-repeated", threeBlocks),
            .init("block-left-out", "the footer gives 3 blocks, which the size contradicts"),
            .init("index-line-ends-in-space", threeBlocks),
            .init("roster-line-ends-in-space", "the roster line does not end where it should"),
            .init("manifest-line-ends-in-tab", "the manifest line does not end where it should"),
            .init("manifest-signature-of-61-bytes", "the manifest line is malformed"),
        ]
        + [
            "roster-line-with-space-inside", "roster-line-with-repeated-member", "roster-line-with-another-member",
            "roster-line-with-another-name", "roster-line-not-utf-8", "roster-line-with-lone-surrogate",
            "roster-signature-unpadded",
        ].map { .init($0, "the roster line is malformed") }

    private static let rosters: [Forgery] =
        [
            .init("roster-signed-by-stranger", "the roster is not signed by its root"),
            .init("roster-signed-by-writer", "the roster is not signed by its root"),
            .init("roster-signed-by-writer-as-owner", "the roster's signature does not fit"),
            .init("roster-changed-after-signing", "the roster's signature does not fit"),
        ]
        + [
            "roster-of-another-root", "roster-with-another-nonce", "nonce-of-15-bytes", "nonce-not-canonical",
            "nonce-unpadded", "roster-of-another-vault", "roster-version-0", "roster-version-01",
            "roster-version-too-high", "roster-version-in-arabic", "roster-with-two-spaces",
            "roster-with-carriage-return", "roster-without-last-newline", "roster-with-blank-line",
            "roster-with-another-line", "roster-without-root", "roster-titled-manifest", "roster-of-format-version-2",
            "no-members", "two-owners", "owner-is-not-root", "recipient-twice", "key-twice", "label-twice",
            "writer-without-key", "label-with-slash", "label-of-65-bytes", "label-not-ascii", "label-empty",
            "role-admin", "recipient-with-wrong-checksum", "recipient-in-upper-case", "recipient-that-is-a-key",
            "recipient-with-pad-bits", "key-that-is-a-recipient",
        ].map { .init($0, "the roster is malformed") }

    private static let manifests: [Forgery] =
        [
            .init("manifest-signed-by-reader", "the manifest is signed by somebody who may not write"),
            .init("manifest-signed-by-reader-with-key", "the manifest is signed by somebody who may not write"),
            .init("manifest-signed-by-stranger", "the manifest is signed by somebody who may not write"),
            .init("manifest-signed-by-stranger-as-owner", "the manifest's signature does not fit"),
            .init("manifest-of-another-vault", "the manifest is another vault's"),
            .init("manifest-of-another-roster", "the manifest was made under another roster"),
            .init("manifest-of-another-index", "the index is not the one that the manifest names"),
        ]
        + [
            "generation-0", "generation-too-high", "generation-as-fraction", "previous-descending",
            "previous-twice-the-same", "previous-three", "previous-empty", "previous-of-31-bytes",
            "written-with-offset", "written-with-fraction", "manifest-with-another-line", "manifest-in-another-order",
            "manifest-without-written", "manifest-titled-roster",
        ].map { .init($0, "the manifest is malformed") }

    private static let indexes: [Forgery] =
        [
            .init("index-in-another-order", "the names of the index are not in ascending order"),
            .init("index-with-equal-names", "the names of the index are not in ascending order"),
        ]
        + [
            "index-too-short", "index-too-long", "index-with-bad-name", "index-with-empty-name",
            "index-with-another-member", "index-members-in-another-order", "index-with-repeated-member",
            "index-hash-of-31-bytes", "index-hash-is-a-number", "index-with-space-inside", "index-is-null",
        ].map { .init($0, threeBlocks) }

    private static let blocks: [Forgery] =
        [
            .init("chunks-swapped", "the content is damaged: chunk 0 of 4 was changed, or the end is missing"),
            .init("block-not-with-its-first", "block 0 does not begin with the name that the index gives"),
            .init("block-empty", "block 0 holds no record"),
            .init("block-ends-with-blank-line", "block 0 does not end as a block does"),
            .init("block-without-last-newline", "block 0 does not end as a block does"),
        ]
        + ["blocks-swapped", "block-changed", "block-hash-of-another"].map {
            .init($0, "block 0 is not the one that the index names")
        }
        + [
            "block-overlaps-the-next", "block-reaches-beyond-the-next", "records-descending", "record-twice",
            "records-in-the-order-of-a-dictionary",
        ].map { .init($0, "block 0 is not in ascending order") }
        + [
            "block-of-newlines", "block-begins-with-blank-line", "block-with-blank-line", "block-padded-with-tab",
            "record-ends-in-space", "record-begins-with-space", "record-with-carriage-return", "record-name-not-first",
            "record-name-with-escape", "record-name-not-allowed", "record-name-empty", "record-name-of-129-bytes",
            "record-name-without-end", "record-is-an-array",
        ].map { .init($0, "block 0 holds a line that is no record") }
}
