/// A rectangle of pixels, which may reach beyond the picture that it is of.
public struct Window: Hashable, Sendable {
    /// The first row, counted from the picture's; negative above it.
    public var top: Int
    /// The first column, likewise.
    public var left: Int
    /// Rows.
    public var height: Int
    /// Columns.
    public var width: Int

    /// Rows and columns are those of the picture, counted from 0.
    public init(top: Int, left: Int, height: Int, width: Int) {
        self.top = top
        self.left = left
        self.height = height
        self.width = width
    }
}

/// What is seen beyond the edges of a picture (torchvision's `padding_mode`).
public enum PaddingMode: String, Hashable, Sendable, Codable, CaseIterable {
    /// Black.
    case constant
    /// The picture mirrored at its outermost pixels, which are not repeated.
    case reflect
}

extension Pixels {
    /// What a window shows: torchvision's `crop(pad(…), …)`, with places as in the picture that was not padded.
    public func cropped(to window: Window, beyond mode: PaddingMode = .constant) -> Pixels {
        let rows = mode.places(window.top, count: window.height, of: height)
        let columns = mode.places(window.left, count: window.width, of: width)
        // The columns within the picture are in a row, and copied as one.
        let inside = max(0, -window.left)..<max(max(0, -window.left), min(window.width, width - window.left))
        let line = window.width * channels
        return making(height: window.height, width: window.width) { input, output in
            output.initialize(repeating: 0)
            for (row, place) in rows.enumerated() {
                guard let place else { continue }
                let source = place * width * channels
                let target = row * line
                if !inside.isEmpty {
                    let first = source + (window.left + inside.lowerBound) * channels
                    let count = inside.count * channels
                    let start = target + inside.lowerBound * channels
                    for byte in 0..<count { output[start + byte] = input[first + byte] }
                }
                guard mode != .constant else { continue }
                for column in 0..<window.width where !inside.contains(column) {
                    guard let place = columns[column] else { continue }
                    for channel in 0..<channels {
                        output[target + column * channels + channel] =
                            input[source + place * channels + channel]
                    }
                }
            }
        }
    }

    /// A part of the picture at another size: torchvision's `resized_crop` with Pillow's bilinear filter.
    /// - Precondition: the window lies within the picture.
    public func resized(_ window: Window, toHeight newHeight: Int, width newWidth: Int) -> Pixels {
        precondition(
            window.top >= 0 && window.left >= 0 && window.top + window.height <= height
                && window.left + window.width <= width, "a part that is resized lies within the picture")
        // The filter must not see what lies around the part.
        let whole = window == Window(top: 0, left: 0, height: height, width: width)
        let part = whole ? self : cropped(to: window)
        let resampler = Resampler(
            height: part.height, width: part.width, toHeight: newHeight, width: newWidth, channels: channels)
        return part.making(height: newHeight, width: newWidth) { resampler.resize($0, into: $1) }
    }

    /// The picture mirrored along its rows, along its columns, or both.
    public func flipped(horizontally: Bool, vertically: Bool = false) -> Pixels {
        guard horizontally || vertically else { return self }
        return making { input, output in
            for row in 0..<height {
                let source = (vertically ? height - 1 - row : row) * width
                for column in 0..<width {
                    let from = (source + (horizontally ? width - 1 - column : column)) * channels
                    let to = (row * width + column) * channels
                    for channel in 0..<channels { output[to + channel] = input[from + channel] }
                }
            }
        }
    }
}

extension PaddingMode {
    /// Which of `length` rows or columns `count` places from `start` on show; nil for none.
    fileprivate func places(_ start: Int, count: Int, of length: Int) -> [Int?] {
        (start..<start + count).map { place in
            switch self {
            case .constant: return (0..<length).contains(place) ? place : nil
            case .reflect:
                // Forwards and backwards again and again, with neither end twice.
                let period = max(2 * (length - 1), 1)
                let phase = ((place % period) + period) % period
                return min(phase, period - phase) % length
            }
        }
    }
}
