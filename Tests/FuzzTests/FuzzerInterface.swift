import Glibc

// What libFuzzer calls. The first argument is the name of a target, and all others are
// libFuzzer's; without one the names are printed, with the largest input of each.

nonisolated(unsafe) private var target: FuzzTarget?

/// Takes the name of the target out of the arguments.
@c(LLVMFuzzerInitialize)
public func initialize(
    _ count: UnsafeMutablePointer<CInt>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>
) -> CInt {
    guard count.pointee > 1, let word = arguments.pointee[1] else {
        for target in FuzzTarget.all { print(target.name, target.maximumSize) }
        exit(0)
    }
    target = FuzzTarget.all.first { $0.name == String(cString: word) }
    guard target != nil else { fatalError("there is no target \(String(cString: word))") }
    // libFuzzer goes on with its own name, and what stands behind the target's.
    arguments.pointee[1] = arguments.pointee[0]
    arguments.pointee += 1
    count.pointee -= 1
    return 0
}

/// Checks one input.
@c(LLVMFuzzerTestOneInput)
public func check(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    do {
        try target?.check(Array(UnsafeBufferPointer(start: bytes, count: count)))
    } catch {
        // A trap is what libFuzzer keeps an input for.
        fatalError("\(error)")
    }
    return 0
}

@_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(
    _ count: UnsafeMutablePointer<CInt>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
    _ check: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt

/// What the package manager takes for the program's `main`, and puts in the place of libFuzzer's.
@c(FuzzTests_main)
public func main(_ count: CInt, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> CInt {
    var (count, arguments) = (count, arguments)
    return runDriver(&count, &arguments) { check($0, $1) }
}
