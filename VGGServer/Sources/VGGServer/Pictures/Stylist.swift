import Dispatch
import HTTPTypes
import Synchronization
import VGGDevices
import VGGEngine
import VGGImages
import VGGPerception

/// Paints pictures, one at a time: a picture takes minutes, on a thread of its own and half of the server's.
final class Stylist: Sendable {
    private let queue = DispatchQueue(label: "VGGServer.Stylist", qos: .utility)
    private let isBusy = Atomic(false)
    private let device: Device
    private let timeout: Duration

    init(_ settings: ServerSettings) {
        let half = max(1, settings.device.threads / 2)
        device = Device.named(settings.device.name, threads: half) ?? settings.device
        timeout = settings.timeout
    }

    /// How a model paints.
    /// - Throws: `APIError` if the model has no layers for it, or the content would be too small.
    func stylization(_ maps: PictureMaps, _ wish: StylizationWish, of content: RGBImage) throws -> Stylization
    {
        let stylization = Stylization(
            maps.network, weights: maps.weights, preprocessing: maps.preprocessing,
            settings: wish.settings(maps.preprocessing), device: device)
        do {
            _ = try stylization.memory(of: content)
        } catch {
            throw PictureMaps.problem(error)
        }
        return stylization
    }

    private static let busy = APIError(
        .conflict, "another picture is being painted", headers: [.retryAfter: "1"])

    /// - Throws: `APIError` if a picture is being painted.
    func checkIsFree() throws(APIError) {
        guard !isBusy.load(ordering: .relaxed) else { throw Self.busy }
    }

    /// The right to paint, until it is given back or forgotten.
    final class Turn: Sendable {
        private let stylist: Stylist
        private let isOver = Atomic(false)

        /// - Throws: `APIError` if somebody else has it.
        init(_ stylist: Stylist) throws(APIError) {
            self.stylist = stylist
            guard !stylist.isBusy.exchange(true, ordering: .acquiringAndReleasing) else {
                isOver.store(true, ordering: .relaxed)
                throw Stylist.busy
            }
        }

        deinit { end() }

        func end() {
            guard !isOver.exchange(true, ordering: .acquiringAndReleasing) else { return }
            stylist.isBusy.store(false, ordering: .releasing)
        }
    }

    /// A picture that is being painted, as somebody hears of it.
    final class Work: Sendable {
        /// Server-sent events.
        let events: AsyncStream<String>
        fileprivate let feed: AsyncStream<String>.Continuation
        fileprivate let isStopped = Flag()
        /// So many events more may wait to be sent.
        private let room = DispatchSemaphore(value: 0)

        fileprivate init() {
            (events, feed) = AsyncStream<String>.makeStream()
            for _ in 0..<4 { room.signal() }
        }

        /// An event has been sent.
        func wasSent() { room.signal() }

        /// The step that is being computed is the last.
        func stop() {
            isStopped.set()
            room.signal()
        }

        /// - Returns: false if nobody takes events any more.
        fileprivate func send(_ name: String, _ data: JSON, within limit: Duration) -> Bool {
            guard room.wait(timeout: .now() + limit.seconds) == .success else { return false }
            feed.yield(Stylist.event(name, data))
            return !isStopped.isSet
        }
    }

    private static func event(_ name: String, _ data: JSON) -> String {
        "event: \(name)\ndata: \(data.line)\n\n"
    }

    /// Begins a picture. The server-sent events (HTML Living Standard, section 9.2) are `begin`, `step` after each step, every
    /// so often with the picture, and at last `end` with the picture, or `problem`.
    /// - Parameter onSilence: is called if nobody has taken an event for as long as a request may take.
    func begin(
        _ content: RGBImage, inTheMannerOf style: RGBImage, by stylization: Stylization,
        _ wish: StylizationWish, _ turn: Turn, onSilence: @escaping @Sendable () -> Void
    ) -> Work {
        let work = Work()
        queue.async { [timeout] in
            let end: String
            do {
                let beginning: JSON = [
                    "width": .number(Double(content.width)), "height": .number(Double(content.height)),
                    "steps": .number(Double(wish.steps)),
                ]
                var goesOn = work.send("begin", beginning, within: timeout)
                var done = 0
                let made = try stylization.picture(of: content, inTheMannerOf: [(style, 1)]) { state in
                    done = state.step
                    goesOn = goesOn && work.send("step", Self.json(state, wish), within: timeout)
                    return goesOn
                }
                end = Self.event(
                    "end", ["step": .number(Double(done)), "picture": .string(made.dataAddress)])
                if !goesOn, !work.isStopped.isSet { onSilence() }
            } catch {
                let problem = PictureMaps.problem(error) as? APIError
                end = Self.event(
                    "problem", ["error": .string(problem?.message ?? "the picture cannot be painted")])
            }
            // Who hears that it has ended may ask for the next.
            turn.end()
            work.feed.yield(end)
            work.feed.finish()
        }
        return work
    }

    private static func json(_ state: Stylization.State, _ wish: StylizationWish) -> JSON {
        var members: [String: JSON] = [
            "step": .number(Double(state.step)), "loss": .number(state.losses.total),
            "content": .number(state.losses.content), "style": .number(state.losses.style),
        ]
        // The last picture comes with the end.
        if state.step % wish.every == 0, state.step < state.steps {
            members["picture"] = .string(state.picture().dataAddress)
        }
        return .object(members)
    }
}
