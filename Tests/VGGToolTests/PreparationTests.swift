import Foundation
import Testing
import VGGKit

/// How red and how blue a picture is: the logits of the networks here.
private enum Colours {
    static let reddish: [UInt8] = [250, 20, 10]
    static let bluish: [UInt8] = [10, 20, 250]

    /// What the network makes of a picture of one colour: its first and its last channel, where they are not negative.
    static func logits(_ colour: [UInt8], _ mean: [Double], _ std: [Double], bytes: Double, bgr: Bool)
        -> [Double]
    {
        let channels = (bgr ? Array(colour.reversed()) : colour).map { Double($0) / bytes }
        return [0, 2].map { max(0, (channels[$0] - mean[$0]) / std[$0]) }
    }
}

extension ToolTests {
    /// Weights of 8×8 pixels without a word about themselves: the two hidden features are the means of the first and
    /// of the last channel, and `head` makes the logits of them.
    private func writeColourWeights(
        _ name: String, head: [[Float]] = [[1, 0], [0, 1]], bias: [Float]? = nil
    ) throws {
        var kernels = [Float](repeating: 0, count: 2 * 3 * 9)
        kernels[4] = 1
        kernels[27 + 18 + 4] = 1
        let mean = (0..<2).flatMap { row in (0..<32).map { $0 / 16 == row ? Float(1) / 16 : 0 } }
        let file = Safetensors(tensors: [
            "features.0.weight": Tensor(shape: [2, 3, 3, 3], values: kernels),
            "features.0.bias": Tensor(zeros: [2]),
            "classifier.0.weight": Tensor(shape: [2, 32], values: mean),
            "classifier.0.bias": Tensor(zeros: [2]),
            "classifier.3.weight": Tensor(shape: [2, 2], values: [1, 0, 0, 1]),
            "classifier.3.bias": Tensor(zeros: [2]),
            "classifier.6.weight": Tensor(shape: [head.count, 2], values: head.flatMap { $0 }),
            "classifier.6.bias": Tensor(
                shape: [head.count], values: bias ?? head.map { _ in 0 }),
        ])
        try file.write(to: folder.url(name).path)
    }

    /// Writes photos of one colour each.
    private func writeColours(_ names: [String: [UInt8]], in folderName: String = "photos") throws {
        for (name, colour) in names {
            var bitmap = Bitmap(width: 12, height: 10)
            for y in 0..<10 {
                for x in 0..<12 { bitmap[x, y] = Colour(red: colour[0], green: colour[1], blue: colour[2]) }
            }
            let url = folder.url("\(folderName)/\(name)/0.png")
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
            try bitmap.pngData().write(to: url)
        }
    }

    private func logits(_ arguments: String) throws -> [[Double]] {
        let result = try run("predict \(arguments) --format json")
        #expect(result.status == 0 && result.complaints.isEmpty, "\(result.errors)")
        return try result.objects().map { try #require($0["logits"] as? [Double]) }
    }

    private func accuracy(_ arguments: String) throws -> Double? {
        let result = try run("eval \(arguments) --format json")
        #expect(result.status == 0, "\(result.errors)")
        return try result.objects().first?["accuracy"] as? Double
    }

    /// The options, and what they mean.
    private static let preparations:
        [(options: String, mean: [Double], std: [Double], bytes: Double, bgr: Bool)] = [
            ("", [0.485, 0.456, 0.406], [0.229, 0.224, 0.225], 255, false),
            ("--preprocessing caffe", [103.939, 116.779, 123.68], [1, 1, 1], 1, true),
            ("--preprocessing plain", [0, 0, 0], [1, 1, 1], 255, false),
            ("--mean 0.5 --std 0.25", [0.5, 0.5, 0.5], [0.25, 0.25, 0.25], 255, false),
            (
                "--mean 0.5,0.4,0.3 --std 0.5,0.25,0.125 --resize 9", [0.5, 0.4, 0.3], [0.5, 0.25, 0.125],
                255, false
            ),
            ("--mean 0.5 0.4 0.3 --std 0.5 0.25 0.125", [0.5, 0.4, 0.3], [0.5, 0.25, 0.125], 255, false),
            ("--mean [0.5,0.4,0.3]", [0.5, 0.4, 0.3], [0.229, 0.224, 0.225], 255, false),
            ("--mean 123.68,116.78,103.94 --std 1 --size 8", [123.68, 116.78, 103.94], [1, 1, 1], 1, false),
            (
                "--preprocessing caffe --mean 0 --std 57.5 --resize 8", [0, 0, 0], [57.5, 57.5, 57.5], 1, true
            ),
            ("--preprocessing caffe --mean 0.5 --std 0.25", [0.5, 0.5, 0.5], [0.25, 0.25, 0.25], 255, true),
        ]

    @Test(.enabled(if: ImageFormat.png.isSupported), arguments: preparations.indices)
    func everyCommandPreparesAlike(_ index: Int) throws {
        let (options, mean, std, bytes, bgr) = Self.preparations[index]
        try writeColourWeights("w.safetensors")
        try writeColours(["blue": Colours.bluish, "red": Colours.reddish])
        let expected = [Colours.bluish, Colours.reddish].map {
            Colours.logits($0, mean, std, bytes: bytes, bgr: bgr)
        }
        func check(_ found: [[Double]], tolerance: Double = 1e-5) {
            #expect(found.map(\.count) == [2, 2])
            for (found, expected) in zip(found.flatMap { $0 }, expected.flatMap { $0 }) {
                #expect(
                    abs(found - expected) <= tolerance * max(1, abs(expected)),
                    "\(options): \(found), \(expected)")
            }
        }
        let predicted = try logits("w.safetensors photos \(options)")
        check(predicted)

        let features = try run("features w.safetensors photos --layer fc3 --output f.safetensors \(options)")
        #expect(features.status == 0, "\(features.errors)")
        let written = try #require(
            try Safetensors(contentsOf: folder.url("f.safetensors").path).tensors["fc3"])
        #expect(written.values.map(Double.init) == predicted.flatMap { $0 }.map { Double(Float($0)) })

        let explained = try run(
            "explain w.safetensors photos/red/0.png --output cam.png --class 0 --format json \(options)")
        let probability = try #require(try explained.objects().first?["probability"] as? Double)
        let (first, last) = (expected[1][0], expected[1][1])
        #expect(abs(probability - 1 / (1 + exp(last - first))) < 1e-5)

        // Blue comes first in the folder: only who takes the colours the other way round is right.
        #expect(try accuracy("w.safetensors --data folder:photos \(options)") == (bgr ? 1 : 0))

        // What is converted needs no options, and the file itself says how it was meant.
        #expect(try run("convert w.safetensors c.safetensors \(options)").status == 0)
        #expect(try logits("c.safetensors photos") == predicted)
        #expect(try accuracy("c.safetensors --data folder:photos") == (bgr ? 1 : 0))
        let stored = try TrainedModel(runOrWeights: folder.url("c.safetensors").path).stored?.preprocessing
        #expect((stored == nil) == options.isEmpty)

        // So does a training that starts from it, and one that is given the same options.
        try writeColours(["blue": Colours.bluish, "red": Colours.reddish], in: "photos/train")
        try writeColours(["blue": Colours.bluish, "red": Colours.reddish], in: "photos/val")
        try FileManager.default.removeItem(at: folder.url("photos/red"))
        try FileManager.default.removeItem(at: folder.url("photos/blue"))
        let training =
            "train --data folder:photos --max-steps 1 --epochs 1 --lr 1e-9 --precision fp32 --run-dir"
        for (run, start) in [("a", "--init c.safetensors"), ("b", "--init w.safetensors \(options)")] {
            let result = try self.run("\(training) \(run) \(start)")
            #expect(result.status == 0, "\(result.errors)")
        }
        let configurations = try ["a", "b"].map { try RunFolder(folder.url($0).path).readConfiguration() }
        #expect(configurations[0].preprocessing == configurations[1].preprocessing)
        // A step of next to no length was done.
        check(try logits("b photos/train"), tolerance: 1e-3)
        #expect(try run("train --resume b --max-steps 2 \(options)").status == 0)
        let conflict = try run("train --resume b --max-steps 2 --mean 0.1 --std 0.2")
        #expect(conflict.status == 1 && conflict.errors.contains("--preprocessing is "), "\(conflict.errors)")
    }

    /// What weights that say nothing are tested with is said.
    @Test(.enabled(if: ImageFormat.png.isSupported)) func evalSaysWhatItTakesForGranted() throws {
        try writeColourWeights("w.safetensors")
        try writeColours(["blue": Colours.bluish, "red": Colours.reddish])
        let silent = try run("eval w.safetensors --data folder:photos")
        #expect(silent.errors.contains("note: the weights do not say") && silent.errors.contains("imagenet"))
        #expect(try run("eval w.safetensors --data folder:photos --preprocessing caffe").complaints.isEmpty)
    }

    /// A network's own size, and the side before the square is cut out: 8 / 0.875 is 9.
    @Test(.enabled(if: ImageFormat.png.isSupported)) func smallNetworksSeeSmallPictures() throws {
        try writeColourWeights("w.safetensors")
        try writeTestImage(3, to: "photos/0.png")
        let own = try logits("w.safetensors photos")
        #expect(try logits("w.safetensors photos --preprocessing imagenet --resize 9 --size 8") == own)
        #expect(try logits("w.safetensors photos --resize 8") != own)
        #expect(try logits("w.safetensors photos --resize 10") != own)
        let preprocessing = try Preprocessing.imageNet.resized(to: 8)
        let input = preprocessing.input(from: try RGBImage(contentsOf: folder.url("photos/0.png").path))
            .values
        for (output, channel) in [0, 2].enumerated() {
            var sum = 0.0
            for y in 0..<4 {
                for x in 0..<4 {
                    // The pool takes the largest of four.
                    let places = [0, 1, 8, 9].map { 16 * y + 2 * x + $0 }
                    sum += Double(max(0, places.map { input[64 * channel + $0] }.max() ?? .nan))
                }
            }
            #expect(abs(own[0][output] - sum / 16) < 1e-5)
        }
    }

    @Test(.enabled(if: ImageFormat.png.isSupported)) func aFolderMayHaveSomeOfTheClasses() throws {
        try writeColourWeights(
            "w.safetensors", head: [[0, 0], [1, 0], [0, 0], [0, 1]], bias: [-1, 0, -1, 0])
        try writeColours(["blue": Colours.bluish, "red": Colours.reddish])
        let without = try run("eval w.safetensors --data folder:photos")
        #expect(
            without.status == 1 && without.errors.contains("it has 2 classes, but the weights 4; name those"))
        #expect(!without.errors.contains("--classes"))
        for (name, text) in [
            ("lines.txt", "green\nred, scarlet\nteal\nblue\n"),
            ("numbers.txt", "3 blue\n1 red\n0 green\n2 teal"),
            ("names.json", #"{"0": ["n0", "x"], "1": ["red", "y"], "2": ["n2", "y"], "3": ["n3", "blue"]}"#),
        ] {
            try Data(text.utf8).write(to: folder.url(name))
            #expect(try accuracy("w.safetensors --data folder:photos --labels \(name)") == 1)
        }
        let index = try run(
            "predict w.safetensors --data folder:photos --labels lines.txt --index 0 --format json")
        #expect(try index.objects().first?["actual"] as? String == "blue")
        // Names that travel with the weights do as well.
        #expect(try run("convert w.safetensors named.safetensors --labels lines.txt").status == 0)
        #expect(try accuracy("named.safetensors --data folder:photos") == 1)
        let pipe = try run(
            "eval w.safetensors --data folder:photos --labels /dev/stdin --format json",
            shell: "exec < lines.txt")
        #expect(try pipe.objects().first?["accuracy"] as? Double == 1)

        try writeColours(["mauve": Colours.bluish])
        let unknown = try run("eval w.safetensors --data folder:photos --labels lines.txt")
        #expect(unknown.status == 1 && unknown.errors.contains("photos/mauve: is not one of the classes"))
        try Data("red\nred\nblue\nmauve\n".utf8).write(to: folder.url("twice.txt"))
        let twice = try run("eval w.safetensors --data folder:photos --labels twice.txt")
        #expect(twice.errors.contains("the classes 0 and 1 are both called \"red\""))
        #expect(twice.status == 1 && twice.errors.contains("photos/red: is the name of the classes 0 and 1"))
    }

    @Test(.enabled(if: ImageFormat.png.isSupported)) func oneOutputIsASigmoid() throws {
        // What speaks for red: 2.2489… for the red photo, and as much against it for the blue one.
        try writeColourWeights("w.safetensors", head: [[1, -1]])
        try writeColours(["blue": Colours.bluish, "red": Colours.reddish])
        let expected = [Colours.bluish, Colours.reddish].map { colour -> Double in
            let logits = Colours.logits(
                colour, [0.485, 0.456, 0.406], [0.229, 0.224, 0.225], bytes: 255, bgr: false)
            return 1 / (1 + exp(logits[1] - logits[0]))
        }
        func top(_ options: String) throws -> [[(Int?, String?, Double)]] {
            try run("predict w.safetensors photos --format json \(options)").objects().map { object in
                try #require(object["top"] as? [[String: Any]]).map {
                    ($0["label"] as? Int, $0["class"] as? String, try #require($0["probability"] as? Double))
                }
            }
        }
        let nameless = try top("")
        for (found, probability) in zip(nameless, expected) {
            #expect(found.count == 1 && found[0].0 == 0 && found[0].1 == "0")
            #expect(abs(found[0].2 - probability) < 1e-5)
        }
        try Data("blue\nred\n".utf8).write(to: folder.url("two.txt"))
        let named = try top("--labels two.txt")
        #expect(named.map { $0.map(\.1) } == [["blue", "red"], ["red", "blue"]])
        #expect(named.map { $0.map(\.0) } == [[0, 1], [1, 0]])
        #expect(abs(named[0][0].2 - (1 - expected[0])) < 1e-5 && abs(named[1][0].2 - expected[1]) < 1e-5)
        try Data("red\n".utf8).write(to: folder.url("one.txt"))
        #expect(try top("--labels one.txt")[1][0].1 == "red")
        let text = try run("predict w.safetensors photos/blue/0.png --labels one.txt").lines
        #expect(text.count == 2 && text[1].hasSuffix(" %  red"))
        #expect(text[1].contains(String(format: "%.2f", 100 * expected[0])))

        let explained = try run(
            "explain w.safetensors photos/blue/0.png --labels two.txt --output cam.png --format json")
        let report = try #require(try explained.objects().first)
        #expect(report["class"] as? String == "red" && report["label"] as? Int == 1)
        #expect(abs((report["probability"] as? Double ?? .nan) - expected[0]) < 1e-5)
        let other = try run("explain w.safetensors photos/blue/0.png --class 1 --output cam.png")
        #expect(
            other.status == 64 && other.errors.contains("--class must be 0, which the network's only output"))

        // The second folder is what the output speaks for, or what the names say.
        let eval = try run("eval w.safetensors --data folder:photos --preprocessing imagenet")
        #expect(eval.output.contains("accuracy 1.000 ") && eval.output.contains("0.5 is taken for red"))
        let loss = try #require(
            try run("eval w.safetensors --data folder:photos --format json").objects().first?["loss"]
                as? Double)
        #expect(abs(loss + (log(1 - expected[0]) + log(expected[1])) / 2) < 1e-5)
        try Data("red\nblue\n".utf8).write(to: folder.url("reverse.txt"))
        #expect(try accuracy("w.safetensors --data folder:photos --labels reverse.txt") == 0)
        let single = try run("eval w.safetensors --data folder:photos --labels one.txt")
        #expect(single.status == 64 && single.errors.contains("give --labels both names"))
        try writeColours(["green": [0, 255, 0]])
        let three = try run("eval w.safetensors --data folder:photos")
        #expect(three.status == 1 && three.errors.contains("it has 3 classes, but the weights 2"))
        try Data("a\nb\nc\n".utf8).write(to: folder.url("three.txt"))
        let names = try run("predict w.safetensors photos --labels three.txt")
        #expect(
            names.status == 1
                && names.errors.contains("names 3 classes, but the network has 1 output: one name"))
    }

    /// Data in memory are prepared as photos are: by the run, by the weights, or by the options.
    @Test(.enabled(if: ImageFormat.png.isSupported)) func dataInMemoryArePreparedToo() throws {
        let trained = try run("\(greyTraining) --mean 0.286 --std 0.353")
        #expect(trained.status == 0, "\(trained.errors)")
        let expected = try Preprocessing(
            resize: 16, size: 16, channels: .grey, range: .unit, mean: [0.286], std: [0.353])
        #expect(try RunFolder(folder.url("run").path).readConfiguration().preprocessing == expected)
        for index in 0..<2 { try writeTestImage(index, to: "photos/\(index).png") }
        let indexed = try (0..<2).map {
            try #require(
                try run("predict run --index \($0) --format json").objects().first?["logits"] as? [Double])
        }
        #expect(try logits("run photos") == indexed)
        #expect(try logits("run photos --preprocessing plain") != indexed)

        // Weights without a word: the options say the same to all.
        let tensors = try Safetensors(contentsOf: folder.url("run/model.safetensors").path).tensors
        try Safetensors(tensors: tensors).write(to: folder.url("bare.safetensors").path)
        let options = "--size 16 --mean 0.286 --std 0.353"
        #expect(try logits("bare.safetensors photos \(options)") == indexed)
        let own = try run("eval run --test-limit 64 --format json").objects().first
        let bare = try run(
            "eval bare.safetensors --data fashion-mnist --test-limit 64 \(options) --format json")
        #expect(try own?["loss"] as? Double == bare.objects().first?["loss"] as? Double)

        // A network that sees colours can be tested on grey images, and trained on them.
        try writeColourWeights("w.safetensors", head: (0..<10).map { [Float($0), 1] })
        #expect(try run("eval w.safetensors --data fashion-mnist --test-limit 64").status == 0)
        let tuned = try run(
            "train --init w.safetensors --data fashion-mnist --train-limit 32 --test-limit 32 --max-steps 1 --run-dir tuned"
        )
        #expect(tuned.status == 0, "\(tuned.errors)")
        let configuration = try RunFolder(folder.url("tuned").path).readConfiguration()
        #expect(
            try configuration.preprocessing == .imageNet.resized(to: 8) && configuration.model.inChannels == 3
        )
        #expect(try run("train --resume tuned --max-steps 2").status == 0)
        #expect(try run("eval tuned --test-limit 32").status == 0)
    }

    /// What must be refused before anything is read.
    static let impossible: [(options: String, says: String)] = [
        ("--std 0", "--std must be finite numbers above 0, not 0.0"),
        ("--std -1,1,1", "--std must be finite"),
        ("--std 0.2,0.2,nan", "--std must be finite"),
        ("--mean nan", "--mean must be finite numbers, not nan"),
        ("--mean inf,0,0", "--mean must be finite"),
        ("--mean 0.5,0.5", "needs one number for all channels or three, not 2"),
        ("--std 1,1,1,1", "or three, not 4"), ("--mean red", "--mean"), ("--mean", "--mean"),
        ("--resize 8 --size 9", "--resize must be at least 9, the size of what the network sees, not 8"),
        ("--resize 0", "--resize must be between 1 and 8192"),
        ("--size 9000", "--size must be between 1 and 8192"),
        ("--preprocessing vgg", "--preprocessing"),
    ]

    @Test(arguments: impossible.indices) func whatCannotBeIsRefusedAtOnce(_ index: Int) throws {
        let (options, says) = Self.impossible[index]
        for command in [
            "predict missing.pth cat.jpg", "eval missing.pth",
            "features missing.pth cat.jpg --layer fc3 --output f.npy",
            "explain missing.pth cat.jpg --output cam.png", "train --init missing.pth",
            "convert missing.pth out.safetensors",
        ] {
            let result = try run("\(command) \(options)")
            #expect(result.status == 64 && result.output.isEmpty, "\(command) \(options)")
            #expect(result.errors.hasPrefix("error: ") && result.errors.contains(says), "\(result.errors)")
            #expect(result.errors.split(separator: "\n").count == 1, "\(result.errors)")
        }
    }

    /// What only the weights can tell to be impossible.
    @Test func whatDoesNotFitTheWeightsIsSaid() throws {
        #expect(try run(greyTraining).status == 0)
        try writeColourWeights("w.safetensors")
        for (options, says) in [
            ("run photo.png --mean 0.5,0.5,0.5", "--mean has 3 numbers, but the network 1 input channel"),
            ("run photo.png --preprocessing imagenet", "use --preprocessing plain"),
            ("run photo.png --resize 15", "--resize must be at least 16"),
            ("w.safetensors photo.png --resize 7", "--resize must be at least 8"),
            ("w.safetensors photo.png --mean 123.68", "give --std of such values, too"),
            ("w.safetensors photo.png --std 57", "give --mean of such values, too"),
            ("w.safetensors photo.png --std 1e-44", "must be finite"),
        ] {
            let result = try run("predict \(options)")
            #expect(result.status == 64 && result.errors.contains(says), "\(options): \(result.errors)")
            #expect(result.complaints.count == 1)
        }
    }
}
