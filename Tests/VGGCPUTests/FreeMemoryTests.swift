import Foundation
import Testing
import VGGCPU
import VGGEngine
import VGGModel

@Suite struct FreeMemoryTests {
    private let machine = [
        "proc/meminfo": "MemTotal:       16000 kB\nMemFree:         100 kB\nMemAvailable:   8000 kB\n"
    ]

    private func free(_ files: [String: String]) throws -> Int? {
        try withSystemFiles(machine.merging(files) { $1 }) { FreeMemory.linux(root: $0) }
    }

    @Test func isWhatTheMachineHasAvailable() throws {
        #expect(try free([:]) == 8000 * 1024)
        // A kernel before 3.14, or none at all.
        #expect(try free(["proc/meminfo": "MemTotal: 16000 kB\nMemFree: 100 kB\n"]) == nil)
        #expect(FreeMemory.linux(root: "/nowhere") == nil)
    }

    @Test func isWhatAGroupOfVersion2Leaves() throws {
        let group = [
            "proc/self/cgroup": "0::/user/job\n",
            "sys/fs/cgroup/user/job/memory.max": "5000000\n",
            "sys/fs/cgroup/user/job/memory.current": "4000000\n",
            "sys/fs/cgroup/user/job/memory.stat":
                "anon 1\nfile 9\ninactive_file 500000\nactive_file 100000\n",
        ]
        #expect(try free(group) == 1_600_000)
        #expect(try free(group.merging(["sys/fs/cgroup/user/job/memory.max": "max\n"]) { $1 }) == 8000 * 1024)
        // A group around it has less.
        let outer = [
            "sys/fs/cgroup/user/memory.max": "4500000", "sys/fs/cgroup/user/memory.current": "4400000",
        ]
        #expect(try free(group.merging(outer) { $1 }) == 100_000)
        // Over its limit.
        #expect(try free(group.merging(["sys/fs/cgroup/user/job/memory.max": "1000"]) { $1 }) == 0)
    }

    /// A container sees its own group at the root, and the machine's path to it.
    @Test func isWhatAGroupOfVersion1Leaves() throws {
        let group = [
            "proc/self/cgroup": "9:name=systemd:/\n4:cpu,memory:/docker/1234\n0::/\n",
            "sys/fs/cgroup/memory/memory.limit_in_bytes": "3000000\n",
            "sys/fs/cgroup/memory/memory.usage_in_bytes": "2000000\n",
            "sys/fs/cgroup/memory/memory.stat":
                "inactive_file 7\ntotal_inactive_file 300000\ntotal_active_file 200000\n",
        ]
        #expect(try free(group) == 1_500_000)
        let unlimited = ["sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n"]
        #expect(try free(group.merging(unlimited) { $1 }) == 8000 * 1024)
    }

    #if os(Linux)
        @Test func isKnownHere() throws {
            let bytes = try #require(FreeMemory.bytes)
            #expect(bytes > 1 << 20 && UInt64(bytes) <= ProcessInfo.processInfo.physicalMemory)
        }
    #endif

    @Test(arguments: Precision.allCases) func findsTheLargestBatchThatFits(_ precision: Precision) throws {
        let network = try ModelSpecification.slimVGG11.network(size: 32)
        let optimizer = Optimizer(learningRate: 0.1, momentum: 0.9)
        let device = Device(name: "cpu", UnknownMemory())
        func plan(_ batchSize: Int, _ mode: Mode, frozenLayers: Int = 0) throws -> Plan {
            try Plan(
                network, batchSize: batchSize, mode: mode, precision: precision, frozenLayers: frozenLayers)
        }
        let cases: [(Mode, Optimizer?, frozen: Int)] = [
            (.training, optimizer, 0), (.training, optimizer, 11), (.inference, nil, 0),
        ]
        for (mode, optimizer, frozen) in cases {
            func bytes(_ batchSize: Int) throws -> Int {
                device.memory(
                    of: try plan(batchSize, mode, frozenLayers: frozen), optimizer: optimizer
                ).total + 1000 * batchSize
            }
            func check(_ batchSize: Int, in free: Int?) throws {
                try plan(batchSize, mode, frozenLayers: frozen)
                    .checkFits(on: device.limited(toMemory: free), optimizer: optimizer) { 1000 * $0 }
            }
            for largest in [1, 5, 63] {
                let free = try bytes(largest)
                try check(largest, in: free)
                #expect(
                    throws: PlanError.tooLarge(
                        batchSize: 64, bytes: try bytes(64), free: free, largestBatch: largest)
                ) { try check(64, in: free) }
            }
            let (one, two) = (try bytes(1), try bytes(2))
            #expect(
                throws: PlanError.tooLarge(batchSize: 2, bytes: two, free: one - 1, largestBatch: nil)
            ) { try check(2, in: one - 1) }
            try check(Plan.largestBatch, in: nil)
        }
    }

    @Test func saysWhatToDo() {
        let some = PlanError.tooLarge(
            batchSize: 128, bytes: 12_000_000_001, free: 4_099_999_999, largestBatch: 42)
        #expect(
            "\(some)" == "batches of 128 images take 12001 MB of memory, but 4099 MB are free; "
                + "use a batch size of at most 42")
        let none = PlanError.tooLarge(batchSize: 1, bytes: 2_000_000, free: 0, largestBatch: nil)
        #expect(
            "\(none)" == "one image at a time takes 2 MB of memory, but 0 MB are free; "
                + "not even one image at a time fits: use smaller images or a smaller network")
    }
}

/// The processor of a system that does not say how much memory is free.
private struct UnknownMemory: Backend {
    private let cpu = CPUBackend(threads: 2, instructionSet: .best)

    var properties: DeviceProperties { cpu.properties }
    var threads: Int { cpu.threads }
    var kernels: String { cpu.kernels }
    var preferredPrecision: Precision { cpu.preferredPrecision }
    var freeMemory: Int? { nil }

    func measuredPeak(_ precision: Precision) -> Double { cpu.measuredPeak(precision) }
    func measuredBandwidth() -> Double { cpu.measuredBandwidth() }
    func memory(of plan: Plan, optimizer: Optimizer?) -> PlanMemory {
        cpu.memory(of: plan, optimizer: optimizer)
    }
    func steps(of plan: Plan) -> [StepDescription] { cpu.steps(of: plan) }
    func bind(_ plan: Plan) throws(PlanError) -> any BoundPlan { try cpu.bind(plan) }
    func bind(_ plan: Plan, sharing weights: any SharedWeights) throws(PlanError) -> any BoundPlan {
        try cpu.bind(plan, sharing: weights)
    }
}
