import Foundation
import VGGFiles

/// Programs that the server starts.
enum ChildProcess {
    /// What a program has said.
    struct Result: Sendable {
        var status: Int32
        var output: String
        var errors: String
    }

    /// Starts a program in a session of its own, which goes on when the server ends; what it says is added to a file.
    /// - Returns: its number.
    /// - Throws: `FileError` if it cannot be started.
    static func detach(_ program: String, _ arguments: [String], log: String) throws(FileError) -> pid_t {
        #if os(macOS)
            closeAllForOthers()
            var actions: posix_spawn_file_actions_t?
            var attributes: posix_spawnattr_t?
        #else
            var actions = posix_spawn_file_actions_t()
            var attributes = posix_spawnattr_t()
        #endif
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, log, O_WRONLY | O_CREAT | O_APPEND, 0o666)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        #if !os(macOS)
            // The program gets nothing that the server has open, above all not the port that it listens at, nor what other
            // threads open at this moment. To close what is not open is no error here.
            for descriptor in 3..<Int32(min(4096, max(3, sysconf(Int32(_SC_OPEN_MAX))))) {
                posix_spawn_file_actions_addclose(&actions, descriptor)
            }
        #endif

        // What the server does about signals is not the program's affair.
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        sigfillset(&signals)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        #if os(macOS)
            let newSession = Int32(POSIX_SPAWN_SETSID)
        #else
            // glibc's and musl's POSIX_SPAWN_SETSID.
            let newSession: Int32 = 0x80
        #endif
        let flags = newSession | Int32(POSIX_SPAWN_SETSIGDEF) | Int32(POSIX_SPAWN_SETSIGMASK)
        posix_spawnattr_setflags(&attributes, Int16(flags))

        var process = pid_t()
        var words = ([program] + arguments).map { strdup($0) } + [nil]
        var environment = ProcessInfo.processInfo.environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for text in words + environment { free(text) } }
        let code = posix_spawn(&process, program, &actions, &attributes, &words, &environment)
        guard code == 0 else {
            throw FileError(program, "cannot be started: \(String(cString: strerror(code)))")
        }
        let started = process
        // Somebody has to ask how it ended, or it stays in the system's table.
        Thread.detachNewThread {
            var status: Int32 = 0
            while waitpid(started, &status, 0) < 0, errno == EINTR {}
        }
        return process
    }

    #if os(macOS)
        /// No program that is started gets what the server has open, above all not the port that it listens at.
        private static func closeAllForOthers() {
            for descriptor in Int32(3)..<4096 {
                let flags = fcntl(descriptor, F_GETFD)
                if flags >= 0, flags & FD_CLOEXEC == 0 { _ = fcntl(descriptor, F_SETFD, flags | FD_CLOEXEC) }
            }
        }
    #endif

    /// Runs a program to its end.
    /// - Parameter limit: it is ended after this time.
    /// - Throws: what `Process` throws if it cannot be started, or `APIError` if it takes longer.
    static func run(_ program: String, _ arguments: [String], limit: Duration) async throws -> Result {
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread {
                continuation.resume(with: Swift.Result { try wait(program, arguments, limit) })
            }
        }
    }

    private static func wait(_ program: String, _ arguments: [String], _ limit: Duration) throws -> Result {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        let folder = FileManager.default.temporaryDirectory.appending(path: "vgg-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        // Files, as a pipe that is full would wait for its reader.
        let files = ["output", "errors"].map { folder.appending(path: $0) }
        for file in files { try Data().write(to: file) }
        let handles = try files.map { try FileHandle(forWritingTo: $0) }
        process.standardInput = FileHandle.nullDevice
        (process.standardOutput, process.standardError) = (handles[0], handles[1])
        try process.run()
        let end = ContinuousClock.now + limit
        while process.isRunning, .now < end { usleep(20_000) }
        guard !process.isRunning else {
            process.terminate()
            process.waitUntilExit()
            throw APIError.tooSlow
        }
        let texts = try files.map { String(decoding: try Data(contentsOf: $0), as: UTF8.self) }
        return Result(status: process.terminationStatus, output: texts[0], errors: texts[1])
    }
}
