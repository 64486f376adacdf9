import Foundation
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
    /// The most bytes that a file may have: no data set's are larger, and a server that sends more is not sending one.
    var limit: Int
    /// Where curl is looked for.
    var programs: [String]

    package init(
        address: String? = nil, usesDebian: Bool = true, timeout: TimeInterval = 10,
        limit: Int = 200_000_000, programs: [String]? = nil
    ) {
        self.address = address
        self.usesDebian = usesDebian
        self.timeout = timeout
        self.limit = limit
        self.programs = programs ?? SystemProgram.folders
    }

    /// Why nothing could be fetched: one line for each way that was tried.
    struct Failure: Error {
        var reasons: [String]
        /// Whether what has come of a file can be gone on with.
        var isPartGood = false
    }

    /// Puts the files of `publication` that `folder` lacks, or has with other content, into it.
    ///
    /// First from the published address, then from Debian's package. A file appears in the folder only whole
    /// and verified.
    /// - Throws: `Failure` if both ways fail, `FileError` if the folder cannot be written.
    func fetch(_ publication: Publication, into folder: String, progress: (FetchProgress) -> Void) throws {
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        } catch {
            throw FileError(folder, "this cache folder cannot be made; set XDG_CACHE_HOME to one that can")
        }
        // Another thread or process that wants the same files waits, and then finds them. Where folders cannot be
        // locked, each fetches its own, of which the last one stays.
        let lock = folder.withSystemPath { open($0, O_RDONLY | O_CLOEXEC) }
        defer { if lock >= 0 { close(lock) } }
        while lock >= 0, flock(lock, LOCK_EX) != 0, errno == EINTR {}
        try fetchMissing(publication, into: folder, progress: progress)
    }

    private func fetchMissing(
        _ publication: Publication, into folder: String, progress: (FetchProgress) -> Void
    ) throws {
        if let problem = ContentHash.problem { throw Failure(reasons: [problem]) }
        var missing = publication.files.filter { file in
            let present = try? IDXFile(path: "\(folder)/\(file.name)", rank: file.part.rank)
            return present?.sha256 != file.sha256
        }
        var reasons: [String] = []
        do {
            let address = address ?? publication.address
            while let file = missing.first {
                try fetch(file, from: address + file.name, into: folder, progress: progress)
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

    /// Fetches a file, where it was begun before from there on.
    private func fetch(
        _ file: Publication.File, from source: String, into folder: String, progress: (FetchProgress) -> Void
    ) throws {
        guard let curl = SystemProgram.path(of: "curl", in: programs) else {
            throw Failure(
                reasons: [
                    "curl, which fetches files, is not found; install it (on Debian: apt-get install curl)"
                ]
            )
        }
        let path = Self.partial(file, in: folder)
        let download = Download(address: source, path: path, timeout: timeout, limit: limit, curl: curl)
        var isBegunBefore = FileKind(at: path) != nil
        while true {
            do {
                try download.run { progress(FetchProgress(file: file.name, bytesDone: $0, bytesTotal: $1)) }
                let content = try? Data(contentsOf: URL(filePath: path), options: .mappedIfSafe)
                try store(content ?? Data(), as: file, from: source, in: folder)
                return
            } catch let failure as Failure where failure.isPartGood {
                throw failure
            } catch {
                try? FileManager.default.removeItem(atPath: path)
                // What was there may be of another file, or the server cannot go on with it.
                guard isBegunBefore, error is Failure else { throw error }
                isBegunBefore = false
            }
        }
    }

    /// Where what has come of a file is kept.
    private static func partial(_ file: Publication.File, in folder: String) -> String {
        "\(folder)/\(file.name).partial"
    }

    private func store(
        _ content: Data, as file: Publication.File, from source: String, in folder: String
    ) throws {
        let decoded = try? IDXFile(content, path: source, rank: file.part.rank)
        guard decoded?.sha256 == file.sha256 else {
            throw Failure(reasons: ["\(source) does not hold the published data"])
        }
        try AtomicFile.replace("\(folder)/\(file.name)", with: content)
        try? FileManager.default.removeItem(atPath: Self.partial(file, in: folder))
    }
}
