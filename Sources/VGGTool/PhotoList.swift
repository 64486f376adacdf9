import VGGKit

/// The photos that a command line names.
struct PhotoList {
    /// In the order of the arguments; those of a folder as `PhotoListing` has them.
    private(set) var files: [String] = []
    /// Folders that cannot be read, or hold no photos.
    private(set) var problems: [FileError] = []

    /// The photos in batches.
    func batches(_ preprocessing: Preprocessing, batchSize: Int) -> BatchLoader {
        BatchLoader(.files(PhotoFiles(names: files)), Preparation(preprocessing), batchSize: batchSize)
    }

    /// - Parameter arguments: files, folders, or `-`. Whether a file is there is found out when it is read.
    init(_ arguments: [String]) {
        for argument in arguments {
            guard argument != RGBImage.standardInput, FileKind(at: argument) == .folder else {
                files.append(argument)
                continue
            }
            do throws(FileError) {
                let found = try PhotoListing(argument)
                guard !found.names.isEmpty else { throw found.noPhotos }
                files += found.paths
                if let remark = found.passedOver.description { Console.note("\(argument): \(remark)") }
            } catch {
                problems.append(error)
            }
        }
    }
}
