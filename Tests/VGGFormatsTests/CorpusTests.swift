import Foundation
import Testing
import VGGFormats
import VGGModel

@Suite struct CorpusTests {
    /// What Scripts/fuzz found in ten minutes: each file reaches code that the others do not.
    @Test func whatTheFuzzerFoundDoesNoHarm() throws {
        let corpus = Bundle.module.bundleURL.appending(path: "Goldens/corpus")
        let names = try FileManager.default.contentsOfDirectory(atPath: corpus.path)
        #expect(names.count > 500)
        var readable = 0
        for name in names {
            let path = corpus.appending(path: name).path
            guard let file = try? WeightFile(contentsOf: path) else { continue }
            readable += 1
            let bytes = try Data(contentsOf: URL(filePath: path))
            let copied = try bytes.withUnsafeBytes { try WeightFile($0, of: nil, path: path) }
            // Bit by bit, because not-a-number is not itself.
            for (tensor, values) in file.tensors {
                let copies = try #require(copied.tensors[tensor])
                #expect(values.shape == copies.shape)
                #expect(values.values.map(\.bitPattern) == copies.values.map(\.bitPattern), "\(name)")
            }
            // No more numbers than the file has bytes.
            #expect(file.tensors.reduce(0) { $0 + $1.tensor.values.count } <= bytes.count, "\(name)")
            _ = try? InferredModel(file.tensors)
        }
        #expect(readable > 0)
    }
}
