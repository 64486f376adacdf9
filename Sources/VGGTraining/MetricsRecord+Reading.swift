import Foundation
import VGGFiles

/// A way to read the lines of `metrics.jsonl` as this program writes them that is many times faster than one for any
/// JSON: a chart of a million lines is then a matter of seconds.
struct MetricsLineReader {
    private static let keys = [
        "epoch", "examples_per_sec", "seconds", "step", "step_in_epoch", "steps_per_epoch", "test_acc",
        "test_loss", "train_acc", "train_loss", "val_acc", "val_loss", "wall_examples_per_sec",
    ]
    private let keys = keys.map { Array($0.utf8) }
    private let event = Array("event".utf8)
    /// One for each key; not a number where the line does not have it.
    private var values = [Double](repeating: .nan, count: keys.count)
    /// The key that is probably next: members are in the order of their names.
    private var next = 0

    /// A line in any form of JSON; nil if it cannot be understood.
    /// - Parameter line: followed by a byte that is no part of a number.
    mutating func reading(_ line: UnsafeBufferPointer<UInt8>) -> MetricsRecord? {
        if let record = record(line) { return record }
        // A line of bytes that are no text is as damaged as one that is half there.
        guard let text = String(validating: line, as: UTF8.self) else { return nil }
        return try? JSONText.decode(MetricsRecord.self, from: text)
    }

    /// - Parameter line: followed by a byte that is no part of a number.
    /// - Returns: nil for whatever is not exactly such a line, which may be right all the same.
    private mutating func record(_ line: UnsafeBufferPointer<UInt8>) -> MetricsRecord? {
        for place in values.indices { values[place] = .nan }
        next = 0
        guard line.count > 2, line[0] == UInt8(ascii: "{"), line[line.count - 1] == UInt8(ascii: "}") else {
            return nil
        }
        var isEpoch: Bool?
        var place = 1
        while place < line.count {
            guard let key = Self.text(line, &place), place < line.count, line[place] == UInt8(ascii: ":")
            else { return nil }
            place += 1
            if key.elementsEqual(event) {
                guard let value = Self.text(line, &place) else { return nil }
                if value.elementsEqual("step".utf8) { isEpoch = false }
                if value.elementsEqual("epoch".utf8) { isEpoch = true }
            } else {
                guard let number = number(of: key), let value = Self.number(line, &place) else { return nil }
                values[number] = value
            }
            guard place < line.count else { return nil }
            if line[place] == UInt8(ascii: "}"), place == line.count - 1 {
                return isEpoch.flatMap { $0 ? epoch : step }
            }
            guard line[place] == UInt8(ascii: ",") else { return nil }
            place += 1
        }
        return nil
    }

    /// A text without anything that is escaped, and the place behind it.
    private static func text(_ line: UnsafeBufferPointer<UInt8>, _ place: inout Int) -> Slice<
        UnsafeBufferPointer<UInt8>
    >? {
        guard place < line.count, line[place] == UInt8(ascii: "\"") else { return nil }
        let start = place + 1
        var end = start
        while end < line.count, line[end] != UInt8(ascii: "\"") {
            guard line[end] != UInt8(ascii: "\\") else { return nil }
            end += 1
        }
        guard end < line.count else { return nil }
        place = end + 1
        return line[start..<end]
    }

    private static func number(_ line: UnsafeBufferPointer<UInt8>, _ place: inout Int) -> Double? {
        // JSON's numbers begin so, those of strtod in other ways, too.
        guard place < line.count, line[place] == UInt8(ascii: "-") || 48...57 ~= line[place],
            let start = line.baseAddress
        else { return nil }
        return start.withMemoryRebound(to: CChar.self, capacity: line.count + 1) { text in
            var end: UnsafeMutablePointer<CChar>?
            let value = strtod(text + place, &end)
            guard let end, value.isFinite else { return nil }
            let digits = line[place..<UnsafePointer(end) - text]
            place = digits.endIndex
            // In no other base than ten.
            return digits.allSatisfy { 43...57 ~= $0 || $0 | 0x20 == UInt8(ascii: "e") } ? value : nil
        }
    }

    private mutating func number(of key: Slice<UnsafeBufferPointer<UInt8>>) -> Int? {
        for offset in keys.indices {
            let place = (next + offset) % keys.count
            if key.elementsEqual(keys[place]) {
                next = place + 1
                return place
            }
        }
        return nil
    }

    private func count(_ place: Int) -> Int? { Int(exactly: values[place]) }
    private func figure(_ place: Int) -> Double? { values[place].isNaN ? nil : values[place] }

    /// By the places of `keys`.
    private var step: MetricsRecord? {
        guard let epoch = count(0), let step = count(3), let stepInEpoch = count(4),
            let stepsPerEpoch = count(5), let trainLoss = figure(9), let trainAcc = figure(8),
            let examplesPerSec = figure(1)
        else { return nil }
        return .step(
            StepMetrics(
                epoch: epoch, step: step, stepInEpoch: stepInEpoch, stepsPerEpoch: stepsPerEpoch,
                trainLoss: trainLoss, trainAcc: trainAcc, examplesPerSec: examplesPerSec, seconds: figure(2)))
    }

    private var epoch: MetricsRecord? {
        guard let epoch = count(0), let step = count(3), let trainLoss = figure(9), let trainAcc = figure(8),
            let testLoss = figure(7), let testAcc = figure(6), let examplesPerSec = figure(1),
            let wallExamplesPerSec = figure(12), let seconds = figure(2)
        else { return nil }
        return .epoch(
            EpochMetrics(
                epoch: epoch, step: step, trainLoss: trainLoss, trainAcc: trainAcc, valLoss: figure(11),
                valAcc: figure(10), testLoss: testLoss, testAcc: testAcc, examplesPerSec: examplesPerSec,
                wallExamplesPerSec: wallExamplesPerSec, seconds: seconds))
    }
}
