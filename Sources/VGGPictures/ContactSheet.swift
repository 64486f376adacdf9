import Foundation

/// A grid of small pictures with captions, such as the samples of a data set with their labels.
public struct ContactSheet: Hashable, Sendable {
    /// A picture and what stands below it.
    public struct Item: Hashable, Sendable {
        /// Rows from the top, 1 (grey) or 3 (red, green, blue) bytes a pixel: [height, width, channels].
        public let pixels: [UInt8]
        /// In pixels.
        public let width: Int
        /// In pixels.
        public let height: Int
        /// Bytes of a pixel: 1 for grey, 3 for red, green and blue.
        public let channels: Int
        /// Stands below the picture; a line feed begins another line.
        public let caption: String
        /// Of the caption.
        public let captionColour: Colour

        /// - Precondition: `channels` is 1 or 3, and `pixels` has height × width × channels bytes.
        public init(
            pixels: [UInt8], width: Int, height: Int, channels: Int, caption: String,
            captionColour: Colour = .black
        ) {
            precondition(channels == 1 || channels == 3, "pictures have 1 or 3 channels, not \(channels)")
            precondition(
                width > 0 && height > 0 && pixels.count == height * width * channels,
                "\(pixels.count) bytes are not a picture of \(height)×\(width)×\(channels)")
            self.pixels = pixels
            self.width = width
            self.height = height
            self.channels = channels
            self.caption = caption
            self.captionColour = captionColour
        }
    }

    /// Row by row.
    public var items: [Item]
    /// Pictures a row.
    public var columns: Int
    /// Pixels of the sheet a pixel of a picture, in both directions.
    public var scale: Int
    /// The nominal size of the captions in pixels; a caption wider than its picture is made smaller, and if it could then not
    /// be read any more, shorter.
    public var captionSize = 14.0
    /// What is smaller cannot be read.
    private static let leastSize = 9.0

    /// - Precondition: `columns` and `scale` are positive.
    public init(_ items: [Item], columns: Int, scale: Int) {
        precondition(columns > 0 && scale > 0, "a sheet needs columns and a scale above 0")
        self.items = items
        self.columns = columns
        self.scale = scale
    }

    /// The sheet, row by row from the upper left.
    public func bitmap() -> Bitmap {
        let margin = 10
        let captions = items.map {
            $0.caption.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        }
        let lineHeight = Int((captionSize * 1.3).rounded(.up))
        let cellWidth = (items.map(\.width).max() ?? 0) * scale + margin
        let pictureHeight = (items.map(\.height).max() ?? 0) * scale
        let cellHeight = pictureHeight + (captions.map(\.count).max() ?? 0) * lineHeight + margin
        let usedColumns = min(columns, max(items.count, 1))
        var sheet = Bitmap(
            width: usedColumns * cellWidth + margin,
            height: (items.count + columns - 1) / columns * cellHeight + margin)
        for (index, item) in items.enumerated() {
            let left = margin + index % columns * cellWidth
            let top = margin + index / columns * cellHeight
            sheet.draw(item, left: left, top: top, scale: scale)
            for (line, text) in captions[index].enumerated() {
                let room = Double(cellWidth - margin)
                let length = Bitmap.width(of: text, size: captionSize)
                let size = max(Self.leastSize, min(1, room / length) * captionSize)
                sheet.draw(
                    Bitmap.shortened(text, size: size, to: room),
                    at: [
                        Double(left) + Double(item.width * scale) / 2,
                        Double(top + pictureHeight + line * lineHeight) + captionSize * 1.05,
                    ],
                    size: size, anchor: .middle, colour: item.captionColour)
            }
        }
        return sheet
    }

    /// The sheet as a PNG file.
    public func png() -> Data { bitmap().pngData() }
}

extension Bitmap {
    /// Draws a picture with each of its pixels as a square.
    fileprivate mutating func draw(_ item: ContactSheet.Item, left: Int, top: Int, scale: Int) {
        for y in 0..<item.height * scale {
            for x in 0..<item.width * scale {
                let start = (y / scale * item.width + x / scale) * item.channels
                let green = min(1, item.channels - 1)
                let blue = item.channels - 1
                self[left + x, top + y] = Colour(
                    red: item.pixels[start], green: item.pixels[start + green],
                    blue: item.pixels[start + blue])
            }
        }
    }
}
