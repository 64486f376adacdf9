import Dispatch
import Synchronization

/// Shares tasks out among threads. Which thread runs a task is left open: tasks must not depend on it.
struct Workers: Sendable {
    let threads: Int

    /// Runs `body(task, worker)` for each task below `tasks`; worker is below `threads` and runs one task at
    /// a time, so scratch memory may belong to it.
    func run(_ tasks: Int, _ body: (_ task: Int, _ worker: Int) -> Void) {
        guard threads > 1, tasks > 1 else {
            for task in 0..<tasks { body(task, 0) }
            return
        }
        let next = Atomic(0)
        // The call below returns only when every thread has, so `body` does not escape it; tasks write to
        // memory that no other task touches.
        nonisolated(unsafe) let body = body
        DispatchQueue.concurrentPerform(iterations: min(threads, tasks)) { worker in
            while true {
                let task = next.wrappingAdd(1, ordering: .relaxed).oldValue
                if task >= tasks { return }
                body(task, worker)
            }
        }
    }

    func run(_ ranges: TaskRanges, _ body: (_ range: Range<Int>, _ worker: Int) -> Void) {
        run(ranges.tasks) { task, worker in body(ranges[task], worker) }
    }

    func run(_ grid: TaskGrid, _ body: (_ column: Int, _ range: Range<Int>, _ worker: Int) -> Void) {
        run(grid.tasks) { task, worker in
            let (column, range) = grid[task]
            body(column, range, worker)
        }
    }

    /// Runs `body` for ranges that cover 0..<count, each a multiple of `grain` long but the last.
    func run(over count: Int, grain: Int, _ body: (_ range: Range<Int>, _ worker: Int) -> Void) {
        run(TaskRanges(over: count, grain: grain, threads: threads), body)
    }
}
