import Testing

@testable import Remotes

@Suite("Remotes: stores") struct StoreTests {}
