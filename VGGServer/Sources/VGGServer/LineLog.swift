import Foundation
import Logging

/// Log lines on standard error, as text for people or as JSON for programs.
public struct LineLog: LogHandler {
    public enum Format: String, CaseIterable, Sendable {
        case text, json
    }

    public var metadata: Logger.Metadata = [:]
    public var logLevel = Logger.Level.info
    private let format: Format

    public init(_ format: Format) { self.format = format }

    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    public func log(event: LogEvent) {
        // One write a line, so that lines of several threads stay whole.
        let bytes = Array(line(of: event, at: .now).utf8)
        _ = write(STDERR_FILENO, bytes, bytes.count)
    }

    package func line(of event: LogEvent, at date: Date) -> String {
        let time = date.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
        // Hummingbird numbers requests, which a line a request need not show.
        let members = metadata.merging(event.metadata ?? [:]) { _, new in new }.filter {
            $0.key != "hb.request.id"
        }
        switch format {
        case .text:
            let texts = members.sorted { $0.key < $1.key }.map {
                " \($0.key)=\(Self.printable("\($0.value)"))"
            }
            return "\(time) \(event.level) \(Self.printable("\(event.message)"))\(texts.joined())\n"
        case .json:
            var object = members.mapValues { JSON.string("\($0)") }
            for (key, value) in members {
                if case .stringConvertible(let number) = value, let number = Double("\(number)") {
                    object[key] = .number(number)
                }
            }
            object["time"] = .string(time)
            object["level"] = .string(event.level.rawValue)
            object["message"] = .string("\(event.message)")
            return JSON.object(object).line + "\n"
        }
    }

    /// A client's words cannot begin a line of their own, or steer a terminal.
    private static func printable(_ text: String) -> String {
        String(
            String.UnicodeScalarView(
                text.unicodeScalars.map { $0.properties.generalCategory == .control ? "?" : $0 }))
    }
}
