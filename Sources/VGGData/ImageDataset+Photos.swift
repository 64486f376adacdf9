import VGGFiles
import VGGImages

/// A photo that cannot be read, and why.
public struct BrokenPhoto: Hashable, Sendable, Codable {
    /// Its path below the folder of the data, as `FileName` has it.
    public var photo: String
    /// In words, without the path.
    public var reason: String

    /// A photo that is left out.
    public init(photo: String, reason: String) {
        self.photo = photo
        self.reason = reason
    }
}

extension ImageDataset {
    /// The photos' paths below their folder, as `FileName` has them; none of a data set in memory.
    public var photoNames: [String] {
        switch images {
        case .stored: []
        case .files(let photos): photos.names
        }
    }

    /// The sizes of the photos' files in bytes.
    package var photoSizes: [Int] { images.files.map(sizeOfFile) }

    /// Looks at the first bytes of photos, before long work on them; data in memory are what they are.
    /// - Throws: `FileError` that names the first file that is no photo.
    public func checkPhotos() throws(FileError) {
        var first: FileError?
        var others = 0
        for path in images.files {
            do throws(FileError) {
                _ = try ImageFormat(contentsOf: path)
            } catch {
                if first == nil { first = error } else { others += 1 }
            }
        }
        guard var first else { return }
        if others > 0 { first.reason += " (\(others) more cannot be used)" }
        throw first
    }

    /// Decodes every photo, on background threads, and leaves out those that cannot be: all that is done with the others
    /// afterwards depends only on what the files hold.
    public func withoutBroken(threads: Int = 2) -> (whole: ImageDataset, broken: [BrokenPhoto]) {
        guard case .files(let photos) = images else { return (self, []) }
        var whole: [Int] = []
        var broken: [BrokenPhoto] = []
        let least = Preparation(stretchingTo: 1, 1, channels: 3)
        for batch in BatchLoader(images, least, batchSize: 8, threads: threads) {
            for example in batch.examples {
                if let problem = batch.problems[example] {
                    broken.append(BrokenPhoto(photo: photos.names[example], reason: problem.reason))
                } else {
                    whole.append(example)
                }
            }
        }
        return (broken.isEmpty ? self : subset(whole), broken)
    }

    /// The photos of both, which are in one folder and of the same classes.
    package func joined(with other: ImageDataset) -> ImageDataset {
        guard case .files(let photos) = images, case .files(let others) = other.images else { return self }
        return ImageDataset(
            name: name,
            images: .files(PhotoFiles(in: photos.folder, names: photos.names + others.names)),
            labels: labels + other.labels, classNames: classNames)
    }

    /// The photos of these names, in this order, and the names of which there are none.
    ///
    /// Another Unicode form of a name will do where there is only one: copies on other file systems may have it.
    package func selecting(_ names: [String]) -> (found: ImageDataset, missing: [String]) {
        let own = photoNames
        let places = Dictionary(grouping: own.indices) { own[$0] }
        var found: [Int] = []
        var missing: [String] = []
        for name in names {
            let places = places[name] ?? []
            let place = places.first { own[$0].utf8.elementsEqual(name.utf8) }
            if let place = place ?? (places.count == 1 ? places.first : nil) {
                found.append(place)
            } else {
                missing.append(name)
            }
        }
        return (subset(found), missing)
    }
}
