internal import Glibc

/// Work that is split over the processors, and waited for.
package enum Threads {
    /// The most threads; beyond that memory is what they would wait for.
    private static let limit = 8

    /// How many threads are worth having.
    package static var count: Int { max(1, min(limit, sysconf(Int32(_SC_NPROCESSORS_ONLN)))) }

    /// Calls `body` once on each of `count` threads, this one among them, and returns when all have ended.
    ///
    /// - Parameters:
    ///   - count: How many.
    ///   - body: Gets the number of the thread, from 0. It must keep to what is its own.
    package static func run(_ count: Int, _ body: (Int) -> Void) {
        withoutActuallyEscaping(body) { body in
            var threads: [pthread_t] = []
            for number in 1..<max(count, 1) {
                let task = unsafe Unmanaged.passRetained(Task(number, body))
                var thread = pthread_t()
                let status = unsafe pthread_create(
                    &thread, nil,
                    { pointer in
                        if let pointer = unsafe pointer {
                            unsafe Unmanaged<Task>.fromOpaque(pointer).takeRetainedValue().run()
                        }
                        return nil
                    }, task.toOpaque())
                if status == 0 {
                    threads.append(thread)
                } else {
                    // No thread to be had: the work is done here.
                    unsafe task.takeRetainedValue().run()
                }
            }
            body(0)
            for thread in threads { pthread_join(thread, nil) }
            // Here the compiler checks that nobody kept `body`, and would say where. It leaves this file's path out of an
            // optimised program, but not the path's length, by which two folders' builds would be two programs.
            #sourceLocation(file:"Threads.run",line:42)
        }
        #sourceLocation()
    }

    private final class Task {
        private let number: Int
        private let body: (Int) -> Void

        init(_ number: Int, _ body: @escaping (Int) -> Void) {
            self.number = number
            self.body = body
        }

        func run() { body(number) }
    }
}
