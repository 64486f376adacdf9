import VGGData

/// Which photos a run trains and tests on: `photos.json` in its folder. A run keeps to them, wherever the folder of the
/// photos is and whatever has been added to it.
///
/// A photo is named by its path below that folder, as `FileName` has it.
public struct RunPhotos: Hashable, Sendable, Codable {
    /// In the order of their numbers.
    public var train: [String]
    /// Likewise.
    public var test: [String]
    /// Likewise; nil if there are none.
    public var validation: [String]?
    /// Those that are left out, because they cannot be read.
    public var skipped: [BrokenPhoto] = []

    /// The sizes of the files that are trained on, then of those that are tested on, then of those of the validation, in
    /// bytes; nil in the list of an earlier version.
    public var sizes: [Int]?

    /// Whether most of the run's photos are among these: then their folder is the run's, whatever its path. The
    /// names alone do not tell where every class of every folder has a `1.jpg`; with the sizes of the files they do.
    func areMost(of photos: ImageDataset) -> Bool {
        let names = train + test + (validation ?? [])
        let (found, missing) = photos.selecting(names)
        var same = found.count
        if let sizes, sizes.count == names.count {
            let gone = Set(missing)
            let expected = zip(names, sizes).filter { !gone.contains($0.0) }.map(\.1)
            same = zip(expected, found.photoSizes).count { $0 == $1 }
        }
        return 2 * same >= names.count
    }
}
