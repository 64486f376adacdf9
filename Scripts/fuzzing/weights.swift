import VGGFormats
import VGGModel

/// Reads whatever libFuzzer comes up with as a weight file, and says which network it is.
@_cdecl("LLVMFuzzerTestOneInput")
public func read(_ data: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let bytes = UnsafeRawBufferPointer(start: data, count: count)
    guard let file = try? WeightFile(copying: bytes, path: "input") else { return 0 }
    // No more numbers than the file has bytes.
    precondition(file.tensors.values.reduce(0) { $0 + $1.values.count } <= count)
    _ = try? InferredModel(file.tensors)
    return 0
}
