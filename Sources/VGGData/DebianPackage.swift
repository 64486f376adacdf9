import Foundation
import VGGFiles

/// A data package of Debian's, fetched and unpacked without root and without installing it.
struct DebianPackage {
    let name: String

    /// Unpacks the package into a temporary folder and passes `use` the folder of its data set.
    /// - Throws: `DatasetFetcher.Failure` if there is no apt or it fails; what `use` throws.
    func withFiles(progress: (Int, Int?) -> Void, use: (String) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "swift-vgg-\(UUID().uuidString)")
        do {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        } catch {
            throw failure("\(folder.path) cannot be made")
        }
        TemporaryFiles.add(folder.path)
        defer {
            try? FileManager.default.removeItem(at: folder)
            TemporaryFiles.remove(folder.path)
        }

        var options = ["-q", "-o", "Acquire::http::Timeout=20", "-o", "Acquire::Retries=1"]
        func aptGet(_ arguments: String..., whileRunning: () -> Void = {}) throws -> String {
            try run("/usr/bin/apt-get", options + arguments, in: folder, whileRunning: whileRunning)
        }

        var listing: String
        do {
            listing = try aptGet("download", "--print-uris", name)
        } catch {
            // A fresh machine has no package lists; only root may fetch the system's, so fetch our own.
            options += [
                "-o", "Dir::State::Lists=\(folder.path)/lists", "-o", "Dir::Cache=\(folder.path)/cache",
            ]
            for part in ["lists/partial", "cache/archives/partial"] {
                try? FileManager.default.createDirectory(
                    at: folder.appending(path: part), withIntermediateDirectories: true)
            }
            _ = try aptGet("update")
            listing = try aptGet("download", "--print-uris", name)
        }
        // The line is: 'address' file-name size hash
        let fields = listing.split(separator: "\n").last?.split(separator: " ") ?? []
        let total = fields.count > 2 ? Int(fields[2]) : nil

        _ = try aptGet("download", name) { progress(largestFile(in: folder), total) }
        let entries = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        guard let archive = entries.first(where: { $0.hasSuffix(".deb") }) else {
            throw failure("apt-get left no package")
        }
        _ = try run("/usr/bin/dpkg", ["-x", archive, "unpacked"], in: folder)
        let dataset = name.hasPrefix("dataset-") ? String(name.dropFirst("dataset-".count)) : name
        try use(folder.appending(path: "unpacked/usr/share/datasets/\(dataset)").path)
    }

    private func failure(_ reason: String) -> DatasetFetcher.Failure {
        DatasetFetcher.Failure(reasons: ["Debian's package \(name): \(reason)"])
    }

    /// Runs a program and returns what it printed; `whileRunning` is called a few times a second.
    private func run(
        _ program: String, _ arguments: [String], in folder: URL, whileRunning: () -> Void = {}
    ) throws(DatasetFetcher.Failure) -> String {
        // Files, unlike pipes, cannot fill up while nobody reads them.
        let output = folder.appending(path: "output").path
        let errors = folder.appending(path: "errors").path
        let process = Process()
        process.executableURL = URL(filePath: program)
        process.arguments = arguments
        process.currentDirectoryURL = folder
        process.environment = ProcessInfo.processInfo.environment.merging(["LC_ALL": "C"]) { $1 }
        process.standardInput = FileHandle.nullDevice
        for path in [output, errors] {
            guard FileManager.default.createFile(atPath: path, contents: nil) else {
                throw failure("\(path) cannot be written")
            }
        }
        process.standardOutput = FileHandle(forWritingAtPath: output)
        process.standardError = FileHandle(forWritingAtPath: errors)
        do {
            try process.run()
        } catch {
            throw failure("there is no \(program) here")
        }
        while process.isRunning {
            whileRunning()
            Thread.sleep(forTimeInterval: 0.1)
        }
        guard process.terminationStatus == 0 else {
            let lines = ((try? String(contentsOfFile: errors, encoding: .utf8)) ?? "").split(separator: "\n")
            let line = lines.last { $0.hasPrefix("E:") } ?? lines.last ?? "no message"
            throw failure("\(program) failed: \(line)")
        }
        return (try? String(contentsOfFile: output, encoding: .utf8)) ?? ""
    }

    private func largestFile(in folder: URL) -> Int {
        let entries = try? FileManager.default.contentsOfDirectory(
            at: folder, includingPropertiesForKeys: [.fileSizeKey])
        return (entries ?? []).compactMap { try? $0.resourceValues(forKeys: [.fileSizeKey]).fileSize }.max()
            ?? 0
    }
}
