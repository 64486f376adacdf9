import ArgumentParser
import Foundation
import VGGKit

/// What `make bench` found: this program beside the best of the others.
struct Comparison: Decodable {
    struct Row: Decodable {
        var title: String
        /// What both values count: `images/sec` is drawn, memory is not.
        var unit: String
        /// This program's value divided by the best of the others'; nil where one was not measured.
        var ratio: Double?
        /// The program, and how it was run.
        var best: String?
    }

    var rows: [Row]

    /// - Throws: `ValidationError` if the file cannot be read or is not what `make bench` writes.
    init(readingFrom file: String) throws {
        do {
            self = try JSONText.decode(Self.self, from: String(contentsOfFile: file, encoding: .utf8))
        } catch {
            throw ValidationError("\(file) is not a file of results; make one with make bench")
        }
    }

    /// Draws the ratios of speed as bars beside the others' 1, as SVG.
    func draw(to file: String) throws {
        let compared = rows.filter { $0.unit == "images/sec" && $0.ratio != nil && $0.best != nil }
        var chart = BarChart(
            title: "swift-vgg beside the fastest of PyTorch, ONNX Runtime and OpenVINO",
            valueLabel: "images a second, as a multiple of the fastest other's in the same run",
            series: [
                BarChart.Series("swift-vgg", colour: .blue), BarChart.Series("fastest other", colour: .gray),
            ],
            groups: compared.map { row in
                BarChart.Group("\(row.title) (\(row.best ?? ""))", values: [row.ratio, 1])
            })
        chart.width = 760
        try AtomicFile.replace(file, with: Data(chart.svg().utf8))
    }
}
