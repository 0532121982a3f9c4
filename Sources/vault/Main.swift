internal import ArgumentParser
internal import Sodium
@main struct Main { static func main() { print(Random.bytes(3)) } }
