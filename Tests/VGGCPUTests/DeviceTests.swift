import CVGGKernels
import Testing
import VGGCPU
import VGGDevices
import VGGEngine
import VGGModel

@Suite struct DeviceTests {
    @Test func areFoundByName() throws {
        #expect(Device.named("auto")?.name == Device.best.name)
        for device in Device.available { #expect(Device.named(device.name)?.kernels == device.kernels) }
        #expect(try #require(Device.named("cpu", threads: 3)).threads == 3)
        #expect(Device.named("cuda:0") == nil && Device.named("") == nil && Device.named("opencl:99") == nil)
        #expect(Device.cpu(threads: 0).threads == 1)
    }

    @Test func haveTheKernelsThatWereAskedFor() {
        for set in InstructionSet.allAvailable {
            #expect(Device.cpu(instructionSet: set).kernels == "\(set)")
        }
        // What the processor lacks is replaced by the best that it has.
        let most = InstructionSet.allCases.max()
        #expect(Device.cpu(instructionSet: most).kernels == "\(InstructionSet.allAvailable.max()!)")
        #expect(Device.cpu(instructionSet: .portable).preferredPrecision == .fp32)
        #expect(Precision.automatic == Device.best.preferredPrecision)
    }

    /// The chapter's `try_gpu`, of devices that are only said to be there.
    @Test func theFirstGPUWithEnoughMemoryIsTaken() {
        let processor = device("cpu", .cpu, free: 100)
        let pocl = device("opencl:0", .openclCPU, "PoCL on EPYC", free: 1000)
        let (small, large) = (
            device("opencl:1", .gpu, "Radeon", free: 10), device("opencl:2", .gpu, "GeForce", free: 20)
        )
        let all = [processor, pocl, small, large]
        func taken(_ devices: [Device], _ bytes: Int?) -> [String] {
            let choice = Device.chosen(among: devices) { _ in bytes }
            return [choice.device.name, choice.reason]
        }
        #expect(taken([processor], 5) == ["cpu", "there is no GPU"])
        #expect(taken([processor, pocl], 500) == ["cpu", "there is no GPU"])
        #expect(taken(all, nil) == ["opencl:1", "it is the first GPU"])
        #expect(taken(all, 10) == ["opencl:1", "it is the first GPU"])
        #expect(taken(all, 11) == ["opencl:2", "it is the first GPU with enough memory"])
        #expect(taken(all, 21) == ["cpu", "there is not enough memory on opencl:1 and opencl:2"])
        #expect(Device.chosen().device.name == Device.best.name)

        let names = [
            ("cpu", "cpu"), ("opencl", "opencl:1"), ("opencl:0", "opencl:0"), ("pocl", "opencl:0"),
            ("geforce", "opencl:2"), ("e", "opencl:1"), ("opencl:3", nil), ("", nil), ("cuda", nil),
        ]
        for (name, expected) in names { #expect(Device.named(name, among: all)?.name == expected) }
        #expect(Device.named("opencl", among: [processor, pocl])?.name == "opencl:0")
        #expect(Device.named("opencl", among: [processor]) == nil)
    }

    private func device(
        _ name: String, _ kind: DeviceKind, _ hardware: String = "EPYC", free: Int, lacksLinear: Bool = false
    ) -> Device {
        let properties = DeviceProperties(
            kind: kind, hardware: hardware, memory: nil, units: 1, driver: "none", precisions: [.fp32])
        return Device(name: name, SaidToBe(properties: properties, lacksLinear: lacksLinear))
            .limited(toMemory: free)
    }

    /// A number format or a layer that a device lacks is refused before anything else happens.
    @Test func whatADeviceLacksIsRefused() throws {
        let network = try ModelSpecification.slimVGG11.network(size: 32)
        func expectRefused(_ precision: Precision, _ problem: PlanError, _ message: String) throws {
            let gpu = device("opencl:1", .gpu, free: 1 << 40, lacksLinear: precision == .fp32)
            let plan = try Plan(network, batchSize: 1, mode: .inference, precision: precision)
            #expect(throws: problem) { try plan.checkFits(on: gpu) }
            #expect(throws: problem) { _ = try Executor(plan: plan, device: gpu) }
            #expect("\(problem)" == message)
            try Device.cpu.check(plan)
        }
        try expectRefused(
            .bf16, .precision(.bf16, device: "opencl:1"),
            "opencl:1 does not compute in bf16; use another `precision` or `device`")
        let names = "classifier.0…classifier.1"
        try expectRefused(
            .fp32, .layer("Linear + ReLU", name: names, device: "opencl:1"),
            "opencl:1 does not compute Linear + ReLU (\(names)); use another `device`")
    }

    /// Between what no machine falls below and what none reaches.
    @Test func bandwidthIsMeasured() {
        #expect(1e8...1e13 ~= Device.cpu.measuredBandwidth())
    }

    @Test func instructionSetsAreThoseOfTheKernels() {
        let names = sequence(first: 0) { $0 + 1 }.lazy.map(vgg_instruction_set_name).prefix { $0 != nil }
        #expect(
            InstructionSet.allCases.map { "\($0)" } == names.compactMap { $0 }.map { String(cString: $0) },
            "the cases of InstructionSet follow VGG_INSTRUCTION_SET_LIST")
    }

    @Test func mayBeLimited() throws {
        let device = Device.cpu.limited(toMemory: 1000)
        #expect(device.freeMemory == 1000)
        #expect(device.limited(toMemory: nil).freeMemory != 1000)
        let free = try #require(FreeMemory.bytes)
        #expect(try #require(Device.cpu.limited(toMemory: .max).freeMemory) < 2 * free)
    }

    #if arch(x86_64)
        /// As was measured where the processor multiplies bf16; elsewhere bf16 is never the faster.
        @Test func trainsInThePrecisionThatIsFaster() throws {
            func network(_ arch: String, size: Int, divisor: Int = 1, channels: Int = 1) throws -> Network {
                var model = ModelSpecification()
                (model.arch, model.widthDivisor, model.inChannels) = (arch, divisor, channels)
                return try model.network(size: size)
            }
            var small = ModelSpecification()
            (small.arch, small.convArch) = ("vgg11_bn", "2x64,2x128,2x256,2x256")
            (small.pool, small.hiddenFeatures) = (1, [])
            let cases = [
                (try network("vgg11", size: 224, divisor: 4), Precision.bf16),
                (try network("vgg11_bn", size: 224, divisor: 4), .bf16),
                (try network("vgg16", size: 32, channels: 3), .bf16),
                (try network("vgg16_bn", size: 32, channels: 3), .bf16),
                (try network("vgg11_bn", size: 32, divisor: 4), .bf16),
                (try network("alexnet", size: 224), .bf16),
                (try small.network(size: 28), .bf16),
            ]
            for (network, expected) in cases {
                #expect(
                    CPUBackend(threads: 2, instructionSet: .avx512bf16).trainingPrecision(of: network)
                        == expected)
                #expect(CPUBackend(threads: 2, instructionSet: .avx2).trainingPrecision(of: network) == .fp32)
            }
        }
    #endif
}

/// The processor, under the properties of something else.
struct SaidToBe: Backend {
    let properties: DeviceProperties
    let lacksLinear: Bool
    let cpu = CPUBackend(threads: 1, instructionSet: .portable)

    var threads: Int { cpu.threads }
    var kernels: String { cpu.kernels }
    var preferredPrecision: Precision { cpu.preferredPrecision }
    var freeMemory: Int? { nil }

    func runs(_ step: PlannedStep) -> Bool {
        if case .linear = step.operation { !lacksLinear } else { true }
    }
    func measuredPeak(_ precision: Precision) -> Double { 0 }
    func measuredBandwidth() -> Double { 0 }
    func memory(of plan: Plan, optimizer: Optimizer?) -> PlanMemory {
        cpu.memory(of: plan, optimizer: optimizer)
    }
    func steps(of plan: Plan) -> [StepDescription] { cpu.steps(of: plan) }
    func bind(_ plan: Plan) throws(PlanError) -> any BoundPlan { try cpu.bind(plan) }
    func bind(_ plan: Plan, sharing weights: any SharedWeights) throws(PlanError) -> any BoundPlan {
        try cpu.bind(plan, sharing: weights)
    }
}
