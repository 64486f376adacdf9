import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import ServiceLifecycle
import VGGTraining

/// What the studio shows of runs, once and as it goes on.
struct RunsService: Sendable {
    private let shelf: Lane<RunsShelf>

    init(folder: String) { shelf = Lane("Runs") { RunsShelf(folder) } }

    var endpoints: [Endpoint] {
        [
            Endpoint(.get, "/studio/api/runs", .null) { _ in .json(try await self.table()) },
            Endpoint(.get, "/studio/api/curves", .null) { .json(try await self.curves(Wish($0))) },
            Endpoint(.get, "/studio/api/events", .null) { try self.events($0) },
        ]
    }

    func table() async throws -> JSON { try await shelf.run { try $0.table() } }

    /// The run of a name that the table has.
    func run(_ name: String) async throws -> RunRecord { try await shelf.run { try $0.run(name) } }

    /// Which curves are wanted.
    private struct Wish: Sendable {
        let runs: [String]
        let columns: Int
        let smoothing: Double

        init(_ call: Call) throws(APIError) {
            runs = Array(call.request.uri.queryParameters.getAll("run").prefix(24))
            columns = min(max(call.query("columns").flatMap { Int($0) } ?? 600, 10), 4000)
            smoothing = call.query("smoothing").flatMap { Double($0) } ?? 0
            guard 0..<1 ~= smoothing else { throw .invalid("'smoothing' must be at least 0 and less than 1") }
        }
    }

    private func curves(_ wish: Wish) async throws -> JSON {
        try await shelf.run { shelf in
            .object(
                Dictionary(
                    try wish.runs.map { run in
                        (
                            run,
                            try shelf.curves(of: run).json(columns: wish.columns, smoothing: wish.smoothing)
                        )
                    }, uniquingKeysWith: { first, _ in first }))
        }
    }

    /// Server-sent events (HTML Living Standard, section 9.2): `runs` with the table at first and when more than rows have
    /// changed, `run` with a row that has changed, and `curves` with those of a run at first and when they have changed.
    private func events(_ call: Call) throws -> Response {
        let wish = try Wish(call)
        let body = ResponseBody { writer in
            var table = JSON.null
            var stamps: [String: [Int]] = [:]
            var quiet = 0
            while !Task.isCancelled, !Task.isShuttingDownGracefully {
                var text = ""
                let new = try await self.table()
                if let rows = Self.changedRows(from: table, to: new) {
                    for row in rows { text += "event: run\ndata: \(row.line)\n\n" }
                } else {
                    text += "event: runs\ndata: \(new.line)\n\n"
                }
                table = new
                for run in wish.runs {
                    let known = stamps[run]
                    let change = try await self.shelf.run { shelf -> (stamp: [Int], curves: JSON?)? in
                        // A run may be deleted.
                        guard let stamp = try? shelf.stamp(run) else { return nil }
                        guard stamp != known else { return (stamp, nil) }
                        let curves = try shelf.curves(of: run)
                        return (stamp, curves.json(columns: wish.columns, smoothing: wish.smoothing))
                    }
                    stamps[run] = change?.stamp
                    guard let curves = change?.curves else { continue }
                    let data: JSON = ["run": .string(run), "curves": curves]
                    text += "event: curves\ndata: \(data.line)\n\n"
                }
                quiet = text.isEmpty ? quiet + 1 : 0
                // A line that says nothing tells whether somebody still listens.
                if quiet % 15 == 14 { text = ": \n\n" }
                if !text.isEmpty { try await writer.write(ByteBuffer(string: text)) }
                try await Task.sleep(for: .seconds(1))
            }
            try await writer.finish(nil)
        }
        return Response(status: .ok, headers: [.contentType: "text/event-stream"], body: body)
    }

    /// The runs that a table shows in another way than one before it; nil where more than rows has changed.
    private static func changedRows(from old: JSON, to new: JSON) -> [JSON]? {
        guard old["settings"] == new["settings"], old["problems"] == new["problems"],
            let before = old["runs"]?.elements, let after = new["runs"]?.elements,
            before.map({ $0["name"] }) == after.map({ $0["name"] })
        else { return nil }
        return zip(before, after).filter { $0 != $1 }.map(\.1)
    }
}
