import Foundation
import Testing
import VGGData
import VGGModel
import VGGTestSupport

/// Where sets are looked for, and Fashion-MNIST itself: these tests fetch it into the user's cache if need be.
@Suite struct DatasetStoreTests {
    private static let names = [
        "t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz", "train-images-idx3-ubyte.gz",
        "train-labels-idx1-ubyte.gz",
    ]
    let cache: TemporaryFolder
    let system: TemporaryFolder

    init() throws {
        cache = try TemporaryFolder()
        system = try TemporaryFolder()
    }

    /// - Parameter timeout: in seconds; a machine that is busy with other tests is slow to answer.
    private func store(
        fetchingFrom server: FileServer? = nil, timeout: TimeInterval = 300, limit: Int = 100_000_000
    ) -> DatasetStore {
        DatasetStore(
            cacheFolder: cache.path, systemFolder: system.path,
            fetcher: DatasetFetcher(
                address: server?.address ?? "http://127.0.0.1:9/", usesDebian: false,
                timeout: timeout, limit: limit))
    }

    private func cachedFiles() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: "\(cache.path)/fashion-mnist").sorted()
    }

    /// A server of the real files.
    private func realServer(takesRanges: Bool = false, sentBytes: Int? = nil) throws -> FileServer {
        let folder = try DatasetStore().load("fashion-mnist").folder
        return try FileServer { name in
            FileManager.default.contents(atPath: "\(folder)/\(name)").map {
                FileServer.Answer(body: $0, sentBytes: sentBytes, takesRanges: takesRanges)
            } ?? FileServer.Answer(status: 404, body: Data())
        }
    }

    @Test func loadsTheRealFashionMNIST() throws {
        let splits = try DatasetStore().load("fashion-mnist")
        #expect(splits.isVerified)
        #expect(splits.train.count == 60_000 && splits.test.count == 10_000)
        #expect(splits.train.images.shape == .map(channels: 1, height: 28, width: 28))
        #expect(splits.train.labels.prefix(5) == [9, 0, 0, 3, 0])
        #expect(splits.test.labels.prefix(5) == [9, 2, 1, 1, 6])
        #expect(splits.train.classNames[9] == "ankle boot")
        for label in UInt8(0)..<10 { #expect(splits.train.labels.count { $0 == label } == 6000) }
    }

    /// The positions within the classes are those of the photos in `PhotoFolderTests`, from a script in Python.
    @Test func keepsSomeOfAStoredSetForValidation() throws {
        let counts = [10, 7, 2, 3, 1]
        let labels = (0..<10).flatMap { place in counts.indices.filter { place < counts[$0] } }
        var set = TinySet()
        set.trainImages = idx(
            [labels.count, 2, 4], labels.indices.flatMap { Array(repeating: UInt8($0), count: 8) })
        set.trainLabels = idx([labels.count], labels.map { UInt8($0) })
        try set.write(to: system)
        let load = { try store().load("fashion-mnist", from: system.path, validation: $0) }
        let (whole, splits) = try (load(nil), load(ValidationSplit(share: 0.2, seed: 0)))
        #expect(whole.validation == nil && whole.train.count == labels.count)
        let kept = [[2, 7], [2], [1], [1], []].enumerated().flatMap { number, places in
            places.map { place in labels.indices.filter { labels[$0] == number }[place] }
        }.sorted()
        let validation = try #require(splits.validation)
        #expect(try validation.stored.bytes == kept.flatMap { Array(repeating: UInt8($0), count: 8) })
        #expect(validation.labels == kept.map { UInt16(labels[$0]) })
        let rest = labels.indices.filter { !kept.contains($0) }
        #expect(try splits.train.stored.bytes == rest.flatMap { Array(repeating: UInt8($0), count: 8) })
        #expect(try splits.test.stored.bytes == whole.test.stored.bytes && splits.test.labels == [1, 3])
    }

    @Test func fetchesVerifiesAndKeeps() throws {
        let server = try realServer()
        defer { server.stop() }
        var progress: [FetchProgress] = []
        let splits = try store(fetchingFrom: server).load("fashion-mnist") { progress.append($0) }
        #expect(splits.isVerified && splits.folder == "\(cache.path)/fashion-mnist")
        #expect(try cachedFiles() == Self.names)
        #expect(server.requests.sorted() == Self.names)
        #expect(Set(progress.map(\.file)).sorted() == Self.names)
        let last = try #require(progress.last { $0.file == "train-images-idx3-ubyte.gz" })
        #expect(last.bytesDone == last.bytesTotal && last.bytesDone > 20_000_000)

        // The second time nothing is fetched; a file that was changed is fetched alone.
        _ = try store(fetchingFrom: server).load("fashion-mnist")
        #expect(server.requests.count == 4)
        try cache.write(
            gzip(idx([10_000], [UInt8](repeating: 1, count: 10_000))), to: "fashion-mnist/\(Self.names[1])")
        #expect(try store(fetchingFrom: server).load("fashion-mnist").test.labels.prefix(2) == [9, 2])
        #expect(server.requests.dropFirst(4) == [Self.names[1]])
    }

    @Test func keepsNothingOfAFetchThatFails() throws {
        func failure(
            _ answer: FileServer.Answer, timeout: TimeInterval = 300, limit: Int = 1_000_000
        ) throws -> String {
            let server = try FileServer { _ in answer }
            defer { server.stop() }
            let error = #expect(throws: DatasetError.self) {
                try store(fetchingFrom: server, timeout: timeout, limit: limit).load("fashion-mnist")
            }
            #expect(try cachedFiles().isEmpty)
            let description = error?.description ?? ""
            #expect(description.contains(cache.path) && description.contains(system.path))
            #expect(description.contains("`dataDirectory`") && !description.contains("\n"))
            return description
        }
        #expect(try failure(.init(status: 404, body: Data("?".utf8))).contains("status 404"))
        #expect(try failure(.init(body: Data("<html>".utf8))).contains("does not hold the published data"))
        // Valid, but not the published images.
        let other = gzip(TinySet().trainImages)
        #expect(try failure(.init(body: Data(other))).contains("does not hold the published data"))
        #expect(
            try failure(.init(body: Data(), isSilent: true), timeout: 1).contains(
                "the server does not answer"))
        let long = FileServer.Answer(body: Data(count: 200_000))
        #expect(try failure(long, limit: 100_000).contains("the server sends more than a data set has"))
    }

    /// What was begun may be of something else, or the server cannot go on in the middle.
    @Test func beginsAgainWhatCannotBeGoneOnWith() throws {
        for takesRanges in [true, false] {
            let server = try realServer(takesRanges: takesRanges)
            defer { server.stop() }
            let cache = try TemporaryFolder()
            try cache.write([1, 2, 3], to: "fashion-mnist/\(Self.names[1]).partial")
            let store = DatasetStore(
                cacheFolder: cache.path, systemFolder: system.path,
                fetcher: DatasetFetcher(address: server.address, usesDebian: false, timeout: 300))
            #expect(try store.load("fashion-mnist").isVerified)
            #expect(try cache.names("fashion-mnist") == Self.names)
            #expect(server.requests.filter { $0 == Self.names[1] }.count == 2)
        }
    }

    @Test func goesOnWhereAFetchWasBroken() throws {
        let (broken, server) = try (realServer(sentBytes: 100_000), realServer(takesRanges: true))
        defer {
            broken.stop()
            server.stop()
        }
        let error = #expect(throws: DatasetError.self) {
            try store(fetchingFrom: broken).load("fashion-mnist")
        }
        #expect(error?.description.contains("could not be fetched") == true)
        let name = "train-images-idx3-ubyte.gz"
        #expect(try cachedFiles() == ["\(name).partial"])
        var progress: [FetchProgress] = []
        let splits = try store(fetchingFrom: server).load("fashion-mnist") { progress.append($0) }
        #expect(splits.isVerified)
        #expect(try cachedFiles() == Self.names)
        let told = progress.filter { $0.file == name }
        let size = try cache.bytes("fashion-mnist/\(name)").count
        #expect(told.allSatisfy { $0.bytesDone > 100_000 && $0.bytesTotal == size })
        #expect(told.last?.bytesDone == size)
    }

    @Test func isNotLedOnToAnAddressWithoutHTTPS() throws {
        let other = try FileServer { _ in FileServer.Answer(body: Data()) }
        let server = try FileServer { name in
            FileServer.Answer(status: 302, body: Data(), header: "Location: \(other.address)\(name)")
        }
        defer {
            server.stop()
            other.stop()
        }
        let error = #expect(throws: DatasetError.self) {
            try store(fetchingFrom: server).load("fashion-mnist")
        }
        #expect(error?.description.contains("leads on to an address without https") == true)
        #expect(server.requests.count == 1 && other.requests.isEmpty)
    }

    @Test func saysHowToGetCurl() throws {
        let store = DatasetStore(
            cacheFolder: cache.path, systemFolder: system.path,
            fetcher: DatasetFetcher(usesDebian: false, programs: [cache.path]))
        let error = #expect(throws: DatasetError.self) { try store.load("fashion-mnist") }
        #expect(error?.description.contains("curl, which fetches files, is not found; install it") == true)
        #expect(try cachedFiles().isEmpty)
    }

    #if os(Linux)
        @Test func leavesNothingOnAFullDisk() throws {
            let server = try realServer()
            defer { server.stop() }
            let partial = "\(cache.path)/fashion-mnist/train-images-idx3-ubyte.gz.partial"
            try cache.write([], to: "fashion-mnist/other")
            try cache.remove("fashion-mnist/other")
            try FileManager.default.createSymbolicLink(atPath: partial, withDestinationPath: "/dev/full")
            let error = #expect(throws: (any Error).self) {
                try store(fetchingFrom: server).load("fashion-mnist")
            }
            #expect("\(try #require(error))" == "\(partial): cannot be written: No space left on device")
            #expect(try cachedFiles().isEmpty)
        }
    #endif

    @Test func saysWhenNoServerAnswers() throws {
        #expect(throws: DatasetError.self) { try store().load("fashion-mnist") }
        #expect(try cachedFiles().isEmpty)
    }

    @Test func severalThreadsFetchOnce() async throws {
        let server = try realServer()
        defer { server.stop() }
        let store = store(fetchingFrom: server)
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for _ in 0..<3 { group.addTask { try store.load("fashion-mnist").isVerified } }
            for try await isVerified in group { #expect(isVerified) }
        }
        #expect(server.requests.sorted() == Self.names)
    }

    @Test func namesACacheThatCannotBeMade() throws {
        let store = DatasetStore(cacheFolder: "/dev/null/cache", systemFolder: system.path)
        let error = #expect(throws: (any Error).self) { try store.load("fashion-mnist") }
        let description = "\(try #require(error))"
        #expect(description.hasPrefix("/dev/null/cache/fashion-mnist: this cache folder cannot be made"))
    }

    @Test func aSystemFolderWithOtherContentIsPassedOver() throws {
        let server = try realServer()
        defer { server.stop() }
        let other = try TemporaryFolder()
        try TinySet().write(to: other)
        try FileManager.default.copyItem(atPath: other.path, toPath: "\(system.path)/fashion-mnist")
        let splits = try store(fetchingFrom: server).load("fashion-mnist")
        #expect(splits.isVerified && splits.folder == "\(cache.path)/fashion-mnist")
    }

    @Test func aGivenFolderMayHoldASubset() throws {
        let subset = try TemporaryFolder()
        try TinySet().write(to: subset)
        let splits = try store().load("fashion-mnist", from: subset.path)
        #expect(!splits.isVerified && splits.train.count == 3 && splits.train.classNames[0] == "t-shirt")
    }

    @Test func otherSetsAreFoundInTheCacheThenTheSystem() throws {
        let files = try TemporaryFolder()
        try TinySet().write(to: files, compressed: true)
        try FileManager.default.copyItem(atPath: files.path, toPath: "\(system.path)/kmnist")
        let found = try store().load("kmnist")
        #expect(found.folder == "\(system.path)/kmnist" && found.train.classNames[0] == "o")
        try FileManager.default.copyItem(atPath: files.path, toPath: "\(cache.path)/kmnist")
        #expect(try store().load("kmnist").folder == "\(cache.path)/kmnist")
    }

    @Test func saysWhereItLooked() {
        let searched = ["\(cache.path)/mnist", "\(system.path)/mnist"]
        let error = #expect(throws: DatasetError.notFound(name: "mnist", searched: searched)) {
            try store().load("mnist")
        }
        #expect(error?.description.contains("\(searched[0]) or \(searched[1])") == true)
    }

    @Test func namesAFolderThatIsNotThere() throws {
        let error = #expect(throws: (any Error).self) {
            try store().load("mnist", from: "\(cache.path)/none")
        }
        #expect("\(try #require(error))".hasPrefix("\(cache.path)/none: there is no such folder"))
        #expect(throws: DatasetError.self) { try store().load("mnist", from: cache.path) }
    }
}
