import ArgumentParser
import Foundation
import VGGKit

extension FeaturePooling: ExpressibleByArgument {}

struct FeaturesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "features",
        abstract: "Write what a network's inner layers make of photos.",
        discussion: """
            Layers have the names of the VGG literature (conv4_3, relu4_3, pool5, fc7, relu7; relu7 is fc7 after its \
            ReLU) or torchvision's (features.22). A .npy file holds one layer, a .safetensors file as many as are \
            named; photos that cannot be read have no row in it (--format json names those of the rows, and these with the reason).
            Examples:
              vgg features vgg16.pth holiday/ --layer relu7 --output embeddings.npy
              vgg features vgg19.pth art.jpg --layer relu1_1,pool2 --output a.safetensors
              vgg features vgg16.pth *.jpg --layer relu5_3 --pool avg --output pooled.npy
            """)

    @OptionGroup var trained: TrainedModelOptions
    @OptionGroup(title: "Photos") var photos: PhotoOptions
    @OptionGroup(title: "Device") var compute: ComputeOptions

    @Option(help: ArgumentHelp("The layers, separated by commas.", valueName: "layer,…"))
    var layer: LayerList

    @Option(help: "Whole maps, or one number a channel: its average or its maximum.")
    var pool = FeaturePooling.none

    @Option(
        help: "The file to write; its ending, .npy or .safetensors, says the format.",
        transform: HomeFolder.expandingTilde)
    var output: String

    @OptionGroup var format: FormatOption

    private var layers: [String] { layer.names }

    private var isNPY: Bool { output.lowercased().hasSuffix(".npy") }

    func validate() throws {
        guard isNPY || output.lowercased().hasSuffix(".safetensors") else {
            throw ValidationError("\(output) must end in .npy or .safetensors, which says what is written")
        }
        try layer.validate()
        guard !isNPY || layers.count == 1 else {
            throw ValidationError("a .npy file holds one layer; name a .safetensors file for several")
        }
        guard !photos.images.isEmpty else {
            throw ValidationError("there is nothing to look at; name photos or folders")
        }
        guard trained.labels.labels == nil else {
            throw ValidationError("--labels names classes, of which features know nothing; leave it out")
        }
    }

    /// What was written, for programs.
    private struct Report: Encodable {
        /// nil if nothing was written.
        var output: String?
        var files: [String]
        var layers: [String: [Int]]
        var problems: [PhotoReport.Problem]
    }

    func run() throws {
        let loaded = try trained.loadForPhotos()
        let whole = loaded.network
        let indices = try layers.map { try whole.layerIndex(named: $0) }
        // Maps need no classifier, which would bind them to its size.
        let maps = try whole.withoutClassifier()
        let network = indices.allSatisfy(maps.layers.indices.contains) ? maps : whole
        let list = PhotoList(photos.images)
        try OutputCheck.check(output, reading: [loaded.model.path] + list.files)
        let batchSize = photos.batchSize(for: list)
        try checkFits(list, network, indices)
        let place = trained.place(loaded.model, network, batchSize: batchSize, compute)
        let executor = try loaded.model.executor(
            for: network, batchSize: batchSize, precision: place.precision, keeping: Set(indices),
            device: place.device)

        var report = PhotoReport(list.files)
        for problem in list.problems { try report.fail(problem) }
        var files: [String] = []
        var values = [[Float]](repeating: [], count: layers.count)
        for batch in list.batches(loaded.preprocessing, batchSize: batchSize) {
            try report.add(batch)
            files += batch.examples.filter { batch.problems[$0] == nil }.map { list.files[$0] }
            guard let images = batch.images else { continue }
            let features = executor.features(images)
            try executor.checkDevice()
            for (place, index) in indices.enumerated() {
                guard let tensor = features[index] else { continue }
                try loaded.model.checkFinite(tensor.values)
                values[place] += pool.pooled(tensor).values
            }
        }
        report.end()
        var tensors: [String: Tensor] = [:]
        if !files.isEmpty {
            for (place, index) in indices.enumerated() {
                let shape = network.layers[index].output.dimensions
                let kept = pool == .none ? shape : Array(shape.prefix(1))
                tensors[layers[place]] = Tensor(shape: [files.count] + kept, values: values[place])
            }
            try write(tensors, files: files)
        }
        switch format.format {
        case .json:
            try Console.print(
                json: Report(
                    output: files.isEmpty ? nil : output, files: files, layers: tensors.mapValues(\.shape),
                    problems: report.problems))
        case .text:
            for name in layers {
                if let tensor = tensors[name] { Console.error("wrote \(output): \(name) \(tensor.shape)") }
            }
        }
        if !report.problems.isEmpty { throw ExitCode.failure }
    }

    /// All features are kept until they are written.
    private func checkFits(_ list: PhotoList, _ network: Network, _ indices: [Int]) throws {
        let numbers = indices.reduce(0) { sum, index in
            let shape = network.layers[index].output
            return sum + (pool == .none ? shape.count : shape.dimensions[0])
        }
        let bytes = list.files.count * numbers * MemoryLayout<Float>.stride
        guard let free = FreeMemory.bytes, bytes > free else { return }
        throw ValidationError(
            "the features of \(Text.count(list.files.count, "photo")) take \(ReadableNumber.bytes(bytes)) of memory, but "
                + "\(ReadableNumber.bytes(free)) are free; give fewer photos or layers at a time, or use --pool avg"
        )
    }

    private func write(_ tensors: [String: Tensor], files: [String]) throws {
        if isNPY, let tensor = tensors.first?.value { return try NPYFile.write(tensor, to: output) }
        let metadata = ["files": try JSONText.line(files)]
        try Safetensors(tensors: NamedTensors(sorting: tensors), metadata: metadata).write(to: output)
    }
}
