import ArgumentParser
import VGGKit

/// What a network is shown of each picture.
struct ViewOptions: ParsableArguments {
    /// The value of --tta.
    struct Views: ExpressibleByArgument {
        var views = ImageViews()
        let text: String

        init?(argument: String) {
            text = argument
            for part in argument.split(separator: ",", omittingEmptySubsequences: false) {
                let words = part.split(separator: ":", omittingEmptySubsequences: false)
                if part == "mirror", !views.mirrors {
                    views.mirrors = true
                } else if words.count == 2, words[0] == "shift", let pixels = Int(words[1]), 1...64 ~= pixels,
                    views.shift == 0
                {
                    views.shift = pixels
                } else {
                    return nil
                }
            }
        }
    }

    @Option(
        help: ArgumentHelp(
            "Test-time augmentation: show each picture also mirrored, or also moved up, down, left and right by N pixels "
                + "(at most 64), or both, which makes ten views. The answer is the mean of their probabilities.",
            valueName: "mirror|shift:n|mirror,shift:n"))
    var tta: Views?

    /// What a network is shown that takes pictures of this size.
    /// - Throws: a validation error if nothing of a moved picture would be left.
    func views(for size: Int) throws -> ImageViews {
        let views = tta?.views ?? ImageViews()
        guard views.shift < size else {
            throw ValidationError(
                "--tta shift:\(views.shift) leaves nothing of pictures of \(size)×\(size) pixels; give less than \(size)"
            )
        }
        return views
    }
}
