// How fast each kernel is, alone and on one thread: for whoever changes one, before and after.
//
//   make bench-kernels                          every kernel
//   make bench-kernels KERNELS="winograd 28"    the rows whose text holds all of these words

import CVGGKernels
import Foundation

let words = CommandLine.arguments.dropFirst()
let all = convolutionCases + smallMapCases + mixedConvolutionCases + linearCases + streamingCases
let measured = Set(all.map(\.kernel))
let forgotten = kernelNames.filter { !measured.contains($0) }
guard forgotten.isEmpty else {
    print("error: no row measures \(forgotten.joined(separator: ", "))")
    exit(1)
}
let named = all.filter { row in words.allSatisfy { "\(row.kernel) \(row.shape)".contains($0) } }
guard !named.isEmpty else {
    print("error: no row's kernel and shape hold \(words.joined(separator: " and "))")
    exit(1)
}
// In plain C a convolution of mixed precision takes minutes, and nobody needs it to be faster.
let chosen = named.filter { set != VGG_ISA_portable || !$0.isMixed }
if chosen.count < named.count {
    print("bf16 is plain C on this processor; rows that are left out: \(named.count - chosen.count)")
}

let peaks = (fp32: Case.peak(vgg_peak_fp32), bf16: Case.peak(vgg_peak_bf16))
print("one thread's peak: \(text(peaks.fp32)) GFLOP/s in fp32, \(text(peaks.bf16)) in bf16")
print("operations are counted as those of direct convolution; GB/s are of what must be read and written\n")
print(pad("kernel", 34) + pad("shape", 22) + "       µs   GFLOP/s   of peak      GB/s")
for row in chosen {
    let seconds = row.bestSeconds()
    var line = pad(row.kernel, 34) + pad(row.shape, 22) + right(text(seconds * 1e6), 9)
    switch row.work {
    case .operations(let count):
        let peak = row.isMixed ? peaks.bf16 : peaks.fp32
        let rate = count / seconds / 1e9
        line += right(text(rate), 10) + right("\(Int((100 * rate / peak).rounded())) %", 10)
    case .bytes(let count):
        line += right(text(count / seconds / 1e9), 30)
    }
    print(line)
}

func text(_ value: Double) -> String { String(format: value < 100 ? "%.1f" : "%.0f", value) }
func pad(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(1, width - text.count))
}
func right(_ text: String, _ width: Int) -> String {
    String(repeating: " ", count: max(1, width - text.count)) + text
}
