import Sodium
import Testing

@Test func nothing() {}
