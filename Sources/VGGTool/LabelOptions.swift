import ArgumentParser
import VGGKit

/// What the classes are called.
struct LabelOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            """
            The names of the classes: a file with one a line, with or without its number; JSON or the text of a Python \
            dictionary in the way of imagenet_class_index.json, of class_to_idx or of a Hugging Face config.json; or a \
            pipe, which - stands for, too (default: what the run, or the file, says). A folder's classes are found among them by name.
            """, valueName: "file"),
        transform: HomeFolder.expandingTilde)
    var labels: String?

    /// - Returns: nil if nothing is known, or the names known are not those of this network.
    /// - Throws: `FileError` if the file cannot be read or has another number of names.
    func classNames(for model: TrainedModel, _ specification: ModelSpecification) throws -> ClassNames? {
        guard let labels else {
            // The names of the data set it was trained on, unless it has got another head since.
            return model.knownClassNames.map { ClassNames($0) }.flatMap {
                specification.canName($0.count) ? $0 : nil
            }
        }
        let names = try ClassNames(contentsOf: labels == "-" ? "/dev/stdin" : labels)
        let classes = specification.classes
        guard specification.canName(names.count) else {
            throw FileError(
                labels,
                "names \(Text.count(names.count, "class", plural: "classes")), but the network has \(classes)"
                    + "\(classes == 1 ? " output: one name, or two" : ""); use the file that belongs to the weights"
            )
        }
        for (name, numbers) in names.repeated {
            let list = numbers.map(String.init).joined(separator: " and ")
            Console.error("warning: \(labels): the classes \(list) are both called \(name.debugDescription)")
        }
        return names
    }
}
