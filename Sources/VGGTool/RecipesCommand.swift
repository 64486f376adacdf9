import ArgumentParser

struct RecipesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "recipes",
        abstract: "List the recipes of vgg train: trainings by name, and the options that they stand for.",
        discussion: """
            Examples:
              vgg recipes
              vgg train --recipe fashion-mnist --epochs 20
            """)

    @OptionGroup var format: FormatOption

    func run() throws {
        for (index, recipe) in Recipe.all.enumerated() {
            switch format.format {
            case .json: try Console.print(json: recipe)
            case .text:
                let lines =
                    [
                        "\(recipe.name): \(recipe.summary)",
                        "  " + (recipe.reaches.map { "reaches \($0) in " } ?? "takes ") + recipe.takes,
                        Text.wrapped(
                            "  \(recipe.options)", width: (Console.outputColumns ?? 100) - 1, indent: 0),
                    ]
                try Console.print((index > 0 ? "\n" : "") + lines.joined(separator: "\n"))
            }
        }
    }
}
