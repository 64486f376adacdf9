import COpenCL
import Foundation
import Testing
import VGGOpenCL
import VGGTestSupport

@Suite struct ProgramCacheTests {
    private let folder: TemporaryFolder
    private let cache: ProgramCache
    private let source = "kernel void add(global float *x) { x[get_global_id(0)] += 1; }"

    init() throws {
        folder = try TemporaryFolder()
        cache = ProgramCache(folder: "\(folder.path)/opencl")
    }

    private func file(_ key: ProgramCache.Key) throws -> [UInt8] {
        try [UInt8](Data(contentsOf: URL(fileURLWithPath: cache.path(of: key))))
    }

    private func replace(_ key: ProgramCache.Key, _ bytes: [UInt8]) throws {
        try Data(bytes).write(to: URL(fileURLWithPath: cache.path(of: key)))
    }

    /// Cut short anywhere, or with any byte changed, it is as if it were not there.
    @Test(arguments: OpenCLDevice.all) func onlyWhatIsWholeIsBelieved(_ device: OpenCLDevice) throws {
        let key = ProgramCache.Key(device, options: "-DX=1", source: source)
        #expect(cache.binary(for: key) == nil)
        let binary: [UInt8] = [10, 0, 255, 10, 10, 7]
        cache.keep(binary, for: key)
        #expect(cache.binary(for: key) == binary)
        let whole = try file(key)
        for count in 0..<whole.count {
            try replace(key, Array(whole.prefix(count)))
            #expect(cache.binary(for: key) == nil, "\(count) bytes")
            var changed = whole
            changed[count] ^= 1
            try replace(key, changed)
            #expect(cache.binary(for: key) == nil, "byte \(count)")
        }
        try replace(key, whole + [0])
        #expect(cache.binary(for: key) == nil)
        cache.keep(binary, for: key)
        #expect(cache.binary(for: key) == binary)

        // Another's file in its place.
        for other in [
            ProgramCache.Key(device, options: "-DX=2", source: source),
            ProgramCache.Key(device, options: "-DX=1", source: source + " "),
        ] {
            #expect(cache.path(of: other) != cache.path(of: key))
            try replace(other, whole)
            #expect(cache.binary(for: other) == nil)
        }
    }

    /// What the driver refuses is built from its source, and replaced by what it takes.
    @Test(arguments: OpenCLDevice.all) func aBinaryThatTheDriverRefusesIsReplaced(_ device: OpenCLDevice)
        throws
    {
        let context = try OpenCLContext.of(device).handle.pointer
        func build(_ source: String) -> cl_int {
            let built = cache.program(source, options: "", for: device, in: context)
            if let program = built.program { _ = vgg_clReleaseProgram(program) }
            return built.code
        }
        let key = ProgramCache.Key(device, options: "", source: source)
        cache.keep([1, 2, 3], for: key)
        #expect(build(source) == 0)
        let binary = try #require(cache.binary(for: key))
        #expect(binary.count > 100)
        let whole = try file(key)
        #expect(build(source) == 0)
        #expect(try file(key) == whole)
        // What cannot be built is not kept.
        let broken = source + "nonsense"
        #expect(build(broken) != 0)
        #expect(cache.binary(for: ProgramCache.Key(device, options: "", source: broken)) == nil)
    }

    /// Where nothing can be written, programs are built all the same.
    @Test(arguments: OpenCLDevice.all) func nothingIsKeptWhereNothingCanBe(_ device: OpenCLDevice) throws {
        let nowhere = ProgramCache(folder: "/dev/null/opencl")
        let key = ProgramCache.Key(device, options: "", source: source)
        nowhere.keep([1], for: key)
        #expect(nowhere.binary(for: key) == nil)
    }
}
