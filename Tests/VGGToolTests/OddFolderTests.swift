import Foundation
import Testing
import VGGKit

/// What people's folders have that no example has: names that are no text, broken photos, other kinds, other places.
extension ToolTests {
    private var quick: String { stripesTraining.replacing("--epochs 6", with: "--epochs 1") }

    @Test(.enabled(if: ImageFormat.png.isSupported)) func namesThatAreNoTextGoThroughEverything() throws {
        try writeStripes(8)
        let trained = try run(quick, shell: #"mv photos/along "$(printf 'photos/g\344nse')""#)
        #expect(trained.status == 0, "\(trained.errors)")
        let labels = ["across", "g\\xe4nse"]
        #expect(try RunFolder(folder.url("run").path).readConfiguration().labels == labels)

        // As an argument, in a folder, and in the lists that programs read.
        let argument = #"set -- "$@" "$(printf 'photos/g\344nse/3.png')""#
        let one = try #require(try run("predict run --format json", shell: argument).objects().first)
        #expect(one["file"] as? String == "photos/g\\xe4nse/3.png")
        let top = try #require(one["top"] as? [[String: Any]])
        #expect(Set(top.compactMap { $0["class"] as? String }) == Set(labels))
        #expect(try run("predict run photos --format json").objects().count == 16)
        let features = try run(
            "features run --layer pool2 --output f.safetensors --format json", shell: argument)
        #expect(try features.objects().first?["files"] as? [String] == ["photos/g\\xe4nse/3.png"])
        let lost = try run("predict run", shell: #"set -- "$@" "$(printf '\377.png')""#)
        #expect(lost.status == 1 && lost.errors.hasPrefix("error: \\xff.png: cannot be opened"))

        // The run goes on and is tested with the class it was trained on; its whole folder may have such a name.
        #expect(try run("eval run --format json").objects().first?["count"] as? Int == 4)
        let moved = try run(
            "train --resume run --epochs 2",
            shell: #"""
                mv photos "$(printf 'h\366lle')"; set -- "$@" --data "$(printf 'folder:h\366lle')"
                """#)
        #expect(moved.status == 0, "\(moved.errors)")
        #expect(moved.output.contains("h\\xf6lle"))
        let eval = try run("eval run")
        #expect(
            eval.output.hasSuffix("on the run's own 4 test photos of h\\xf6lle\n"),
            "\(eval.output)\(eval.errors)")
        _ = try run("summary", shell: #"rm -r "$(printf 'h\366lle')""#)
    }

    @Test(.enabled(if: ImageFormat.png.isSupported)) func testsSayOnWhichPhotosTheyAreMade() throws {
        try writeStripes(8)
        #expect(try run(quick).status == 0)
        try FileManager.default.moveItem(at: folder.url("photos"), to: folder.url("moved"))
        try writeStripes(3, in: "new")
        let words = [
            ("moved", "the run's own 4 test photos of moved"), ("new", "all 6 photos of new"),
            ("moved --test-limit 2", "2 of the run's own 4 test photos of moved"),
        ]
        for (name, says) in words {
            let text = try run("eval run --data folder:\(name)")
            #expect(text.status == 0 && text.output.hasSuffix("on \(says)\n"), "\(text.output)\(text.errors)")
        }
        let json = try run("eval run --data folder:moved --format json").objects().first
        #expect(json?["testing"] as? String == "run" && json?["count"] as? Int == 4)
    }

    @Test(.enabled(if: ImageFormat.png.isSupported)) func brokenPhotosAreNamedOrSkipped() throws {
        try writeStripes(8)
        let bytes = try folder.bytes("photos/along/3.png")
        try bytes.prefix(bytes.count / 2).write(to: folder.url("photos/along/3.png"))
        let broken = try run(quick)
        #expect(
            broken.status == 1 && broken.errors.contains("photos/along/3.png: the PNG picture ends too early")
        )
        // What the error says to do.
        let resumed = try run("train --resume run --skip-broken")
        #expect(resumed.status == 0, "\(resumed.errors)")
        #expect(
            resumed.errors.contains("note: along/3.png: ") && resumed.errors.contains("1 photo is left out"))
        #expect(try run("eval run").status == 0)

        let weights = "eval run/model.safetensors --data folder:photos --format json"
        let refused = try run(weights)
        #expect(refused.status == 1 && refused.errors.contains("along/3.png"))
        #expect(refused.errors.hasSuffix("--skip-broken goes on without it\n"))
        let skipped = try run("\(weights) --skip-broken").objects().first
        #expect(skipped?["count"] as? Int == 15 && (skipped?["skipped"] as? [Any])?.count == 1)
        let other = try run("train --skip-broken")
        #expect(other.status == 64 && other.errors.contains("--skip-broken is for photos"))
    }

    /// Wherever a folder is read, in one line on standard error.
    @Test(.enabled(if: ImageFormat.png.isSupported)) func otherKindsAreCounted() throws {
        try writeStripes(8)
        for name in ["photos/across/a.gif", "photos/across/b.bmp", "photos/along/c.BMP"] {
            try Data("other".utf8).write(to: folder.url(name))
        }
        for command in [
            quick, "eval run", "predict run photos", "features run photos --layer pool2 --output f.npy",
            "data folder:photos",
        ] {
            let result = try run(command)
            let notes = result.errors.split(separator: "\n").filter {
                $0.contains("2 BMP, 1 GIF files are not read")
            }
            #expect(result.status == 0 && notes.count == 1, "\(command): \(result.errors)")
        }
    }
}
