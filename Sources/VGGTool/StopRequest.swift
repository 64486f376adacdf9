import Foundation
import Synchronization

/// The signal that asked the program to stop; 0 for none.
private let receivedSignal = Atomic<Int32>(0)

/// Ctrl-C and a termination request, which let the step end and the run be saved.
///
/// A second one ends the program at once; what was being written is then left as it was before.
struct StopRequest {
    /// Starts to listen for SIGINT and SIGTERM.
    static func listen() -> StopRequest {
        // The variable has to exist before a handler needs it.
        receivedSignal.store(0, ordering: .relaxed)
        var wanted = sigset_t()
        sigemptyset(&wanted)
        for number in [SIGINT, SIGTERM] {
            sigaddset(&wanted, number)
            signal(number) { number in
                if receivedSignal.exchange(number, ordering: .relaxed) != 0 { _exit(128 + number) }
            }
        }
        // A program started from another's background thread inherits that thread's blocked signals.
        pthread_sigmask(SIG_UNBLOCK, &wanted, nil)
        return StopRequest()
    }

    var isRequested: Bool { receivedSignal.load(ordering: .relaxed) != 0 }

    /// The shell's code for a program ended by the signal: 130 or 143.
    var exitCode: Int32 { 128 + receivedSignal.load(ordering: .relaxed) }
}
