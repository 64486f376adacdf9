import Foundation
import Testing
import VGGFormats
import VGGModel

/// Files of one or two megabytes that share what is large, or nest it, so that a reader that looks at anything twice
/// would take minutes. Each must be read, or refused, in well under a second; five leave room for slow machines, and
/// only the time counts that the processor spends on it.
@Suite struct CraftedPickleTests {
    private static let limit = 5.0

    /// What became of the file: the names of its tensors, or none if it is refused.
    private func names(_ pickle: [UInt8], key: String? = nil) throws -> [String] {
        let file = torchFile(Pickle.program(pickle), storages: [[0, 0, 0, 0]])
        var names: [String] = []
        let time = try processorTime {
            do {
                let weights = try file.withUnsafeBytes {
                    try WeightFile($0, of: nil, key: key, path: "weights")
                }
                names = weights.tensors.names
                _ = try? InferredModel(weights.tensors)
            } catch is PyTorchFileError {}
        }
        #expect(time < Self.limit, "\(file.count) bytes took \(time) s")
        return names
    }

    private let tensor = Pickle.tensor(count: 1, shape: [1], strides: [1])
    private static let newObject = Array(")".utf8) + [0x81]

    private func put(_ place: UInt8) -> [UInt8] { Array("q".utf8) + [place] }
    private func get(_ place: UInt8) -> [UInt8] { Array("h".utf8) + [place] }
    private let drop = Array("0".utf8)

    /// Remembers `value` at `place`.
    private func remembered(_ value: [UInt8], at place: UInt8) -> [UInt8] { value + put(place) + drop }

    private func repeated(_ count: Int, _ part: (Int) -> [UInt8]) -> [UInt8] { (0..<count).flatMap(part) }

    /// A list of so many of the values that `part` makes.
    private func list(_ count: Int, _ part: (Int) -> [UInt8]) -> [UInt8] {
        Array("](".utf8) + repeated(count, part) + Array("e".utf8)
    }

    private func module(parameters: [UInt8], modules: [UInt8]) -> [UInt8] {
        get(0) + Self.newObject
            + Pickle.dictionary(
                ("_parameters", parameters), ("_buffers", Pickle.emptyDictionary), ("_modules", modules))
            + Array("b".utf8)
    }

    private var moduleClass: [UInt8] { remembered(Pickle.global("torch.nn", "Module"), at: 0) }

    /// Each of 20,000 modules has the same 20,000 modules.
    @Test func sharedModules() throws {
        let leaf = remembered(
            module(parameters: Pickle.dictionary(("w", tensor)), modules: Pickle.emptyDictionary), at: 1)
        let children =
            Pickle.emptyDictionary + Pickle.mark + repeated(20_000) { Pickle.text("\($0)") + get(1) }
            + Array("u".utf8)
        let modules = list(20_000) { _ in module(parameters: Pickle.emptyDictionary, modules: get(2)) }
        #expect(
            try names(moduleClass + leaf + remembered(children, at: 2) + modules).first == "0.w")
    }

    /// Each of 20,000 modules has the same 20,000 tensors.
    @Test func sharedParameters() throws {
        let parameters =
            remembered(tensor, at: 1) + Pickle.emptyDictionary + Pickle.mark
            + repeated(20_000) { Pickle.text("\($0)") + get(1) } + Array("u".utf8)
        let modules = list(20_000) { _ in module(parameters: get(2), modules: Pickle.emptyDictionary) }
        #expect(try names(moduleClass + remembered(parameters, at: 2) + modules).count == 20_000)
    }

    /// Each of 10,000 modules is in the one before: names as long as the file, for a tensor in each.
    @Test func nestedModules() throws {
        let start =
            get(0) + Self.newObject + Array("}(".utf8) + Pickle.text("_parameters") + get(3)
            + Pickle.text("_buffers") + Pickle.emptyDictionary + Pickle.text("_modules") + Array("}".utf8)
            + Pickle.text("a")
        let end = Array("sub".utf8)
        let parameters = remembered(Pickle.dictionary(("w", tensor)), at: 3)
        let modules =
            repeated(10_000) { _ in start } + Array("N".utf8) + repeated(10_000) { _ in end }
        // Longer names than those of a few hundred levels are no layer's.
        #expect((100..<1000).contains(try names(moduleClass + parameters + modules).count))
    }

    /// Objects without keys in each other, with a state dictionary in each.
    @Test func deepWayWithoutKeys() throws {
        let weights = remembered(Pickle.tensor(count: 1, shape: [1, 1, 1, 1], strides: [1, 1, 1, 1]), at: 1)
        let objects =
            repeated(50_000) { _ in
                get(0) + Self.newObject + Array("}".utf8) + Pickle.text("weight") + get(1) + Array("sa".utf8)
                    + get(0) + Self.newObject
            } + repeated(50_000) { _ in Array("bb".utf8) }
        let pickle = moduleClass + weights + Array("]".utf8) + objects
        _ = try names(pickle)
        _ = try names(pickle, key: "no.such.key")
        // As many in a row, each the state of the one before.
        let chain = list(1) { _ in
            repeated(50_000) { _ in
                get(0) + Self.newObject + Array("(}".utf8) + Pickle.text("weight") + get(1) + Array("s".utf8)
            } + repeated(50_000) { _ in Array("tb".utf8) }
        }
        _ = try names(moduleClass + weights + chain)
        _ = try names(moduleClass + weights + chain, key: "0.no.such.key")
    }

    /// A key of half a megabyte for everything.
    @Test func longSharedKey() throws {
        let long = remembered(Pickle.text(String(repeating: "weight.", count: 80_000)), at: 1)
        let object = remembered(Pickle.global("a", "b") + Array(")".utf8) + [0x81], at: 2)
        let weight = remembered(tensor, at: 3)
        let start = long + object + weight
        func members(_ key: [UInt8], _ value: [UInt8]) -> [UInt8] {
            Pickle.emptyDictionary + Pickle.mark + repeated(100_000) { _ in key + value } + Array("u".utf8)
        }
        #expect(try names(start + members(get(1), get(2))).isEmpty)
        #expect(try names(start + members(get(1), get(3))).isEmpty)
        // Features and classifier beside each other get their keys before their names.
        let features = remembered(
            Pickle.tensor(count: 1, shape: [1, 1, 1, 1], strides: [1, 1, 1, 1]), at: 4)
        let linear = remembered(Pickle.tensor(count: 1, shape: [1, 1], strides: [1, 1]), at: 5)
        let parts =
            features + linear + Array("}(".utf8) + get(1) + Pickle.dictionary(("0.weight", get(4)))
            + Pickle.text("classifier") + Array("}(".utf8)
            + repeated(20_000) { Pickle.text("\($0).weight") + get(5) } + Array("uu".utf8)
        _ = try names(start + parts)
        // A way of long keys to each of many.
        let deep =
            features + repeated(300) { _ in Array("}".utf8) + get(1) }
            + list(50_000) { _ in Array("}".utf8) + Pickle.text("weight") + get(4) + Array("s".utf8) }
            + repeated(300) { _ in Array("s".utf8) }
        _ = try names(start + deep)
        _ = try names(start + deep, key: "weight.weight")
    }

    /// The same many arguments for each of many calls.
    @Test func sharedArguments() throws {
        let arguments = remembered(
            Pickle.tuple(repeated(200_000) { _ in [UInt8](arrayLiteral: 0x88) }), at: 1)
        for (module, name) in [
            ("collections", "OrderedDict"), ("torch._utils", "_rebuild_tensor_v2"), ("torch", "Size"),
            ("a", "b"),
        ] {
            let calls = list(100_000) { _ in get(2) + get(1) + Array("R".utf8) }
            #expect(
                try names(remembered(Pickle.global(module, name), at: 2) + arguments + calls + drop + tensor)
                    .isEmpty)
        }
    }

    /// Names of classes and storages that are as long as the file.
    @Test func longSharedNames() throws {
        let long = remembered(Pickle.text(String(repeating: "x", count: 500_000)), at: 1)
        let short = remembered(Pickle.text("Storage"), at: 2)
        #expect(try names(long + list(100_000) { _ in get(1) + get(1) + [0x93] }).isEmpty)
        #expect(try names(long + short + list(100_000) { _ in get(1) + get(2) + [0x93] }).isEmpty)
        let storage =
            remembered(Pickle.text("storage"), at: 2)
            + remembered(Pickle.global("torch", "FloatStorage"), at: 3)
        let storages = list(100_000) { _ in
            Array("(".utf8) + get(2) + get(3) + get(1) + Array("NK\u{1}tQ".utf8)
        }
        #expect(try names(long + storage + storages).isEmpty)
    }

    /// Lists that grow in turns, one value at a time.
    @Test func interleavedLists() throws {
        let pickle =
            Array("]q\u{0}0]q\u{1}0".utf8)
            + repeated(100_000) { _ in get(0) + Array("Na0".utf8) + get(1) + Array("(NNe0".utf8) }
            + Pickle.dictionary(("w", tensor))
        #expect(try names(pickle) == ["w"])
    }

    /// Half a million state dictionaries that are as good as each other.
    @Test func manyEqualDictionaries() throws {
        let weight = remembered(Pickle.tensor(count: 1, shape: [1, 1, 1, 1], strides: [1, 1, 1, 1]), at: 1)
        let key = remembered(Pickle.text(String(repeating: "a.b-", count: 100) + "weight"), at: 2)
        let members = list(300_000) { _ in Array("}".utf8) + get(2) + get(1) + Array("s".utf8) }
        #expect(try names(weight + key + members).count == 1)
    }
}

/// The same for files whose tensors are many, whatever the container.
@Suite struct CraftedNamesTests {
    private static let limit = 5.0

    private func recognise(_ tensors: NamedTensors) throws {
        let time = processorTime { _ = try? InferredModel(tensors) }
        #expect(time < Self.limit, "\(tensors.count) tensors took \(time) s")
    }

    private func convolutions(_ count: Int, _ name: (Int) -> String) -> NamedTensors {
        NamedTensors((0..<count).map { (name($0), Tensor(zeros: [1, 1, 3, 3])) })
    }

    @Test(arguments: [2, 3]) func manyConvolutionsWithoutBias(distance: Int) throws {
        var tensors = convolutions(20_000) { "features.\(distance * $0).weight" }
        try recognise(tensors)
        tensors["classifier.weight"] = Tensor(zeros: [2, 1])
        try recognise(tensors)
    }

    /// Each could be a narrow VGG-11, and none is.
    @Test func manyNetworks() throws {
        var tensors = convolutions(20_000) { "\($0 / 8).\(2 * ($0 % 8)).weight" }
        try recognise(tensors)
        tensors = convolutions(20_000) { "net\($0 / 8).features.\(3 * ($0 % 8)).weight" }
        for index in 0..<2_500 { tensors["net\(index).features.1.running_mean"] = Tensor(zeros: [1]) }
        try recognise(tensors)
    }

    /// A convolution beside each of a hundred levels, and many linear layers below.
    @Test func deepNames() throws {
        var tensors = convolutions(120) { String(repeating: "a.", count: $0) + "c.weight" }
        let deep = String(repeating: "a.", count: 110)
        for index in 0..<3_000 { tensors["\(deep)fc\(index).weight"] = Tensor(zeros: [1, 1]) }
        try recognise(tensors)
    }
}

/// The seconds that the processor spends on `work` in this thread.
private func processorTime(_ work: () throws -> Void) rethrows -> Double {
    func now() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }
    let start = now()
    try work()
    return now() - start
}
