import Foundation
import Testing
import VGGKit

extension ToolTests {
    /// Random weights of a narrow VGG-16, and pictures.
    private func prepare() throws {
        let network = try vgg(
            ConvArch(parsing: "2x4,2x8,3x16,3x32,3x32"), size: 32, inChannels: 3, classes: 0,
            hiddenFeatures: [])
        let executor = try Executor(
            plan: Plan(network, batchSize: 1, mode: .inference, keeping: [network.layers.count - 1]),
            device: .cpu)
        executor.initialize(.kaiming, seed: 1)
        try Safetensors(tensors: NamedTensors(sorting: executor.weights), metadata: [:]).write(
            to: folder.url("w.safetensors").path)
        let pictures: [(String, Int, Int)] = [
            ("a/1.png", 40, 30), ("a/2.png", 40, 30), ("b/1.png", 40, 30), ("b/3.png", 40, 30),
            ("other.png", 33, 35), ("small.png", 9, 40),
        ]
        for (number, (name, width, height)) in pictures.enumerated() {
            var bitmap = Bitmap(width: width, height: height)
            for y in 0..<height {
                for x in 0..<width {
                    // The second is nearly the first.
                    let seed = number == 1 ? 0 : number
                    let grey = UInt8((x * (seed + 3) + y * (seed + 1) * 2) % 256 / (number == 1 ? 2 : 1))
                    bitmap[x, y] = Colour(red: grey, green: UInt8(x * 5), blue: UInt8(255 - y * 4))
                }
            }
            try folder.write([UInt8](bitmap.pngData()), to: name)
        }
    }

    @Test(.enabled(if: ImageFormat.png.isSupported)) func saysHowAlikePicturesLook() throws {
        try prepare()
        func distances(_ arguments: String) throws -> [[String: Any]] {
            let result = try run("distance \(arguments) --weights w.safetensors --format json")
            #expect(result.status == 0, "\(arguments): \(result.errors)")
            return try result.objects()
        }
        func number(_ object: [String: Any]?) -> Double { object?["distance"] as? Double ?? .nan }

        let near = number(try distances("a/1.png a/2.png").first)
        let far = number(try distances("a/1.png b/3.png").first)
        #expect(near > 0 && near < far)
        #expect(number(try distances("a/1.png a/1.png").first) == 0)

        try folder.write(Array("a/1.png\ta/2.png\n\na/1.png b/3.png\r\n".utf8), to: "pairs.tsv")
        #expect(try distances("--pairs pairs.tsv --batch-size 2").map(number) == [near, far])
        let table = try #require(try distances("a b").first)
        #expect(table["a"] as? String == "a/1.png" && table["b"] as? String == "b/1.png")
        let matrix = try #require(
            try distances("a/1.png a/2.png b/3.png").first?["distances"] as? [[Double]])
        // Pairs are summed pixel by pixel, and embeddings number by number.
        #expect(abs(matrix[0][1] - near) < 1e-5 * near && abs(matrix[2][0] - far) < 1e-5 * far)
        #expect(matrix[1][1] == 0)
        let nearest = try distances("a/1.png --nearest 2 --among b --among a --among a/1.png")
        #expect(nearest.map { $0["file"] as? String } == ["a/1.png", "a/1.png"])
        let squares = try distances("a/1.png other.png --size 24 --layer relu1_1,relu4_2")
        #expect(number(squares.first) > 0)
        let text = try run("distance a/1.png a/2.png --weights w.safetensors")
        #expect(text.output == "\(String(format: "%.6f", near))  a/1.png  a/2.png\n")
    }

    @Test(.enabled(if: ImageFormat.png.isSupported)) func saysWhichPicturesHaveNoDistance() throws {
        try prepare()
        try folder.write(Array("no picture".utf8), to: "c/1.png")
        for (arguments, problem) in [
            ("a/1.png other.png", "have 40×30 and 33×35 pixels; --size compares squares"),
            ("a/1.png b/3.png other.png", "has 33×35 pixels where the first has 40×30"),
            ("a c", "c/1.png: is no JPEG"),
            ("small.png small.png", "relu5_3: both sides must have at least 16"),
            ("a/1.png b/1.png --layer relu9_9", "there is no layer 'relu9_9'"),
            ("a b/1.png", "a is a folder, and the other is not"),
            ("a/1.png b/1.png --linear w.safetensors", "lin0.model.1.weight"),
        ] {
            let result = try run("distance \(arguments) --weights w.safetensors")
            #expect(result.status != 0 && result.errors.contains(problem), "\(arguments): \(result.errors)")
        }
    }

    @Test(.enabled(if: ImageFormat.png.isSupported)) func paintsInTheMannerOfAnother() throws {
        try prepare()
        let result = try run(
            "stylize a/1.png b/1.png other.png --blend 2,1 --weights w.safetensors --size 24,32 --steps 3,4 --every 5 "
                + "--output made.png --format json")
        #expect(result.status == 0, "\(result.errors)")
        #expect(result.errors.contains("24×18, 32×24 pixels on cpu: "))
        let records = try result.objects()
        #expect(records.count == 7)
        let losses = records.compactMap { $0["loss"] as? Double }
        #expect(losses[2] < losses[0] && losses[6] < losses[3])
        let made = try RGBImage(contentsOf: folder.url("made.png").path)
        #expect(made.width == 32 && made.height == 24)
        #expect(try RGBImage(contentsOf: folder.url("made-5.png").path).width == 32)
        // Mirrored borders make another picture, and need something to mirror.
        let files = "stylize a/1.png b/1.png --weights w.safetensors --steps 2 --output"
        for (name, options) in [("zero.png", ""), ("mirrored.png", " --borders reflect")] {
            #expect(try run("\(files) \(name) --size 48\(options)").status == 0)
        }
        #expect(
            try RGBImage(contentsOf: folder.url("zero.png").path)
                != RGBImage(contentsOf: folder.url("mirrored.png").path))
        let narrow = try run("\(files) narrow.png --size 24 --borders reflect")
        #expect(narrow.status != 0 && narrow.errors.contains("both sides must have at least 32"))
        for (options, problem) in [
            ("--content-layer relu9_1", "there is no layer 'relu9_1'"),
            ("--size 8", "both sides must have at least 16"),
            ("--blend 1,2", "--blend must be 1 number above 0"),
            ("--steps 1,2", "--steps must be one number"),
            ("--content-layer relu1_1:x", "relu1_1:x"), ("--output a/1.png", "is the file that is read"),
        ] {
            let output = options.hasPrefix("--output") ? "" : " --output other-made.png"
            let result = try run("stylize a/1.png b/1.png --weights w.safetensors \(options)\(output)")
            #expect(result.status != 0 && result.errors.contains(problem), "\(options): \(result.errors)")
        }
        let large = try run(
            "stylize a/1.png b/1.png --weights w.safetensors --output large.png",
            shell: "export VGG_MAX_MEMORY=1000000")
        #expect(
            large.status == 1 && large.errors.contains("MB of memory, but 1 MB are free"), "\(large.errors)")
        #expect(try folder.names().allSatisfy { !$0.contains("other-made") && $0 != "large.png" })
    }

    @Test(.enabled(if: ImageFormat.png.isSupported)) func aSignalKeepsThePictureSoFar() throws {
        try prepare()
        let process = try Program.start(
            "stylize a/1.png b/1.png --weights w.safetensors --size 32 --steps 1000000 --every 3 --output made.png"
                .split(
                    separator: " "
                ).map(String.init), in: folder)
        while process.isRunning, !FileManager.default.fileExists(atPath: folder.url("made-3.png").path) {
            usleep(1000)
        }
        kill(process.processIdentifier, SIGINT)
        let result = try Program.finish(process, in: folder)
        #expect(result.status == 128 + SIGINT && result.errors.contains("wrote made.png: 32×24 pixels after"))
        #expect(try RGBImage(contentsOf: folder.url("made.png").path).width == 32)
    }
}
