import Foundation
import Synchronization
import VGGKit

/// What the program does when a signal asks it to end.
///
/// A command ends by the signal, as programs do, but leaves no temporary file behind. A training is saved first
/// (`train`). What was ignored when the program began, as `nohup` ignores SIGHUP, stays ignored.
enum Signals {
    /// Ctrl-C, a closed terminal, `kill`, and what batch systems send as a warning before they kill.
    private static let all = [SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGXCPU, SIGPIPE]

    private enum Phase {
        /// There is nothing to save.
        case command
        /// The same, in a command that would save.
        case beforeTraining
        case training
    }

    private struct State {
        var phase = Phase.command
        /// The first signal of a training; 0 for none.
        var received: Int32 = 0
        /// Whether another process says that the training stops.
        var isQuiet = false
    }

    private static let state = Mutex(State())
    /// The end of a pipe that the handler writes to; a handler may do little else.
    private static let wakeEnd = Atomic<Int32>(-1)

    /// Starts to listen.
    static func listen() {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { return }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        wakeEnd.store(ends[1], ordering: .relaxed)
        let readEnd = ends[0]
        Thread.detachNewThread {
            while true {
                var number: UInt8 = 0
                if read(readEnd, &number, 1) == 1 { handle(Int32(number)) }
            }
        }
        var wanted = sigset_t()
        sigemptyset(&wanted)
        for number in all { sigaddset(&wanted, number) }
        // No signal is lost while it is found out what was ignored.
        pthread_sigmask(SIG_BLOCK, &wanted, nil)
        for number in all {
            let before = signal(number) { number in
                let code = errno
                var byte = UInt8(truncatingIfNeeded: number)
                _ = write(Signals.wakeEnd.load(ordering: .relaxed), &byte, 1)
                errno = code
            }
            if unsafeBitCast(before, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self) {
                signal(number, SIG_IGN)
            }
        }
        // A program started from another's background thread inherits that thread's blocked signals.
        pthread_sigmask(SIG_UNBLOCK, &wanted, nil)
    }

    /// The command will train: until it does, a signal ends it with one line and the shell's code.
    static func prepareTraining() { state.withLock { $0.phase = .beforeTraining } }

    /// From now on a signal only asks to stop.
    /// - Parameter isQuiet: whether another process says so.
    static func beginTraining(isQuiet: Bool = false) {
        state.withLock { ($0.phase, $0.isQuiet) = (.training, isQuiet) }
    }

    /// Whether a signal has asked the training to stop.
    static var isStopRequested: Bool { state.withLock { $0.received != 0 } }

    /// The shell's code for a program that the signal ended, such as 130 after Ctrl-C.
    static var exitCode: Int32 { 128 + state.withLock { $0.received } }

    private static func handle(_ number: Int32) {
        // A terminal that has been stopped, or a full pipe, keeps who writes to it waiting: nobody else may wait for the
        // state then.
        let (before, phase, isQuiet) = state.withLock { state in
            let before = state.received
            if state.phase == .training, before == 0, number != SIGPIPE { state.received = number }
            return (before, state.phase, state.isQuiet)
        }
        switch phase {
        case .command: TemporaryFiles.removeAll { end(by: number) }
        // Who writes to a closed pipe finds out by that.
        case _ where number == SIGPIPE: break
        case .beforeTraining:
            TemporaryFiles.removeAll {
                Console.error("stopped before the training began; no step is lost")
                _exit(128 + number)
            }
        case .training where before == 0:
            if isQuiet { break }
            // Below a progress bar and what the terminal shows of Ctrl-C.
            if Console.isTerminal { Console.write("\n") }
            Console.error("stopping…")
        // A closing terminal and a batch system send several signals; only a person is in a hurry.
        case .training where number == SIGINT: TemporaryFiles.removeAll { _exit(128 + before) }
        case .training: break
        }
    }

    /// Lets the signal do what it does to programs that do not listen.
    private static func end(by number: Int32) -> Never {
        signal(number, SIG_DFL)
        kill(getpid(), number)
        // It comes at once.
        while true { pause() }
    }
}
