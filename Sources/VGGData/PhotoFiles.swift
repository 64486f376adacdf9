import VGGFiles
import VGGImages

/// Photos in files, and how they are prepared for a network.
public struct PhotoFiles: Sendable {
    /// The folder they are in.
    public let folder: String
    /// Their paths below the folder, as `FileName` has them.
    public let names: [String]
    public let preprocessing: Preprocessing

    public init(in folder: String, names: [String], preprocessing: Preprocessing) {
        self.folder = folder
        self.names = names
        self.preprocessing = preprocessing
    }

    public var paths: [String] { names.indices.map(path) }

    func path(at index: Int) -> String { "\(folder)/\(names[index])" }

    /// The part of one photo that a network sees, as bytes `[size, size, channels]`.
    func pixels(at index: Int) throws(FileError) -> [UInt8] {
        preprocessing.pixels(of: try RGBImage(contentsOf: path(at: index)))
    }

    /// Writes one photo as a network sees it.
    func write(_ index: Int, to numbers: UnsafeMutableBufferPointer<Float>) throws(FileError) {
        preprocessing.write(try RGBImage(contentsOf: path(at: index)), to: numbers)
    }
}
