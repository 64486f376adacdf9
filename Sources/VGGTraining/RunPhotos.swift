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
    /// Those that are left out, because they cannot be read.
    public var skipped: [BrokenPhoto] = []

    /// Whether most of the run's photos are among these, by their names: then their folder is the run's, whatever its
    /// path.
    func areMost(of photos: ImageDataset) -> Bool {
        2 * photos.selecting(train + test).missing.count <= train.count + test.count
    }
}
