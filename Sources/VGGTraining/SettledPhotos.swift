import VGGData
import VGGFiles
import VGGInference
import VGGModel

/// The photos that a training works on, made out of those that its folder holds now.
struct SettledPhotos {
    private(set) var training: ImageDataset
    private(set) var test: ImageDataset
    private(set) var validation: ImageDataset?
    /// nil for a data set in memory.
    private(set) var record: RunPhotos?
    /// What somebody should know about them, a line each.
    private(set) var remarks: [String] = []
    /// Whether they are those of a run that goes on.
    private(set) var isOfRun = false

    /// - Parameters:
    ///   - training, test, validation: a data set; photos are prepared as the configuration says.
    ///   - known: the photos of a run that goes on; nil for a new one, and for one that has no list of them.
    ///   - run: that run, where this process has it.
    /// - Throws: `FileError` if photos of the run are gone, or none of a class can be read; unless all that cannot be
    ///   read are skipped, and then only if none of a class is left.
    init(
        _ configuration: TrainingConfiguration, training: ImageDataset, test: ImageDataset,
        validation: ImageDataset?, known: RunPhotos?, of run: RunFolder?, threads: Int
    ) throws {
        (self.training, self.test, self.validation) = (training, test, validation)
        guard case .files(let photos) = training.images else { return }
        let skips = configuration.skipBroken == true
        var skipped: [BrokenPhoto] = []
        if let known {
            isOfRun = true
            let gone = keep(to: known)
            guard self.training.count > 0, self.test.count > 0 else {
                throw FileError(
                    photos.folder,
                    "holds none of the photos that the run \(self.training.count > 0 ? "tests itself" : "trains") on"
                        + (run.map {
                            "; if they are elsewhere, go on with \($0.resumption) \(Setting.dataDirectory) FOLDER"
                        } ?? ""))
            }
            guard gone.isEmpty || skips else {
                throw FileError(
                    photos.folder,
                    "\(Self.list(gone)) of the run \(gone.count == 1 ? "is" : "are") gone; put back what is missing"
                        + (run.map {
                            ", or go on without it: \($0.resumption(dataIn: photos.folder)) \(Setting.skipBroken)"
                        } ?? ""))
            }
            skipped = known.skipped + gone.map { BrokenPhoto(photo: $0, reason: "is gone") }
        }
        if skips {
            let (trained, tested) = (
                self.training.withoutBroken(threads: threads), self.test.withoutBroken(threads: threads)
            )
            let validated = self.validation?.withoutBroken(threads: threads)
            let halves: [(String, ImageDataset, ImageDataset?)] = [
                ("training", self.training, trained.whole), ("testing", self.test, tested.whole),
                ("validation", self.validation ?? self.test, validated?.whole),
            ]
            for (use, all, left) in halves where all.count > 0 && left?.count == 0 {
                let reason =
                    all.count == 1
                    ? "the only photo for \(use) cannot" : "none of the \(all.count) photos for \(use) can"
                throw FileError(photos.folder, "\(reason) be read")
            }
            (self.training, self.test, self.validation) = (trained.whole, tested.whole, validated?.whole)
            skipped += trained.broken + tested.broken + (validated?.broken ?? [])
        } else {
            do throws(FileError) {
                for dataset in [self.training, self.test, self.validation] { try dataset?.checkPhotos() }
            } catch {
                throw FileError(
                    error.path, "\(error.reason); \(Setting.skipBroken) goes on without what is no photo")
            }
        }
        record = RunPhotos(
            train: self.training.photoNames, test: self.test.photoNames,
            validation: self.validation?.photoNames, skipped: skipped,
            sizes: self.training.photoSizes + self.test.photoSizes + (self.validation?.photoSizes ?? []))
        remarks += BrokenPhoto.remarks(skipped) + classRemarks
        guard !skipped.isEmpty else { return }
        let labels = Set(self.training.labels)
        if let lost = training.classNames.indices.first(where: { !labels.contains(UInt16($0)) }) {
            let isTested = [self.test, self.validation].contains {
                $0?.labels.contains(UInt16(lost)) == true
            }
            let name = training.classNames[lost]
            guard isTested else {
                throw FileError(photos.folder, "no photo of the class \(name) can be read")
            }
            throw FileError(
                photos.folder,
                "of the class \(name) no photo can be read that would be for training"
                    + (known == nil && configuration.validationSplit != nil
                        ? "; another \(Setting.seed) keeps other ones for testing" : ""))
        }
    }

    /// Which classes are trained, but not looked at: one that has a single photo leaves none for it.
    private var classRemarks: [String] {
        [(test, "testing"), (validation, "validation")].compactMap { dataset, use in
            guard let dataset else { return nil }
            let lacking = Set(training.labels).subtracting(dataset.labels).sorted()
                .map { training.classNames[Int($0)].quotedName }
            guard !lacking.isEmpty else { return nil }
            let isOne = lacking.count == 1
            return "no photo for \(use) is of \(isOne ? "the class" : "the \(lacking.count) classes") "
                + "\(lacking.firstFew): accuracies say nothing of \(isOne ? "it" : "them")"
        }
    }

    /// Replaces the photos by those of a run.
    /// - Returns: the names of those that there are no more.
    private mutating func keep(to known: RunPhotos) -> [String] {
        let halves = training.joined(with: test)
        let all = validation.map(halves.joined) ?? halves
        let (trained, tested) = (all.selecting(known.train), all.selecting(known.test))
        let validated = known.validation.map(all.selecting)
        let skipped = all.selecting(known.skipped.map(\.photo)).found
        let added =
            all.count - trained.found.count - tested.found.count - (validated?.found.count ?? 0)
            - skipped.count
        if added > 0 {
            remarks.append(
                added == 1
                    ? "1 photo is new since the run began and is not used"
                    : "\(added) photos are new since the run began and are not used")
        }
        (training, test, validation) = (trained.found, tested.found, validated?.found)
        return trained.missing + tested.missing + (validated?.missing ?? [])
    }

    /// Such as `3 photos (a/1.png, a/2.png, …)`.
    static func list(_ names: [String]) -> String {
        "\(names.count) photo\(names.count == 1 ? "" : "s") (\(names.firstFew))"
    }
}

extension BrokenPhoto {
    /// Names broken photos, a line each, and counts them.
    package static func remarks(_ photos: [BrokenPhoto]) -> [String] {
        guard !photos.isEmpty else { return [] }
        let most = 10
        let named = photos.prefix(most).map { "\($0.photo): \($0.reason)" }
        let count = photos.count == 1 ? "1 photo is" : "\(photos.count) photos are"
        return named + [
            "\(count) left out that cannot be read"
                + (photos.count > most ? "; the first \(most) are those above" : "")
        ]
    }
}
