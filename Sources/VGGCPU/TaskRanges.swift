/// How 0..<count is dealt out among tasks: in ranges of whole grains, of which the last may be shorter. Sums must not
/// depend on it: how many tasks there are follows from the number of threads.
struct TaskRanges: Hashable, Sendable {
    let count: Int
    let grain: Int
    let tasks: Int

    /// So many tasks give every thread something to do until the end.
    static func wanted(_ threads: Int) -> Int { threads > 1 ? 2 * threads : 1 }

    /// - Parameters:
    ///   - grain: what is done best at a time.
    ///   - least: where whole grains would be too few tasks, a grain is a smaller multiple of it.
    ///   - others: each range is done so many times, in tasks of their own.
    init(over count: Int, grain: Int, least: Int? = nil, threads: Int, beside others: Int = 1) {
        let wanted = max(1, Self.wanted(threads) / others)
        var grain = grain
        if let least, (count + grain - 1) / grain < wanted {
            grain = max(least, count / wanted / least * least)
        }
        self.count = count
        self.grain = grain
        tasks = min((count + grain - 1) / grain, 16 * threads)
    }

    /// Ranges of even length, as many for each thread.
    /// - Parameters:
    ///   - most: is done best at a time.
    ///   - least: fewer are not worth a task.
    ///   - turns: tasks of a thread, at least.
    init(evenly count: Int, most: Int, least: Int, threads: Int, turns: Int) {
        self.count = count
        grain = 1
        let wanted = ((count + most - 1) / most).roundedUp(to: threads * turns)
        tasks = min(wanted, (count + least - 1) / least, 16 * threads)
    }

    private var grains: Int { (count + grain - 1) / grain }

    /// No range is longer.
    var longest: Int { (grains + tasks - 1) / tasks * grain }

    subscript(task: Int) -> Range<Int> {
        grains * task / tasks * grain..<min(count, grains * (task + 1) / tasks * grain)
    }
}

/// The same for each of some columns: a task is a column and a range.
struct TaskGrid: Hashable, Sendable {
    let columns: Int
    let ranges: TaskRanges

    /// All of 0..<count at a time, where the columns are enough tasks; else ranges of multiples of `least`.
    init(_ columns: Int, over count: Int, least: Int, threads: Int) {
        self.columns = columns
        ranges = TaskRanges(over: count, grain: count, least: least, threads: threads, beside: columns)
    }

    var tasks: Int { columns * ranges.tasks }

    subscript(task: Int) -> (column: Int, range: Range<Int>) {
        let (column, range) = task.quotientAndRemainder(dividingBy: ranges.tasks)
        return (column, ranges[range])
    }
}
