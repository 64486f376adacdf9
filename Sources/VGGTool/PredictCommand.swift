import ArgumentParser
import VGGKit

struct PredictCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "predict",
        abstract: "Say what a trained network sees in photos, or in one test image of a data set.",
        discussion: """
            Examples:
              vgg predict vgg16.pth --labels imagenet_class_index.json cat.jpg holiday/
              curl -s https://example.org/cat.jpg | vgg predict vgg16.pth --format json -
              vgg train --recipe quick --run-dir runs/quick
              vgg predict runs/quick --data fashion-mnist --index 7 --top 3

            A photo that cannot be read is reported on standard error (with --format json also as a line of its own, \
            {"file":…,"error":…}), the others go on, and the exit code is 1.
            """)

    @OptionGroup var trained: TrainedModelOptions

    @OptionGroup(title: "Model and data (default: what the run, or the file, says)")
    var head: HeadOptions

    @OptionGroup(title: "Photos")
    var photos: PhotoOptions

    @OptionGroup(title: "Device") var compute: ComputeOptions

    @Option(parsing: .unconditional, help: "Instead of photos: which of the test images, counted from 0.")
    var index: Int?

    @Option(parsing: .unconditional, help: "How many of the likeliest classes to print.")
    var top = 5

    @OptionGroup var views: ViewOptions
    @OptionGroup var output: FormatOption

    func validate() throws {
        try ValidationError.check("--index", index, in: 0...SettingRange.count.upperBound)
        try ValidationError.check("--top", top, in: SettingRange.count)
        if index != nil {
            guard photos.images.isEmpty else {
                throw ValidationError(
                    "--index is for a data set's test images; leave it out to predict photos")
            }
        } else if photos.images.isEmpty {
            throw ValidationError(
                "there is nothing to predict; name photos or folders, or a test image by --index")
        } else if trained.data.data != nil || trained.data.dataDir != nil {
            throw ValidationError("--data and --data-dir are for test images by --index, not for photos")
        }
    }

    func run() throws {
        if let index { try predictTestImage(index) } else { try predictPhotos() }
    }

    private func predictTestImage(_ index: Int) throws {
        let loaded = try trained.load(head)
        let test = try trained.testData(for: loaded).data.test
        let example = try test.example(at: index, test.preparation(loaded.preprocessing))
        let place = trained.place(loaded.model, loaded.network, batchSize: 1, compute)
        let executor = try loaded.model.executor(
            for: loaded.network, batchSize: 1, precision: place.precision, device: place.device)
        let logits = views.views.logits(of: example, by: executor)
        try executor.checkDevice()
        try loaded.model.checkFinite(logits)

        let names = trained.labels.labels != nil ? loaded.names : test.classNames
        var prediction = Prediction(logits: logits, names: names, top: top)
        let label = Int(test.labels[index])
        let actual = label < names.count ? names[label] : "\(label)"
        prediction.actual = actual
        try prediction.show(as: output.format)
        if output.format == .text {
            try Console.print("test image \(index) of \(test.name) is: \(actual)")
        }
    }

    private func predictPhotos() throws {
        let loaded = try trained.loadForPhotos(head)
        let list = PhotoList(photos.images)
        let batchSize = photos.batchSize(for: list)
        let place = trained.place(loaded.model, loaded.network, batchSize: batchSize, compute)
        let executor = try loaded.model.executor(
            for: loaded.network, batchSize: batchSize, precision: place.precision, device: place.device)

        var report = PhotoReport(
            list.files, format: output.format, top: top, names: loaded.names)
        for problem in list.problems { try report.fail(problem) }
        for batch in list.batches(loaded.preprocessing, batchSize: batchSize) {
            let logits = batch.images.map { views.views.logits(of: $0, by: executor) } ?? []
            try executor.checkDevice()
            try loaded.model.checkFinite(logits)
            try report.add(batch, logits: logits)
        }
        report.end()
        if !report.problems.isEmpty { throw ExitCode.failure }
    }
}
