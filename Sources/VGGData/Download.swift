import Foundation
import Synchronization

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// One file fetched over HTTP(S) into memory.
final class Download: NSObject, URLSessionDataDelegate, Sendable {
    private struct State {
        var body = Data()
        var total: Int?
        var failure: String?
        var isFinished = false
    }

    /// No file of a data set is larger; a server that sends more is not sending one.
    private static let limit = 200_000_000

    private let state = Mutex(State())
    private let changed = DispatchSemaphore(value: 0)

    /// Waits until the file is there.
    /// - Parameters:
    ///   - timeout: how long the server may be silent, in seconds.
    ///   - progress: told the bytes done and, if known, the total, from the calling thread.
    /// - Throws: `DatasetFetcher.Failure`.
    static func content(
        of address: String, timeout: TimeInterval, progress: (Int, Int?) -> Void
    ) throws(DatasetFetcher.Failure) -> Data {
        guard let url = URL(string: address) else {
            throw DatasetFetcher.Failure(reasons: ["\(address) is not an address"])
        }
        let configuration = URLSessionConfiguration.ephemeral
        configuration.timeoutIntervalForRequest = timeout
        let download = Download()
        let session = URLSession(configuration: configuration, delegate: download, delegateQueue: nil)
        session.dataTask(with: url).resume()
        defer { session.invalidateAndCancel() }
        var isFinished = false
        while !isFinished {
            download.changed.wait()
            let (done, total): (Int, Int?)
            (done, total, isFinished) = download.state.withLock { ($0.body.count, $0.total, $0.isFinished) }
            if done > 0 { progress(done, total) }
        }
        let (body, failure) = download.state.withLock { ($0.body, $0.failure) }
        if let failure { throw DatasetFetcher.Failure(reasons: ["\(address): \(failure)"]) }
        return body
    }

    func urlSession(
        _ session: URLSession, dataTask: URLSessionDataTask, didReceive response: URLResponse,
        completionHandler: @escaping (URLSession.ResponseDisposition) -> Void
    ) {
        let status = (response as? HTTPURLResponse)?.statusCode ?? 200
        let length = Int(response.expectedContentLength)
        state.withLock {
            if status != 200 { $0.failure = "the server answers with status \(status)" }
            if length > 0 { $0.total = length }
        }
        completionHandler(status == 200 ? .allow : .cancel)
    }

    func urlSession(_ session: URLSession, dataTask: URLSessionDataTask, didReceive data: Data) {
        let isTooLong = state.withLock {
            $0.body.append(data)
            if $0.body.count > Self.limit { $0.failure = "the server sends more than a data set has" }
            return $0.body.count > Self.limit
        }
        if isTooLong { dataTask.cancel() }
        changed.signal()
    }

    func urlSession(_ session: URLSession, task: URLSessionTask, didCompleteWithError error: (any Error)?) {
        state.withLock {
            $0.isFinished = true
            // A failure of ours comes back as a cancelled task; the first reason is the true one.
            if let error, $0.failure == nil {
                let isLate = (error as? URLError)?.code == .timedOut
                $0.failure = isLate ? "the server does not answer" : error.localizedDescription
            }
        }
        changed.signal()
    }
}
