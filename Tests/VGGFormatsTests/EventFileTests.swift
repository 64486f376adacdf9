import Foundation
import Testing
import VGGFormats

@Suite struct EventFileTests {
    /// The bytes that TensorBoard's own writer makes (Scripts/goldens/events.py).
    @Test func bytesAreTensorBoards() throws {
        let events = [
            ScalarEvent(wallTime: 1_700_000_000.25, step: 0, scalars: [("loss/train", 2.302585)]),
            ScalarEvent(
                wallTime: 1_700_000_001.5, step: 1, scalars: [("loss/train", 0.1), ("accuracy/train", 0)]),
            ScalarEvent(
                wallTime: 1_700_000_099, step: 300, scalars: [("accuracy/test", 1), ("größe", -1e-30)]),
            ScalarEvent(
                wallTime: 1_700_000_100, step: 1 << 40,
                scalars: (0..<3).map {
                    ("a tag that makes the message longer than 127 bytes \($0)", Double($0))
                }),
        ]
        let bytes = EventFile.head(wallTime: 1_700_000_000) + events.flatMap(EventFile.record)
        let golden = Bundle.module.bundleURL.appending(path: "Goldens/events.tfevents")
        #expect(try Data(bytes) == Data(contentsOf: golden))
    }
}
