import Foundation
import Synchronization
import VGGFiles

/// How far a fetch has come.
public struct FetchProgress: Hashable, Sendable {
    /// The file, or the Debian package, that is being fetched.
    public let file: String
    /// Bytes that have arrived.
    public let bytesDone: Int
    /// nil if the server did not say.
    public let bytesTotal: Int?
}

/// Gets published data sets from the network.
package struct DatasetFetcher: Sendable {
    /// Replaces the published address, for tests.
    var address: String?
    var usesDebian: Bool
    /// How long the server may be silent.
    var timeout: TimeInterval

    package init(address: String? = nil, usesDebian: Bool = true, timeout: TimeInterval = 10) {
        self.address = address
        self.usesDebian = usesDebian
        self.timeout = timeout
    }

    /// Why nothing could be fetched: one line for each way that was tried.
    struct Failure: Error {
        var reasons: [String]
    }

    /// Puts the files of `publication` that `folder` lacks, or has with other content, into it.
    ///
    /// First from the published address, then from Debian's package. A file appears in the folder only whole
    /// and verified.
    /// - Throws: `Failure` if both ways fail, `FileError` if the folder cannot be written.
    func fetch(_ publication: Publication, into folder: String, progress: (FetchProgress) -> Void) throws {
        // A second thread that wants the same files waits, and then finds them.
        try Self.oneAtATime.withLock { _ in
            try fetchMissing(publication, into: folder, progress: progress)
        }
    }

    private static let oneAtATime = Mutex(())

    private func fetchMissing(
        _ publication: Publication, into folder: String, progress: (FetchProgress) -> Void
    ) throws {
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        } catch {
            throw FileError(folder, "this cache folder cannot be made; set XDG_CACHE_HOME to one that can")
        }
        var missing = publication.files.filter { file in
            let present = try? IDXFile(path: "\(folder)/\(file.name)", rank: file.part.rank)
            return present?.sha256 != file.sha256
        }
        var reasons: [String] = []
        do {
            let address = address ?? publication.address
            while let file = missing.first {
                let content = try Download.content(of: address + file.name, timeout: timeout) {
                    progress(FetchProgress(file: file.name, bytesDone: $0, bytesTotal: $1))
                }
                try store(content, as: file, from: address + file.name, in: folder)
                missing.removeFirst()
            }
            return
        } catch let failure as Failure {
            reasons += failure.reasons
        }
        guard usesDebian else { throw Failure(reasons: reasons) }
        do {
            try DebianPackage(name: publication.debianPackage).withFiles { done, total in
                progress(
                    FetchProgress(
                        file: "Debian's package \(publication.debianPackage)", bytesDone: done,
                        bytesTotal: total))
            } use: { unpacked in
                for file in missing {
                    let path = "\(unpacked)/\(file.name)"
                    guard let content = FileManager.default.contents(atPath: path) else {
                        throw Failure(reasons: ["Debian's package lacks \(file.name)"])
                    }
                    try store(content, as: file, from: "Debian's \(file.name)", in: folder)
                }
            }
        } catch let failure as Failure {
            throw Failure(reasons: reasons + failure.reasons)
        }
    }

    private func store(
        _ content: Data, as file: Publication.File, from source: String, in folder: String
    ) throws {
        let decoded = try? IDXFile(content, path: source, rank: file.part.rank)
        guard decoded?.sha256 == file.sha256 else {
            throw Failure(reasons: ["\(source) does not hold the published data"])
        }
        try AtomicFile.replace("\(folder)/\(file.name)", with: content)
    }
}
