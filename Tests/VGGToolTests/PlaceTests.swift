import Foundation
import Testing
import VGGKit

private let training = """
    train --conv-arch 1x8 --size 8 --batch-size 4 --train-limit 8 --test-limit 8 --precision fp32
    """

extension ToolTests {
    @Test func homeIsTheShells() throws {
        func searched(_ shell: String) throws -> String { try run("data mnist", shell: shell).errors }
        #expect(
            try searched("export HOME=/no/home; unset XDG_CACHE_HOME").contains(
                "/no/home/.cache/swift-vgg/mnist"))
        // Relative paths do not count.
        #expect(
            try searched("export HOME=/no/home XDG_CACHE_HOME=caches")
                .contains("/no/home/.cache/swift-vgg/mnist"))
        #expect(try searched("export XDG_CACHE_HOME=/no/caches").contains("/no/caches/swift-vgg/mnist"))
        let unset = try searched("unset HOME XDG_CACHE_HOME")
        #expect(unset.contains("/.cache/swift-vgg/mnist"))
        #expect(try searched("export HOME=; unset XDG_CACHE_HOME") == unset)
    }

    /// Shells leave a tilde behind an equals sign or a colon as it is.
    @Test func tildesAreHome() throws {
        // The data stay where they are.
        let home = "export XDG_CACHE_HOME=\"${XDG_CACHE_HOME:-$HOME/.cache}\" HOME=\"$PWD/home\""
        let result = try run("\(training) --max-steps 1 --run-dir=~/a", shell: home)
        #expect(result.status == 0, "\(result.errors)")
        #expect(try folder.names("home") == ["a"] && folder.names() == ["errors", "home", "output"])
        let data = try run("train --data folder:~/photos", shell: home)
        #expect(data.errors.contains("\(folder.path)/home/photos: there is no such folder"))
        #expect(try run("data --output=~/s.png", shell: home).status == 0)
        #expect(try folder.names("home") == ["a", "s.png"])
        let root = try run("train --data folder:~root/no-photos")
        #expect(root.status == 1 && !root.errors.contains("~"))
    }

    @Test func runsOfTheSameSecondGetFoldersOfTheirOwn() throws {
        let arguments = "\(training) --max-steps 1".split(separator: " ").map(String.init)
        let processes = try (0..<4).map { _ in try Program.start(arguments, in: folder) }
        for process in processes { #expect(try Program.finish(process, in: folder).status == 0) }
        // Those that begin when others are there already, too.
        for _ in 0..<2 { #expect(try run("\(training) --max-steps 1").status == 0) }
        let names = try folder.names("runs")
        #expect(names.count == 6)
        #expect(names.allSatisfy { $0.contains(/^\d{4}-\d\d-\d\d-\d{6}-vgg(-\d)?$/) })
        for name in names { #expect(try folder.names("runs/\(name)").count == 6) }
    }

    @Test func anOutputFollowsALink() throws {
        try FileManager.default.createDirectory(at: folder.url("far"), withIntermediateDirectories: true)
        try FileManager.default.createSymbolicLink(
            atPath: folder.url("sheet.png").path, withDestinationPath: "far/away.png")
        for _ in 0..<2 {
            #expect(try run("data --output sheet.png").status == 0)
            #expect(try folder.names("far") == ["away.png"])
            #expect(
                try FileManager.default.destinationOfSymbolicLink(atPath: folder.url("sheet.png").path)
                    == "far/away.png")
        }
    }
}
