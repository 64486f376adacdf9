import VGGFiles
import VGGImages

/// Photos in files, and how they are prepared for a network.
public struct PhotoFiles: Sendable {
    public let paths: [String]
    public let preprocessing: Preprocessing

    public init(_ paths: [String], preprocessing: Preprocessing) {
        self.paths = paths
        self.preprocessing = preprocessing
    }

    /// The part of one photo that a network sees, as bytes `[size, size, channels]`.
    func pixels(at index: Int) throws(FileError) -> [UInt8] {
        preprocessing.pixels(of: try RGBImage(contentsOf: paths[index]))
    }

    /// Writes one photo as a network sees it.
    func write(_ index: Int, to numbers: UnsafeMutableBufferPointer<Float>) throws(FileError) {
        preprocessing.write(try RGBImage(contentsOf: paths[index]), to: numbers)
    }
}
