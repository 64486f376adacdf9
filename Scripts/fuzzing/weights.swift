import VGGFormats
import VGGModel

/// Reads whatever libFuzzer comes up with as a weight file, and says which network it is.
@_cdecl("LLVMFuzzerTestOneInput")
public func read(_ data: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let bytes = UnsafeRawBufferPointer(start: data, count: count)
    // Either way the numbers are taken: those in the file until it is read, or copied.
    guard let file = try? WeightFile(bytes, of: Reader(), path: "input"),
        let copied = try? WeightFile(bytes, of: nil, path: "input")
    else { return 0 }
    for (name, tensor) in file.tensors {
        precondition(copied.tensors[name]?.values.count == tensor.values.count)
        for (value, copy) in zip(tensor.values, copied.tensors[name]?.values ?? []) {
            precondition(value.bitPattern == copy.bitPattern)
        }
    }
    // No more numbers than the file has bytes.
    precondition(file.tensors.reduce(0) { $0 + $1.tensor.values.count } <= count)
    _ = try? InferredModel(file.tensors)
    _ = try? WeightFile(bytes, of: nil, key: "model.module", path: "input")
    return 0
}

/// Stands for the input, which outlives everything read from it.
private final class Reader: Sendable {}
