import Foundation
import Testing
import VGGCPU
import VGGDevices
import VGGEngine

@Suite struct FreeProcessorsTests {
    /// Of a machine with eight processors.
    private func count(_ files: [String: String]) throws -> Int {
        try withSystemFiles(files) { FreeProcessors.linux(of: 8, root: $0) }
    }

    @Test func isWhatTheMachineHas() throws {
        #expect(try count([:]) == 8)
        #expect(FreeProcessors.linux(of: 8, root: "/nowhere") == 8)
        let device = FreeProcessors.count
        #expect(
            Device.best.name == "cpu" && Device.best.threads == device && Device.cpu.threads == device
                && (1...ProcessInfo.processInfo.activeProcessorCount ~= device))
    }

    /// The mask may count processors that the machine does not have.
    @Test(arguments: [("5", 2), ("ffffffff,ffffffff", 8), ("00000001,00000000", 1), ("0", 1)])
    func isWhatTheProcessMayRunOn(_ mask: String, _ expected: Int) throws {
        let status = "Name:\tvgg\nCpus_allowed:\t\(mask)\nCpus_allowed_list:\t0-7\n"
        #expect(try count(["proc/self/status": status]) == expected)
    }

    /// A container sees its own group at the root.
    @Test(arguments: [
        ("150000 100000", 2), ("300000 100000", 3), ("10000 100000", 1), ("max 100000", 8), ("damaged", 8),
        ("9900000 100000", 8), ("5 0", 8),
    ])
    func isWhatAGroupOfVersion2Gives(_ limit: String, _ expected: Int) throws {
        let files = ["proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "\(limit)\n"]
        #expect(try count(files) == expected)
    }

    @Test func isTheLeastOfTheGroupsAround() throws {
        let groups = [
            "proc/self/cgroup": "0::/user/job\n", "sys/fs/cgroup/cpu.max": "max 100000\n",
            "sys/fs/cgroup/user/cpu.max": "200000 100000\n",
            "sys/fs/cgroup/user/job/cpu.max": "400000 100000\n",
        ]
        #expect(try count(groups) == 2)
    }

    @Test func isWhatAGroupOfVersion1Gives() throws {
        let group = [
            "proc/self/cgroup": "4:memory:/docker/1\n3:cpu,cpuacct:/docker/1\n0::/\n",
            "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "200000\n",
            "sys/fs/cgroup/cpu/cpu.cfs_period_us": "50000\n",
        ]
        #expect(try count(group) == 4)
        #expect(try count(group.merging(["sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n"]) { $1 }) == 8)
        // The controller of sets of processors is another one.
        #expect(try count(group.merging(["proc/self/cgroup": "3:cpuset:/\n"]) { $1 }) == 8)
    }
}
