import ArgumentParser
import Foundation
import VGGKit

struct EvalCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "eval",
        abstract: "Test a trained network on a data set's test images.",
        discussion: """
            A run that was trained on photos is tested on its own test photos, wherever their folder is now \
            (--data folder:PATH); any other folder on those it has for testing, else on all.
            Examples:
              vgg train --recipe quick --run-dir runs/quick
              vgg eval runs/quick
              vgg eval runs/quick --report report --tta mirror
              vgg eval vgg16.pth --data folder:imagenet-val
              vgg eval slim.pth --data fashion-mnist --size 96
              vgg eval vgg16.pth --data folder:imagenette/val --labels names.txt
              vgg eval vgg16_caffe.pth --data folder:photos --preprocessing caffe

            Pictures are prepared as predict does it. A folder may have some of the classes only, if their names are \
            known: from the weights, or from --labels. A network of one output is tested as PyTorch's \
            BCEWithLogitsLoss trains it: 0.5 or more, after a sigmoid, is the second class.
            """)

    @OptionGroup var trained: TrainedModelOptions
    @OptionGroup(title: "Model and data (default: what the run, or the file, says)")
    var head: HeadOptions

    @OptionGroup(title: "Device") var compute: ComputeOptions

    @Option(parsing: .unconditional, help: "Examples in a batch.")
    var batchSize = 128

    @Option(parsing: .unconditional, help: "Test on the first N examples only.")
    var testLimit: Int?

    @Flag(help: "Leave out photos that cannot be read, and say which; as a run does that was trained so.")
    var skipBroken = false

    @OptionGroup var views: ViewOptions

    @Option(
        help: ArgumentHelp(
            """
            Also say how well each class is told from the others, and write into this folder the confusion matrix \
            (confusion.png), the worst mistakes (mistakes.png) and all figures (report.json).
            """, valueName: "folder"),
        transform: HomeFolder.expandingTilde)
    var report: String?

    @OptionGroup var output: FormatOption

    func validate() throws {
        try ValidationError.check("--batch-size", batchSize, in: SettingRange.batchSize)
        try ValidationError.check("--test-limit", testLimit, in: SettingRange.count)
    }

    private struct Result: Encodable {
        var loss: Double
        var accuracy: Double
        var count: Int
        /// The data set's name.
        var data: String
        /// Which images of the data set these are.
        var testing: DatasetSplits.Testing
        /// Photos that are left out, because they cannot be read.
        var skipped: [BrokenPhoto]
        /// Which moment of a training the weights are of; nil if they do not say.
        var epoch: TrainedEpoch?
        /// What the network was shown of each image, if it was more than that.
        var tta: String?
        var report: EvalReport?
    }

    func run() throws {
        let loaded = try trained.load(head)
        let views = try views.views(for: loaded.preprocessing.size)
        let (data, run) = try trained.testData(for: loaded)
        let skips = skipBroken || run.skipsBroken
        let (whole, skipped) = try readable(data.test, skipsBroken: skips)
        let test = whole.limited(to: testLimit ?? whole.count)
        if !trained.preparation.isGiven, loaded.model.preprocessing == nil {
            Console.note(
                "the weights do not say how pictures are prepared; this is the test as for \(loaded.usual): see "
                    + "--preprocessing, --mean and --std")
        }
        if loaded.model.epoch?.chosenBy == .testAcc, data.testing != .all {
            Console.note(
                "the weights are of an epoch that was chosen by the images of the run's test, which these seem to be: the "
                    + "accuracy is too high for new ones")
        }
        if let report { try EvalReport.makeFolder(report) }
        var details = report == nil ? nil : EvaluationReport(classes: loaded.classCount)
        let place = trained.place(loaded.model, loaded.network, batchSize: batchSize, compute)
        let executor = try loaded.model.executor(
            for: loaded.network, batchSize: batchSize, precision: place.precision, foldsBatchNorm: false,
            device: place.device)
        var bar = Console.isTerminal ? ProgressBar() : nil
        let sums = try advising {
            () throws(FileError) in
            try executor.evaluate(
                BatchLoader(test, test.preparation(loaded.preprocessing), batchSize: batchSize),
                views: views,
                shouldGoOn: { examples in
                    if bar?.isDue() == true {
                        bar?.draw(
                            "test", Double(examples) / Double(test.count), ["\(examples)/\(test.count)"])
                    }
                    return true
                }, visit: { details?.add($0, logits: $1) })
        }
        bar?.clear()
        guard let sums else { return }
        try executor.checkDevice()
        try loaded.model.checkFinite(CollectionOfOne(Float(sums.lossSum)))
        var result = Result(
            loss: sums.meanLoss, accuracy: sums.accuracy, count: sums.count, data: test.name,
            testing: data.testing,
            skipped: skipped, epoch: loaded.model.epoch, tta: self.views.tta?.text)
        if let report, let details {
            let names = trained.labels.labels != nil ? loaded.names : test.classNames
            let written = EvalReport(details, names: names, of: test)
            try written.draw(details, test, into: report)
            result.report = written
            try AtomicFile.replace("\(report)/report.json", with: Data(JSONText.pretty(result).utf8))
        }
        switch output.format {
        case .json: try Console.print(json: result)
        case .text:
            try Console.print(
                "loss \(Text.fixed(result.loss, 3)), accuracy \(Text.fixed(result.accuracy, 3)) "
                    + "on \(Self.words(result.count, of: whole, data.testing))"
                    + (loaded.specification.classes == 1
                        ? " (one output: a sigmoid of at least 0.5 is taken for \(test.classNames.last ?? "1"))"
                        : ""))
            if let report, let details = result.report { try details.show(in: report) }
        }
    }

    /// The images that are tested, in words.
    private static func words(_ count: Int, of test: ImageDataset, _ testing: DatasetSplits.Testing) -> String
    {
        let number = ReadableNumber.grouped(count)
        let part = count < test.count ? "\(number) of " : ""
        let whole = ReadableNumber.grouped(test.count)
        return switch testing {
        case .own: "\(number) test \(test.hasPhotos ? "photos" : "images") of \(test.name)"
        case .run: "\(part)the run's own \(whole) test photos of \(test.name)"
        case .all: "\(part)all \(whole) photos of \(test.name)"
        }
    }

    /// The images that can be read, as far as that can be known or is asked for, and those that cannot.
    private func readable(
        _ test: ImageDataset, skipsBroken: Bool
    ) throws -> (whole: ImageDataset, skipped: [BrokenPhoto]) {
        guard skipsBroken else {
            try advising { () throws(FileError) in try test.checkPhotos() }
            return (test, [])
        }
        let (whole, broken) = test.withoutBroken(threads: compute.resolved.threads)
        for remark in BrokenPhoto.remarks(broken) { Console.note(remark) }
        guard whole.count > 0 else {
            throw FileError(trained.data.folder ?? test.name, "none of its \(test.count) photos can be read")
        }
        return (whole, broken)
    }

    /// What `body` does; the error of a photo that cannot be read says how to go on.
    private func advising<Result>(_ body: () throws(FileError) -> Result) throws(FileError) -> Result {
        do {
            return try body()
        } catch {
            throw FileError(error.path, "\(error.reason); --skip-broken goes on without it")
        }
    }
}
